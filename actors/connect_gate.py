"""The budget of connection attempts, shared by all feeds of an exchange."""

from __future__ import annotations

import threading

from ..analysis import RateBudget
from ..exchanges import EXCHANGES
from ..runtime import Clock

__all__ = ["ConnectGate"]


class ConnectGate:
    """Let feeds connect no more often than their exchange allows; from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._budgets: dict[str, RateBudget] = {}

    def enter(self, exchange: str) -> float:
        """Spend one attempt and return 0.0, or return the seconds to wait and spend nothing."""
        now_s = self._clock.now_ns() / 1e9
        with self._lock:
            budget = self._budget(exchange)
            wait_s = budget.wait_s(now_s)
            if wait_s <= 0:
                budget.spend(now_s)
        return wait_s

    def _budget(self, exchange: str) -> RateBudget:
        if exchange not in self._budgets:
            allowed = EXCHANGES[exchange].connects
            self._budgets[exchange] = RateBudget(allowed.count, allowed.seconds)
        return self._budgets[exchange]
