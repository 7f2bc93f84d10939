"""What every book must satisfy, whichever exchange sent it."""

import math

from ..messages import BadFrame, Level

__all__ = ["Side", "checked_book"]

Side = tuple[Level, ...]
"""One side of a book, best first."""


def checked_book(bids: Side, asks: Side) -> tuple[Side, Side]:
    """Return the two sides of a book that a host can trust.

    Empty levels at a side's end are cut off: thin books are padded with them. One side may be empty
    altogether.

    Raises BadFrame: `size` for a negative size or an empty level between others; `number` for what
    is not finite, a price that is not positive, and prices out of order; `empty` where nothing is
    left; `crossed` where the best bid is not below the best ask.
    """
    if bids and not bids[-1][1]:
        bids = _without_padding(bids)
    if asks and not asks[-1][1]:
        asks = _without_padding(asks)
    _check_ascending(bids[::-1])
    _check_ascending(asks)
    if bids and asks:
        if bids[0][0] >= asks[0][0]:
            raise BadFrame("crossed", f"best bid {bids[0][0]!r}, best ask {asks[0][0]!r}")
    elif not bids and not asks:
        raise BadFrame("empty", "no level on either side")
    return bids, asks


def _without_padding(levels: Side) -> Side:
    end = len(levels)
    while end and not levels[end - 1][1]:
        end -= 1
    return levels[:end]


def _check_ascending(levels: Side, infinity: float = math.inf) -> None:
    # This runs for every book. Comparisons that NaN fails, and unchained: CPython 3.11 specialises
    # those, which takes a third off.
    below = 0.0
    for price, size in levels:
        if price > below and size > 0.0 and size < infinity:
            below = price
        else:
            raise _fault(price, size, below)
    if below == infinity:
        raise BadFrame("number", f"price {below!r}")


def _fault(price: float, size: float, below: float) -> BadFrame:
    if not (math.isfinite(price) and math.isfinite(size)):
        return BadFrame("number", f"level ({price!r}, {size!r})")
    if size <= 0.0:
        return BadFrame("size", f"size {size!r} at price {price!r}")
    return BadFrame("number", f"price {price!r} next to {below!r}, out of order")
