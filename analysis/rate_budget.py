"""How many times something may be done in a span of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from .checks import positive, whole_number

__all__ = ["RateBudget", "RateBudgets"]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class RateBudget:
    """Allow `count` in any window of `seconds`, as an exchange counts connects and messages.

    A window holds its beginning but not its end: what was spent `seconds` ago is free again. One
    thread at a time. Raises InvalidOption for what is no such number.
    """

    count: int = attrs.field(validator=whole_number(1))
    seconds: float = attrs.field(validator=positive)
    _spent: deque[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._spent = deque(maxlen=self.count)

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until one more is allowed, 0.0 if now; ask again after waiting."""
        if len(self._spent) < self.count:
            return 0.0
        return max(0.0, self._spent[0] + self.seconds - now_s)

    def spend(self, now_s: float) -> None:
        """Note that one was done at `now_s` (monotonic)."""
        self._spent.append(now_s)


class RateBudgets:
    """Several budgets that all hold: 5 in a second and 100 in a minute.

    `allowed`: the count and the seconds of each. Used as one `RateBudget`.
    """

    def __init__(self, allowed: Iterable[tuple[int, float]]) -> None:
        self._budgets = [RateBudget(count, seconds) for count, seconds in allowed]

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until one more is allowed by all, 0.0 if now."""
        return max((budget.wait_s(now_s) for budget in self._budgets), default=0.0)

    def spend(self, now_s: float) -> None:
        """Note that one was done at `now_s` (monotonic)."""
        for budget in self._budgets:
            budget.spend(now_s)
