"""How often something has happened lately."""

from __future__ import annotations

from collections import deque

import attrs

from .checks import positive

__all__ = ["RecentCount"]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class RecentCount:
    """Count what happened in the last `within_s` seconds, by a counter that only grows.

    What the counter has when it is first told is the past. One thread at a time. Raises
    InvalidOption for a window that is not above 0.
    """

    within_s: float = attrs.field(validator=positive)
    _total: int | None = attrs.field(init=False, default=None)
    _steps: deque[tuple[float, int]] = attrs.field(init=False, factory=deque)
    """When the counter had grown, and what it was before."""

    def update(self, total: int, now_s: float) -> int:
        """Take what the counter has at `now_s` and return how much of it is recent."""
        steps = self._steps
        if self._total is not None and total > self._total:
            steps.append((now_s, self._total))
        self._total = total
        while steps and steps[0][0] <= now_s - self.within_s:
            steps.popleft()
        return total - steps[0][1] if steps else 0
