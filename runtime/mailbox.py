"""A symbol's bounded mailbox, and what there is to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis import AdaptiveCapacity, LagHistogram
from .handling import Handling

if TYPE_CHECKING:
    from .dispatcher import Dispatching

__all__ = ["Mailbox"]


class Mailbox(Handling):
    """A bounded queue of one symbol's snapshots, handled one at a time, and what became of them.

    `capacity`: most snapshots that may wait, at least 1. `overflow`: what gives way to a new one
    when so many wait: `drop_oldest`, `drop_newest`; `conflate` keeps only the newest at any time.
    `adaptive`: shed by controlled delay too, so that what is delivered in an overload is fresh.
    """

    __slots__ = ()

    def __init__(
        self,
        key: str,
        dispatcher: Dispatching,
        *,
        capacity: int = 1000,
        overflow: str = "drop_oldest",
        adaptive: bool = False,
    ) -> None:
        super().__init__(key, dispatcher, capacity=capacity, overflow=overflow, adaptive=adaptive)

    @property
    def handled_ns(self) -> int | None:
        """When the last one was handled, or about then where many were in one run."""
        at_once = self.accepted_ns or 0
        return (
            self._ended_ns if self._data or self.started_ns else max(self._ended_ns, at_once)
        ) or None

    @property
    def lost(self) -> int:
        """Dropped, conflated and expired: all that was shed but what was rejected."""
        return self._refused + self._displaced + self.expired

    @property
    def lags(self) -> LagHistogram:
        """All lags so far, from any thread."""
        with self._turn:
            lags = self._lags.copy()
            if self.at_once:
                lags.counts[0] += self.at_once
            return lags

    def cut(self) -> tuple[int, LagHistogram]:
        """Return the greatest depth, and the lags of what waited, since this was last asked."""
        with self._turn:
            peak, lags = self._cut_peak(), self._lags.cut()
            self._counts = self._lags.now.counts
        return peak, lags

    def shed(self) -> bool:
        """Shed by controlled delay from now on (`adaptive`); whether that is new. Any thread."""
        if self._adaptive is not None:
            return False
        self._adaptive = AdaptiveCapacity(self._bound)
        return True
