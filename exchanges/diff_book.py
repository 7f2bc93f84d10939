"""One symbol's book, kept by applying differences to a base."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable

from ..messages import BadFrame, Level
from .levels import Side, checked_book

__all__ = ["DiffBook"]


class DiffBook:
    """A whole book of which the best levels can be read after every difference.

    `bids`, `asks`: the base, best first. `depth` (20): how many levels a side are to be read.
    `limit`: how many levels a side the base was asked for. A side that came with so many goes on
    beyond its last one, where nothing is known: differences there are passed over, so that what
    is read is never a book with holes, and a book that stays for a month does not grow.

    One thread at a time. Raises BadFrame like `checked_book` for a base that is not sound; one
    without any level is.
    """

    __slots__ = ("_asks", "_bids", "thin")

    def __init__(self, bids: Side, asks: Side, *, depth: int = 20, limit: float = math.inf) -> None:
        if bids or asks:
            bids, asks = checked_book(bids, asks)
        below = _beyond(bids, limit, 0.0)
        above = _beyond(asks, limit, math.inf)
        self._bids = _Levels(bids, below, math.inf, slice(None, -depth - 1, -1), depth)
        self._asks = _Levels(asks, 0.0, above, slice(depth), depth)
        self.thin = False
        """Whether a side has so little left of what is known that it needs a new base."""

    @property
    def bids(self) -> Side:
        """The best bids, best first; the same object as before where no bid was changed."""
        return self._bids.top

    @property
    def asks(self) -> Side:
        """The best asks, as `bids`."""
        return self._asks.top

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set the sizes of levels, or take them out where the size is 0.

        Raises BadFrame: `number` and `size` for levels that cannot be, `crossed` for a book that
        cannot be. What was applied by then stays: the book is not to be used any more.
        """
        if bids:
            self._bids.apply(bids)
        if asks:
            self._asks.apply(asks)
        best_bids, best_asks = self._bids.top, self._asks.top
        if best_bids and best_asks and best_bids[0][0] >= best_asks[0][0]:
            raise BadFrame("crossed", f"best bid {best_bids[0]!r}, best ask {best_asks[0]!r}")
        self.thin = self._bids.thin or self._asks.thin


class _Levels:
    """One side. Its prices stand in a plain sorted list.

    Inserting there moves memory, 8 kB at a thousand levels, which takes a quarter of what a sorted
    container of Python objects needs; the best levels are a slice.
    """

    __slots__ = ("_above", "_below", "_best", "_enough", "_levels", "_prices", "thin", "top")

    def __init__(self, side: Side, below: float, above: float, best: slice, depth: int) -> None:
        self._below = below
        self._above = above
        self._best = best
        # Of a side that is known to its end, few levels are enough.
        self._enough = depth if below > 0.0 or above < math.inf else 0
        self._levels = {level[0]: level for level in side}
        self._prices = sorted(self._levels)
        self._read()

    def apply(self, changes: Iterable[Level], infinity: float = math.inf) -> None:
        levels, prices = self._levels, self._prices
        below, above = self._below, self._above
        for level in changes:
            price, size = level
            if size > 0.0 and size < infinity:
                if price not in levels:
                    if not (price > below and price < above):
                        _check_price(level)
                        continue
                    insort(prices, price)
                levels[price] = level
            elif size == 0.0:
                if levels.pop(price, None):
                    del prices[bisect_left(prices, price)]
                else:
                    _check_price(level)
            else:
                raise _fault(level)
        self._read()

    def _read(self) -> None:
        prices = self._prices
        self.top = tuple(map(self._levels.__getitem__, prices[self._best]))
        self.thin = len(prices) < self._enough


def _beyond(side: Side, limit: float, end: float) -> float:
    """Return the first price next to the last known one in the direction of `end`."""
    return end if len(side) < limit else math.nextafter(side[-1][0], end)


def _check_price(level: Level, infinity: float = math.inf) -> None:
    if not (level[0] > 0.0 and level[0] < infinity):
        raise _fault(level)


def _fault(level: Level) -> BadFrame:
    reason = "size" if -math.inf < level[1] < 0.0 else "number"
    return BadFrame(reason, f"level {level!r}")
