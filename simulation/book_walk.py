"""One symbol's books, each a move away from the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..exchanges import split_key
from ..messages import Level, Snapshot

__all__ = ["FAR_TICKS", "STAMPS", "TICKS", "BookMove", "first_book", "walk"]

STAMPS = ("time", "sequence", "both", "none")
"""What a book may say of when it was: Upbit's have a time, Binance's a number, Bybit's both."""

TICKS = 100
"""In 1.0. A quotient of whole numbers is written, and read back, as the same decimal."""
FAR_TICKS = 1_000_000
_FIRST_TIME_MS = 1_750_000_000_000


@attrs.frozen
class BookMove:
    """What becomes of a book: its best bid moves so many ticks, its levels have these sizes."""

    how: str
    """`newer`; `twin`, with the stamp of the one before; `copy` of it; `reset`, where its number
    begins again from below."""
    ticks: int
    spread: int
    bids: Sequence[float]
    asks: Sequence[float]
    step: int
    """By how much the stamps grow."""

    def after(self, before: Snapshot) -> Snapshot:
        """Return the book after `before`."""
        if self.how == "copy":
            return before
        bid = max(_tick(before) + self.ticks, len(self.bids), 1)
        ask = bid + self.spread
        bids = tuple(_level(bid - at, size) for at, size in enumerate(self.bids))
        asks = tuple(_level(ask + at, size) for at, size in enumerate(self.asks))
        moved = attrs.evolve(before, bids=bids, asks=asks)
        return moved if self.how == "twin" else self._stamped(moved)

    def _stamped(self, book: Snapshot) -> Snapshot:
        time_ms, number = book.exchange_time_ms, book.sequence
        if number is not None:
            number = self.step if self.how == "reset" else number + self.step
        if time_ms is not None:
            time_ms += self.step
        return attrs.evolve(book, exchange_time_ms=time_ms, sequence=number)


def first_book(key: str, tick: int, stamp: str) -> Snapshot:
    """Return the book that a walk starts from."""
    time_ms = _FIRST_TIME_MS if stamp in {"time", "both"} else None
    number = FAR_TICKS if stamp in {"sequence", "both"} else None
    return Snapshot(*split_key(key), (_level(tick, 1.0),), (), time_ms, number)


def walk(start: Snapshot, moves: Iterable[BookMove]) -> list[Snapshot]:
    """Return the books after `start`, one for each move."""
    books = [start]
    for move in moves:
        books.append(move.after(books[-1]))
    return books[1:]


def _level(tick: int, size: float) -> Level:
    return tick / TICKS, size


def _tick(book: Snapshot) -> int:
    """Return where a book is: its best bid, or what there is."""
    price = book.best_bid if book.best_bid is not None else book.best_ask
    return TICKS if price is None else round(price * TICKS)
