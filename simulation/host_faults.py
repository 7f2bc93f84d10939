"""What goes wrong with the host's own handlers, clock and disk."""

from __future__ import annotations

import math

import attrs

from ..analysis.checks import is_number, positive
from ..messages import InvalidOption
from .fault import Fault, SymbolFault, Symptom
from .scene import Scene

__all__ = ["ClockDrift", "ClockJump", "HandlerCrash", "PoisonMessage", "SlowDisk", "SlowHandler"]

_LATE = frozenset({"QUEUE_STALL", "WS_QUEUE_LAG", "QUEUE_STANDING", "WS_QUEUE_DEPTH"})
_MEMORY_S = 600.0
"""How far back delays are looked at."""


def _delay(ahead_s: float, within_s: float, rate: float) -> Symptom | None:
    least_s = 0.6
    # Seen by what carries a time stamp only.
    if ahead_s < least_s or rate < 1.0:
        return None
    return Symptom(frozenset({"FEED_DELAY"}), within_s, _MEMORY_S + 60.0)


@attrs.frozen
class SlowHandler(SymbolFault):
    """For `seconds`, every snapshot takes `cost_s` to handle."""

    cost_s: float = attrs.field(kw_only=True, validator=positive)
    seconds: float = attrs.field(kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """Its `seconds`, and the snapshot that was begun before they were over."""
        return self.seconds + self.cost_s

    def symptom(self, rate: float) -> Symptom | None:
        """Expect its symbol to be late, where more comes than is handled, for long."""
        load, enough_s = rate * self.cost_s, 40.0
        if load < 3.0 or self.seconds < enough_s:  # noqa: PLR2004 - far from just enough
            return None
        # What has piled up is handled at once when it is over.
        return Symptom(_LATE, enough_s, 30.0)

    def begin(self, scene: Scene) -> None:
        """Let it be slow."""
        scene.slow(self.target, self.cost_s, self.seconds)


@attrs.frozen
class HandlerCrash(SymbolFault):
    """For `seconds`, a handler raises on every snapshot."""

    seconds: float = attrs.field(kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    def symptom(self, rate: float) -> Symptom | None:
        """Expect its symbol to be given up for good, where it fails four times in 5 s."""
        quick = 5.0
        if rate < quick or self.seconds < quick:
            return None
        return Symptom(frozenset({"QUARANTINED"}), 10.0, math.inf)

    def begin(self, scene: Scene) -> None:
        """Let it raise."""
        scene.crash(self.target, self.seconds)


@attrs.frozen
class PoisonMessage(SymbolFault):
    """A handler raises on the next snapshot, and on that one only."""

    def begin(self, scene: Scene) -> None:
        """Poison it."""
        scene.crash(self.target, None)


@attrs.frozen
class ClockJump(Fault):
    """The machine's wall clock is set forward by `seconds`, or back."""

    seconds: float = attrs.field(kw_only=True)

    @seconds.validator
    def _check_seconds(self, _: object, seconds: float) -> None:
        if not is_number(seconds):
            raise InvalidOption("seconds", seconds, "a number; below 0 is back")

    def symptom(self, rate: float) -> Symptom | None:
        """Expect all to seem late from then on; nothing is ever too early."""
        return _delay(self.seconds, 20.0, rate)

    def begin(self, scene: Scene) -> None:
        """Set it."""
        scene.clock.jump(self.seconds)


@attrs.frozen
class ClockDrift(Fault):
    """For `seconds`, the machine's wall clock goes wrong by `rate` seconds a second."""

    rate: float = attrs.field(kw_only=True)
    seconds: float = attrs.field(kw_only=True, validator=positive)

    @rate.validator
    def _check_rate(self, _: object, rate: float) -> None:
        if not is_number(rate) or not -1 < rate <= 1:
            raise InvalidOption("rate", rate, "a number above -1, at most 1")

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    def symptom(self, rate: float) -> Symptom | None:
        """Expect all to seem later and later."""
        return _delay(self.rate * min(self.seconds, _MEMORY_S), self.seconds + 20.0, rate)

    def begin(self, scene: Scene) -> None:
        """Let it go wrong; how far it has come, it stays."""
        scene.clock.drift(self.rate)
        scene.later(self.seconds, lambda: scene.clock.drift(0.0))


@attrs.frozen
class SlowDisk(Fault):
    """For `seconds`, each write of the run log takes `cost_s`; nobody else may notice."""

    cost_s: float = attrs.field(kw_only=True, validator=positive)
    seconds: float = attrs.field(kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    def begin(self, scene: Scene) -> None:
        """Let it be slow."""
        scene.slow_disk(self.cost_s, self.seconds)
