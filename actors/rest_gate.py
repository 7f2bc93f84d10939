"""What may be asked of an exchange's REST side: its budget, and its bans."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from ..analysis import Lockout, WeightBudget
from ..exchanges import Budget
from ..runtime import Clock, SystemClock

__all__ = ["RestGate"]

SHARE = 0.8
"""Of the exchange's budget: others use the same address, and it counts when requests arrive."""


class RestGate:
    """Let requests be made no more often than an exchange's REST side allows; from any thread."""

    def __init__(self, allowed: Budget) -> None:
        self._lock = threading.Lock()
        self._budget = WeightBudget(int(SHARE * allowed.count), allowed.seconds)
        self._lockout = Lockout()

    @staticmethod
    def of(clock: Clock, name: str, allowed: Budget) -> RestGate:
        """Return the gate of a name for all by this clock: one for the process on the real one."""
        gates = _GATES.setdefault(_REAL if isinstance(clock, SystemClock) else clock, {})
        return gates.setdefault(name, RestGate(allowed))

    def enter(self, weight: int, now_s: float) -> float:
        """Spend `weight` and return 0.0, or return the seconds to wait and spend nothing."""
        with self._lock:
            wait_s = max(self._budget.wait_s(weight, now_s), self._lockout.wait_s(now_s))
            if wait_s <= 0:
                self._budget.spend(weight, now_s)
        return wait_s

    def refused(self, now_s: float, *, ban: bool, retry_after_s: float | None) -> None:
        """Keep everybody away for as long as a rate limit or a ban lasts."""
        with self._lock:
            self._lockout.refused(now_s, ban=ban, retry_after_s=retry_after_s)

    def admitted(self) -> None:
        """Note that a request was answered."""
        with self._lock:
            self._lockout.admitted()


_REAL: Clock = SystemClock()
_GATES: WeakKeyDictionary[Clock, dict[str, RestGate]] = WeakKeyDictionary()
