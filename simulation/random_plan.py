"""A plan of faults out of a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from ..analysis.checks import is_number
from ..messages import InvalidOption
from .fault import ExchangeFault, Fault, StreamFault, SymbolFault
from .faults import FAULTS

__all__ = ["random_fault", "random_plan"]

CALM_S = 120.0
"""How long nothing happens at first: detectors learn."""


def random_plan(
    seed: int,
    *,
    exchanges: Sequence[str],
    keys: Sequence[str],
    seconds: float,
    per_hour: float = 12.0,
) -> tuple[Fault, ...]:
    """Return some `per_hour` faults an hour, in order of time; the same for the same arguments.

    Any of `FAULTS`, at one of `exchanges` or `keys` and within `seconds`; nothing in the first two
    minutes, or the first third, in which detectors learn. Raises InvalidOption.
    """
    for name, given in (("exchanges", exchanges), ("keys", keys)):
        if not given:
            raise InvalidOption(name, given, "at least one")
    for name, number in (("seconds", seconds), ("per_hour", per_hour)):
        if not is_number(number) or number <= 0:
            raise InvalidOption(name, number, "a number above 0")
    rng = Random(f"{seed} faults")
    times: list[float] = []
    at_s = min(CALM_S, seconds / 3)
    while (at_s := at_s + rng.expovariate(per_hour / 3600.0)) < seconds:
        times.append(round(at_s, 1))
    return tuple(random_fault(rng, each, exchanges, keys) for each in times)


def random_fault(rng: Random, at_s: float, exchanges: Sequence[str], keys: Sequence[str]) -> Fault:
    """Return any of `FAULTS` at `at_s`, at one of `exchanges` or `keys`."""
    name = rng.choice([*FAULTS])
    fields = {field: draw(rng) for field, draw in _FIELDS[name].items()}
    kind = FAULTS[name]
    if issubclass(kind, StreamFault):
        fields["target"] = rng.choice([*exchanges, *keys])
    elif issubclass(kind, SymbolFault):
        fields["target"] = rng.choice(keys)
    elif issubclass(kind, ExchangeFault):
        fields["target"] = rng.choice(exchanges)
    fault: Fault = kind(at_s=at_s, **fields)
    return fault


def _between(low: float, high: float, digits: int = 2) -> Callable[[Random], float]:
    return lambda rng: round(rng.uniform(low, high), digits)


def _whole(low: int, high: int) -> Callable[[Random], int]:
    return lambda rng: rng.randint(low, high)


def _one_of(*values: Any) -> Callable[[Random], Any]:
    return lambda rng: rng.choice(values)


_FRAMES = {"frames": _whole(1, 20)}
_FIELDS: Mapping[str, Mapping[str, Callable[[Random], Any]]] = {
    "Disconnect": {"code": _one_of(1000, 1001, 1006, 1012), "times": _one_of(1, 1, 2, 6)},
    "HalfOpen": {},
    "Stall": {"seconds": _between(1.0, 120.0)},
    "Burst": {"books": _whole(10, 2000)},
    "SlowHandler": {"cost_s": _between(0.01, 10.0), "seconds": _between(5.0, 120.0)},
    "HandlerCrash": {"seconds": _between(0.1, 5.0)},
    "PoisonMessage": {},
    "CorruptFrame": _FRAMES,
    "Duplicate": _FRAMES,
    "Reorder": _FRAMES,
    "Gap": {**_FRAMES, "times": _one_of(1, 1, 5)},
    "ClockJump": {"seconds": _between(-5.0, 5.0)},
    "ClockDrift": {"rate": _between(-0.01, 0.01, 4), "seconds": _between(10.0, 300.0)},
    "RejectSubscription": {"seconds": _between(1.0, 120.0)},
    "RateLimit": {"seconds": _between(1.0, 120.0), "status": _one_of(429, 418, 503)},
    "Shutdown": {"notice_s": _between(0.0, 20.0), "down_s": _between(0.0, 120.0)},
    "SlowDisk": {"cost_s": _between(0.01, 2.0), "seconds": _between(5.0, 120.0)},
}
