"""How often a child may fail before it is given up."""

from __future__ import annotations

from collections import deque

import attrs

from .checks import positive, whole_number

__all__ = ["RestartWindow"]


@attrs.define
class RestartWindow:
    """Allow `max_restarts` failures in any `within_s` seconds; one more is too many.

    OTP's restart intensity (`supervisor`: intensity and period), a failure exactly `within_s` ago
    still counted. `max_restarts=0` allows none. Raises InvalidOption for what is no such number.
    """

    max_restarts: int = attrs.field(default=3, validator=whole_number(0))
    within_s: float = attrs.field(default=5.0, validator=positive)
    _failures: deque[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._failures = deque(maxlen=self.max_restarts + 1)

    def allow(self, now_s: float) -> bool:
        """Count a failure at `now_s` (monotonic) and say whether a restart is allowed."""
        self._failures.append(now_s)
        few = len(self._failures) <= self.max_restarts
        return few or self._failures[0] < now_s - self.within_s
