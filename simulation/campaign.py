"""A long run against simulated exchanges, and its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from ..analysis import LongrunReport
from ..analysis.checks import check_whole, positive
from ..exchanges import Feed, parse_key
from ..messages import InvalidOption, Snapshot, Totals
from ..supervisors import MarketData
from .fault import Fault
from .fault_plan import play
from .inspection import Broken, Inspection
from .live_scene import LiveClock, LiveScene
from .loopback import LoopbackExchange
from .market import SyntheticMarket, demo_symbols
from .random_plan import random_plan
from .scene import Scene, WorldScene
from .world import World

__all__ = ["CAMPAIGN_SECONDS", "Campaign", "CampaignResult", "campaign_keys"]

CAMPAIGN_SECONDS: Mapping[str, float] = MappingProxyType(
    {"S0": 180.0, "S1": 3600.0, "S2": 6 * 3600.0, "S3": 12 * 3600.0}
)
"""How long each scenario lasts."""

RATE = 0.75
"""Books a second and symbol: half of it for the quietest, half as much again for the busiest."""
DEPTH = 5
_LIMITS = {"S0": "S1"}
"""A scenario that has no limits of its own is held against another's."""
_EXCHANGES = ("upbit", "binance", "bybit")
_STEP_S = 60.0
_LIVE_STEP_S = 1.0


def campaign_keys(number: int) -> tuple[str, ...]:
    """Return so many plausible keys, in turn of Upbit, Binance and Bybit."""
    check_whole("symbols", number, 1)
    of_each = [[f"{name}:{symbol}" for symbol in demo_symbols(name, number)] for name in _EXCHANGES]
    in_turn = chain.from_iterable(zip(*of_each, strict=True))
    return tuple(islice(in_turn, number))


@attrs.frozen(kw_only=True)
class CampaignResult:
    """What a campaign came to."""

    report: LongrunReport
    totals: Totals
    faults: tuple[Fault, ...]
    broken: tuple[Broken, ...]
    """Invariants that did not hold; empty where nobody looked (`check`)."""
    trace_hash: str | None
    """The same for the same campaign in every process; None in real time."""
    virtual_s: float
    """How long the market ran."""
    took_s: float
    """How long that took."""

    @property
    def ok(self) -> bool:
        """Whether the verdict is not FAIL, and all invariants held."""
        return self.report.overall_status != "FAIL" and not self.broken


def _check_scenario(_: object, __: object, scenario: str) -> None:
    if scenario not in CAMPAIGN_SECONDS:
        raise InvalidOption("scenario", scenario, f"one of {', '.join(CAMPAIGN_SECONDS)}")


def _keys(keys: Iterable[str]) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(keys))
    for key in keys:
        parse_key(key)
    if not keys:
        raise InvalidOption("keys", keys, "at least one key")
    return keys


@attrs.frozen(kw_only=True)
class Campaign:
    """A long run of `keys` against simulated exchanges with synthetic books.

    `scenario`: S0, S1, S2 or S3; it lasts 3 min, 1 h, 6 h or 12 h, or `seconds`, and is held
    against its limits (S0 against those of S1). `faults`: what goes wrong; None draws a plan out
    of `seed`. `check`: check all invariants all along. `log`: a run log, as `MarketData` takes it.
    `real_time`: over real sockets and on threads; by default in virtual time, in which a campaign
    is the same every time for the same `seed`. `rate`: books a second and symbol.

    Raises InvalidOption; in real time MissingExtra without the extra `simulation`.
    """

    scenario: str = attrs.field(default="S1", validator=_check_scenario)
    keys: tuple[str, ...] = attrs.field(converter=_keys, factory=lambda: campaign_keys(20))
    seconds: float = attrs.field(validator=positive)
    seed: int = 0
    faults: tuple[Fault, ...] | None = ()
    check: bool = False
    log: str | Path | None = None
    real_time: bool = False
    rate: float = attrs.field(default=RATE, validator=positive)

    @seconds.default
    def _usual_seconds(self) -> float:
        # Defaults come before validators.
        return CAMPAIGN_SECONDS.get(self.scenario, 1.0)

    @property
    def plan(self) -> tuple[Fault, ...]:
        """What goes wrong: as given, or drawn."""
        if self.faults is not None:
            return self.faults
        return random_plan(
            self.seed, exchanges=[*self._symbols()], keys=self.keys, seconds=self.seconds
        )

    def run(self, progress: Callable[[float], object] = lambda _: None) -> CampaignResult:
        """Run it to its end; `progress` is told now and then how many seconds of it are over.

        KeyboardInterrupt ends it and passes through.
        """
        began_s, plan = time.monotonic(), self.plan
        with self._live() if self.real_time else nullcontext(self._virtual()) as scene:
            inspection = Inspection(scene, plan) if self.check else None
            self._play(scene, plan, inspection, progress)
            trace_hash = scene.world.trace_hash if isinstance(scene, WorldScene) else None
            if inspection is not None:
                inspection.check_stopped()
            return CampaignResult(
                report=attrs.evolve(scene.market.report(), scenario=self.scenario),
                totals=scene.market.metrics().totals,
                faults=plan,
                broken=() if inspection is None else tuple(inspection.broken),
                trace_hash=trace_hash,
                virtual_s=self.seconds,
                took_s=time.monotonic() - began_s,
            )

    def _play(
        self,
        scene: Scene,
        plan: tuple[Fault, ...],
        inspection: Inspection | None,
        progress: Callable[[float], object],
    ) -> None:
        if inspection is None:
            for key in self.keys:
                scene.market.subscribe(key, _look)
        with scene.market:
            play(plan, scene)
            if inspection is not None:
                inspection.begin()
            self._go_on(scene, progress)
            if inspection is not None:
                inspection.finish()

    def _go_on(self, scene: Scene, progress: Callable[[float], object]) -> None:
        step_s = _LIVE_STEP_S if self.real_time else _STEP_S
        while (left_s := self.seconds - scene.now_s) > 0:
            scene.run_for(min(step_s, left_s))
            progress(min(self.seconds, scene.now_s))

    def _symbols(self) -> dict[str, list[str]]:
        symbols: dict[str, list[str]] = {}
        for key in self.keys:
            exchange, symbol = parse_key(key)
            symbols.setdefault(exchange, []).append(symbol)
        return symbols

    def _books(self, exchange: str) -> Iterator[tuple[float, Snapshot]]:
        keys = [key for key in self.keys if key.startswith(f"{exchange}:")]
        now_ms = int(time.time() * 1000)
        market = SyntheticMarket(
            keys, seed=self.seed, rate=self.rate, depth=DEPTH, start_unix_ms=now_ms
        )
        return market.books()

    def _virtual(self) -> WorldScene:
        return WorldScene.serving(
            World(self.seed),
            [Feed(name, symbols) for name, symbols in self._symbols().items()],
            seed=self.seed,
            rate=self.rate,
            depth=DEPTH,
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        return {"log": self.log, "scenario": _LIMITS.get(self.scenario, self.scenario)}

    @contextmanager
    def _live(self) -> Iterator[LiveScene]:
        with ExitStack() as stack:
            clock = LiveClock()
            exchanges = {
                name: stack.enter_context(LoopbackExchange(name, self._books(name), waits=False))
                for name in self._symbols()
            }
            feeds = [
                Feed(name, symbols, url=exchanges[name].url, rest=exchanges[name].rest_url)
                for name, symbols in self._symbols().items()
            ]
            market = MarketData(feeds, clock=clock, **self._options())
            yield LiveScene(market, exchanges, clock, log=self.log)


def _look(_: Snapshot) -> None:
    """Do what a host would: nothing here."""
