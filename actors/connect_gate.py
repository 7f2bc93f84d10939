"""When a feed may connect: the exchange's budget, and its bans."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

import attrs

from ..analysis import Lockout, RateBudgets
from ..exchanges import EXCHANGES
from ..messages import Refusal
from ..runtime import Clock, SystemClock

__all__ = ["ConnectGate"]


class ConnectGate:
    """Let feeds connect no more often than their exchange allows; from any thread.

    An exchange counts attempts by our address, so its own endpoints share one budget; another
    address given by the host (`Feed(url=...)`) has one of its own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._doors: dict[str, _Door] = {}

    @staticmethod
    def of(clock: Clock) -> ConnectGate:
        """Return the gate of all who live by this clock: one for the process on the real one."""
        if isinstance(clock, SystemClock):
            return _PROCESS
        # A gate holds its clock, so the id is not another's while the gate is there.
        return _GATES.setdefault(id(clock), ConnectGate(clock))

    def enter(self, exchange: str, base: str) -> float:
        """Spend one attempt and return 0.0, or return the seconds to wait and spend nothing."""
        now_s = self._now_s()
        with self._lock:
            door = self._door(exchange, base)
            wait_s = max(door.budget.wait_s(now_s), door.lockout.wait_s(now_s))
            if wait_s <= 0:
                door.budget.spend(now_s)
        return wait_s

    def refused(self, exchange: str, base: str, refusal: Refusal) -> None:
        """Keep everybody away for as long as a rate limit or a ban lasts."""
        now_s = self._now_s()
        with self._lock:
            self._door(exchange, base).lockout.refused(
                now_s, ban=refusal.kind == "ban", retry_after_s=refusal.retry_after_s
            )

    def admitted(self, exchange: str, base: str) -> None:
        """Note that a connection was made."""
        with self._lock:
            self._door(exchange, base).lockout.admitted()

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9

    def _door(self, exchange: str, base: str) -> _Door:
        row = EXCHANGES[exchange]
        name = exchange if base in row.endpoints else f"{exchange} {base}"
        if name not in self._doors:
            budget = RateBudgets((each.count, each.seconds) for each in row.connects)
            self._doors[name] = _Door(budget)
        return self._doors[name]


@attrs.frozen
class _Door:
    budget: RateBudgets
    lockout: Lockout = attrs.field(factory=Lockout)


_PROCESS = ConnectGate(SystemClock())
_GATES: WeakValueDictionary[int, ConnectGate] = WeakValueDictionary()
