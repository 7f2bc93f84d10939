"""Whether something comes and goes too often."""

from __future__ import annotations

from collections import deque

import attrs

from .checks import positive, whole_number

__all__ = ["Flapping"]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Flapping:
    """Notice more than `changes` changes in `within_s` seconds.

    It is over when no more than half of so many are left in that time, so that flapping itself
    does not flap (Nagios, "Detection and Handling of State Flapping": two thresholds).
    """

    changes: int = attrs.field(default=5, validator=whole_number(1))
    within_s: float = attrs.field(default=600.0, validator=positive)
    on: bool = attrs.field(init=False, default=False)
    """Whether it flaps."""
    _times: deque[float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._times = deque(maxlen=self.changes + 1)

    def change(self, now_s: float) -> bool:
        """Count a change at `now_s` (monotonic) and return whether it flaps."""
        self._times.append(now_s)
        self.on = self.on or self._recent(now_s) > self.changes
        return self.on

    def calm(self, now_s: float) -> bool:
        """Return whether it does not flap, or not any more."""
        if self.on and self._recent(now_s) <= self.changes // 2:
            self.on = False
        return not self.on

    def forgotten(self, now_s: float) -> bool:
        """Return whether nothing has changed for so long that nothing is left to remember."""
        return not self.on and self._recent(now_s) == 0

    def _recent(self, now_s: float) -> int:
        while self._times and self._times[0] <= now_s - self.within_s:
            self._times.popleft()
        return len(self._times)
