"""What exchanges do wrong to all their clients."""

from __future__ import annotations

import attrs

from ..analysis.checks import not_negative, positive, whole_number
from ..messages import InvalidOption
from .client import GOING_AWAY, is_close_code
from .fault import ExchangeFault, Symptom
from .fault_target import REFUSALS
from .scene import Scene

__all__ = [
    "Burst",
    "Disconnect",
    "HalfOpen",
    "RateLimit",
    "RejectSubscription",
    "Shutdown",
    "Stall",
]

RESET = 1006
"""RFC 6455, 7.1.5: the code of a connection that ended without a closing frame."""

_AWAY = frozenset({"FEED_LOST", "FEED_SILENT"})
_BANNED = 418
_LEAST_AWAY_S = 30.0
"""An exchange must be away so long to be missed: 10 s, and how long it takes to notice."""
_BACK_S = 60.0
"""By then a feed is back: the longest back-off is 30 s, and an answer waits a while."""
_MEMORY_S = 600.0
"""How far back losses are counted."""


def _away(seconds: float) -> Symptom | None:
    return Symptom(_AWAY, _LEAST_AWAY_S, _BACK_S) if seconds >= _LEAST_AWAY_S else None


@attrs.frozen
class Disconnect(ExchangeFault):
    """It closes every connection with `code`, `times` times, every `every_s` seconds.

    Code 1006 resets them without a word.
    """

    code: int = attrs.field(default=GOING_AWAY, kw_only=True)
    times: int = attrs.field(default=1, kw_only=True, validator=whole_number(1))
    every_s: float = attrs.field(default=45.0, kw_only=True, validator=positive)

    @code.validator
    def _check_code(self, _: object, code: int) -> None:
        if code != RESET and not is_close_code(code):
            raise InvalidOption("code", code, "a WebSocket close code that may be sent, or 1006")

    @property
    def lasts_s(self) -> float:
        """From the first to the last."""
        return (self.times - 1) * self.every_s

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002
        """Expect it to flap, where it is often, with time to come back in between."""
        often = 5
        if self.times < often or not _BACK_S / 2 <= self.every_s <= _MEMORY_S / self.times:
            return None
        kinds = frozenset({"FEED_FLAPPING"})
        return Symptom(kinds, self.lasts_s + 10.0, _MEMORY_S + 10.0)

    def begin(self, scene: Scene) -> None:
        """Close them now, and later again."""
        exchange, code = scene.exchange(self.target), None if self.code == RESET else self.code
        for number in range(self.times):
            scene.later(number * self.every_s, lambda: exchange.disconnect(code))


@attrs.frozen
class HalfOpen(ExchangeFault):
    """The connections there are go dead: they take everything and answer nothing."""

    def begin(self, scene: Scene) -> None:
        """Let them die."""
        scene.exchange(self.target).half_open()


@attrs.frozen
class Stall(ExchangeFault):
    """It says and reads nothing for `seconds`, then everything at once."""

    seconds: float = attrs.field(kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002
        """Expect it to be missed, where it is long."""
        return _away(self.seconds)

    def begin(self, scene: Scene) -> None:
        """Fall silent."""
        scene.exchange(self.target).stall(self.seconds)


@attrs.frozen
class Burst(ExchangeFault):
    """Its next `books` come at once."""

    books: int = attrs.field(default=100, kw_only=True, validator=whole_number(1))

    def begin(self, scene: Scene) -> None:
        """Bring them forward."""
        scene.exchange(self.target).burst(self.books)


@attrs.frozen
class RejectSubscription(ExchangeFault):
    """It closes every connection, and answers subscriptions with an error for `seconds`."""

    seconds: float = attrs.field(kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    @property
    def settles_s(self) -> float:
        """Who is rejected asks again, each half a minute at last."""
        return 40.0 + _BACK_S

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002
        """Expect it to be missed, where it is long."""
        least_s = 60.0
        return Symptom(_AWAY, least_s, self.settles_s) if self.seconds >= least_s else None

    def begin(self, scene: Scene) -> None:
        """Reject from now on."""
        exchange = scene.exchange(self.target)
        exchange.reject(self.seconds)
        exchange.disconnect()


@attrs.frozen
class RateLimit(ExchangeFault):
    """It closes every connection, and refuses handshakes with `status` for `seconds`."""

    seconds: float = attrs.field(kw_only=True, validator=positive)
    status: int = attrs.field(default=429, kw_only=True)

    @status.validator
    def _check_status(self, _: object, status: int) -> None:
        if status not in REFUSALS:
            raise InvalidOption("status", status, "418, 429 or 503")

    @property
    def lasts_s(self) -> float:
        """Its `seconds`."""
        return self.seconds

    @property
    def settles_s(self) -> float:
        """A ban is obeyed for a minute, then for twice as long each time."""
        banned = self.status == _BANNED
        return _BACK_S + (max(60.0, 2 * self.seconds) if banned else 0.0)

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002
        """Expect it to be missed, where it is long."""
        least_s = _LEAST_AWAY_S
        return Symptom(_AWAY, least_s, self.settles_s) if self.seconds >= least_s else None

    def begin(self, scene: Scene) -> None:
        """Refuse from now on."""
        exchange = scene.exchange(self.target)
        exchange.rate_limit(self.seconds, self.status)
        exchange.disconnect()


@attrs.frozen
class Shutdown(ExchangeFault):
    """It announces its end, closes every connection after `notice_s`, and is away for `down_s`."""

    notice_s: float = attrs.field(default=5.0, kw_only=True, validator=not_negative)
    down_s: float = attrs.field(default=0.0, kw_only=True, validator=not_negative)

    @property
    def lasts_s(self) -> float:
        """From the notice until it is back."""
        return self.notice_s + self.down_s

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002
        """Expect it to be missed, where it is away for long."""
        away = _away(self.down_s)
        return away and attrs.evolve(away, within_s=away.within_s + self.notice_s)

    def begin(self, scene: Scene) -> None:
        """Announce it."""
        scene.exchange(self.target).shutdown(self.notice_s, self.down_s)
