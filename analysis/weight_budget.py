"""How much may be spent in a span of time, where things weigh differently."""

from __future__ import annotations

from collections import deque

import attrs

from ..messages import InvalidOption
from .checks import positive, whole_number

__all__ = ["WeightBudget"]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class WeightBudget:
    """Allow `weight` in any window of `seconds`, as an exchange counts REST requests.

    A window holds its beginning but not its end: what was spent `seconds` ago is free again. One
    thread at a time. Raises InvalidOption for what is no such number.
    """

    weight: int = attrs.field(validator=whole_number(1))
    seconds: float = attrs.field(validator=positive)
    _left: int = attrs.field(init=False)
    _spent: deque[tuple[float, int]] = attrs.field(init=False, factory=deque)

    def __attrs_post_init__(self) -> None:
        self._left = self.weight

    def wait_s(self, weight: int, now_s: float) -> float:
        """Return the seconds until `weight` may be spent, 0.0 if now; `now_s` is monotonic.

        Raises InvalidOption for more than may ever be spent.
        """
        if weight > self.weight:
            raise InvalidOption("weight", weight, f"at most {self.weight}")
        self._free(now_s)
        left, wait_s = self._left, 0.0
        for spent_s, freed in self._spent:
            if left >= weight:
                break
            left += freed
            wait_s = spent_s + self.seconds - now_s
        return wait_s

    def spend(self, weight: int, now_s: float) -> None:
        """Note that `weight` is spent at `now_s`."""
        self._free(now_s)
        self._left -= weight
        self._spent.append((now_s, weight))

    def _free(self, now_s: float) -> None:
        while self._spent and self._spent[0][0] + self.seconds <= now_s:
            self._left += self._spent.popleft()[1]
