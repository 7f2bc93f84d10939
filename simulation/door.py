"""What is rationed: messages and handshakes; who goes on knocking is banned."""

import math
from collections.abc import Iterable

import attrs

from ..analysis import RateBudget
from ..exchanges import Budget
from .venue_rules import VenueRules

__all__ = ["Door", "Ration"]

TOO_MANY, BANNED, UNAVAILABLE = 429, 418, 503
PATIENCE = 10


class Ration:
    """So many in any of several spans of time, all of which hold."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._budgets = [RateBudget(each.count, each.seconds) for each in budgets]

    def take(self, now_s: float) -> bool:
        """Spend one, or return False where none is left."""
        if any(budget.wait_s(now_s) > 0 for budget in self._budgets):
            return False
        for budget in self._budgets:
            budget.spend(now_s)
        return True


class Door:
    """One exchange's door. All clients count as one, as they do that share an IP address."""

    def __init__(self, rules: VenueRules) -> None:
        self._ration = Ration(rules.connects)
        self._ban_s = rules.ban_s
        self._refused = 0
        self._shut = _Shut(-math.inf, TOO_MANY)

    def knock(self, now_s: float) -> int | None:
        """Return the HTTP status that a handshake is refused with, None where it is let in."""
        if now_s < self._shut.until_s:
            return self._shut.status
        if not self._ration.take(now_s):
            return self._refuse(now_s)
        self._refused = 0
        return None

    def shut(self, now_s: float, seconds: float, status: int) -> None:
        """Refuse everybody with `status` for so long."""
        self._shut = _Shut(now_s + seconds, status)

    def _refuse(self, now_s: float) -> int:
        self._refused += 1
        if self._ban_s is not None and self._refused > PATIENCE:
            self._refused = 0
            self.shut(now_s, self._ban_s, BANNED)
            self._ban_s *= 2
            return BANNED
        return TOO_MANY


@attrs.frozen
class _Shut:
    until_s: float
    status: int
