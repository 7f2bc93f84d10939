"""The lags of one mailbox, cut into intervals for who watches it."""

from __future__ import annotations

from .histogram import LagHistogram

__all__ = ["LagRecord"]


class LagRecord:
    """Count lags as they come, and give out those of each interval by themselves.

    One thread records, and nobody stops it: it may still be counting into the interval that was cut
    just now, which is why that one joins the sum at the next cut only. `cut` and `copy` must take
    turns with each other. A cut costs what was counted in the interval, not all there ever was.
    """

    __slots__ = ("_before", "_ended", "now")

    def __init__(self) -> None:
        self.now = LagHistogram()
        """Where to record; asked for anew each time."""
        self._ended: LagHistogram | None = None
        self._before: LagHistogram | None = None

    def cut(self) -> LagHistogram:
        """Begin a new interval; return what was counted in the one that ends."""
        if self._ended is not None:
            if self._before is None:
                self._before = self._ended
            else:
                self._before.add(self._ended)
            self._ended = None
        if not self.now.counts:
            return LagHistogram()
        ended = self._ended = self.now
        self.now = LagHistogram()
        return ended.copy()

    def copy(self) -> LagHistogram:
        """Return all that was counted so far."""
        total = LagHistogram() if self._before is None else self._before.copy()
        if self._ended is not None:
            total.add(self._ended)
        total.add(self.now)
        return total
