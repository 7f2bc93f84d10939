"""Whether a mailbox handles nothing although something waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from ..messages import QueueTick

__all__ = ["STALL_S", "Stall"]

STALL_S = 3.0
"""How long nothing may be handled while something waits."""

_SAME_HEAD = 0.9
"""Part of an interval the head must have waited. Timers are not exact."""


@attrs.define
class Stall:
    """Say when nothing was handled for `STALL_S` seconds while the same snapshot waited.

    Burrow's rule for a stalled consumer: a backlog, and its place does not move. Give every tick;
    one thread at a time.
    """

    _stalled_s: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether nothing was handled in the last tick while something waited."""
        return self._stalled_s > 0

    def update(self, tick: QueueTick) -> bool:
        """Return whether the mailbox is stalled at the end of this tick."""
        if tick.handled or tick.failed or not self._waits(tick):
            self._stalled_s = 0.0
            return False
        self._stalled_s += tick.interval_s
        return self._stalled_s + min(tick.interval_s, 1.0) / 2 >= STALL_S

    def _waits(self, tick: QueueTick) -> bool:
        return tick.depth_max > 0 and tick.oldest_age_ms >= _SAME_HEAD * 1e3 * tick.interval_s
