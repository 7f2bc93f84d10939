"""The least of what was seen lately."""

from __future__ import annotations

from collections import deque

import attrs

from .checks import positive

__all__ = ["SlidingMinimum"]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class SlidingMinimum:
    """Keep the least value of the last `within_s` seconds.

    Costs no more for a long window: a value is forgotten as soon as a smaller one has come. One
    thread at a time. Raises InvalidOption for a window that is not above 0.
    """

    within_s: float = attrs.field(validator=positive)
    _values: deque[tuple[float, float]] = attrs.field(init=False, factory=deque)
    """When, and what: each later one is greater."""

    def add(self, value: float, now_s: float) -> float:
        """Take what was seen at `now_s` and return the least, that one included."""
        values = self._values
        while values and values[-1][1] >= value:
            values.pop()
        values.append((now_s, value))
        while values[0][0] <= now_s - self.within_s:
            values.popleft()
        return values[0][1]
