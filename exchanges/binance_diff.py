"""Binance spot: whole books kept from the differences of `<symbol>@depth@100ms`.

Source: developers.binance.com, "WebSocket Streams", "How to manage a local order book correctly",
as corrected on 2025-11-12.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from ..messages import BadFrame
from .binance import BinanceProtocol, Framed
from .book_sync import Base, BookSync, Diff
from .protocol import BookRequest, Brought
from .reading import read

__all__ = ["STREAMS", "BinanceDiffProtocol", "binance_protocol"]

_SUFFIXES = {"depth": "depth@100ms"}

STREAMS = tuple(_SUFFIXES)
"""What a feed may ask for: the best 20 levels of a book that is kept whole, each 100 ms."""

# Not strict: prices and sizes are numbers written as strings.
_read_diff = msgspec.json.Decoder(Framed[Diff], strict=False).decode
_read_base = msgspec.json.Decoder(Base, strict=False).decode


class BinanceDiffProtocol(BinanceProtocol):
    """Asks for differences in the address, and makes whole books of them: the best 20 levels."""

    suffixes: ClassVar[Mapping[str, str]] = _SUFFIXES
    path: ClassVar[str] = "/api/v3/depth?symbol={}&limit={}"
    limit: ClassVar[int] = 1000
    """Levels a side of a base: 5000 would weigh 250, and leave 19 books a minute."""
    weight: ClassVar[int] = 50
    """5 up to 100 levels, 25 up to 500, 50 up to 1000, 250 up to 5000."""

    def __init__(self, symbols: tuple[str, ...], stream: str = STREAMS[0]) -> None:
        super().__init__(symbols, stream)
        self._read, self._content = _read_diff, self._take
        self._books = {symbol: self._new_book(symbol) for symbol in symbols}

    def missing(self) -> Sequence[BookRequest]:
        """Return the requests for the bases that are needed and not on their way."""
        return [request for book in self._books.values() for request in book.missing()]

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the requests that end some streams and begin others.

        A symbol asked for anew keeps its book: if anything was missed meanwhile, that is a gap.
        """
        # Frames are read meanwhile: what is asked for has a book at any time.
        self._books = {symbol: self._new_book(symbol) for symbol in added} | self._books
        requests = super().change(added, removed)
        self._books = {symbol: self._books[symbol] for symbol in self._symbols}
        return requests

    def fetched(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Brought]:
        """Return what a base brought: a book, or the next request."""
        book = self._books.get(symbol)
        if book is None:
            return ()
        try:
            base = read(_read_base, body)
        except BadFrame as bad:
            return book.refuse(bad)
        return book.rebase(base, received_ns)

    def _spoilt(self, symbol: str, fault: BadFrame) -> Sequence[Brought]:
        book = self._books.get(symbol)
        return () if book is None else book.spoil(fault)

    def _take(self, symbol: str, diff: Diff, received_ns: int) -> Sequence[Brought]:
        book = self._books.get(symbol)
        if book is None:
            return ()
        if diff.symbol != symbol:
            return book.spoil(BadFrame("symbol", f"{diff.symbol!r} in the stream of {symbol!r}"))
        return book.take(diff, received_ns)

    def _granted(self, method: str, symbols: tuple[str, ...]) -> Sequence[Brought]:
        # What is acknowledged streams from now on, and its base will not be older.
        if method != "SUBSCRIBE":
            return ()
        books = [self._books.get(symbol) for symbol in symbols]
        return [request for book in books if book for request in book.missing()]

    def _new_book(self, symbol: str) -> BookSync:
        request = BookRequest(symbol, self.path.format(symbol, self.limit), self.weight)
        return BookSync(self.exchange, request, limit=self.limit)


def binance_protocol(symbols: tuple[str, ...], stream: str) -> BinanceProtocol:
    """Return the spot market's protocol for whole books or for differences."""
    kind = BinanceDiffProtocol if stream in STREAMS else BinanceProtocol
    return kind(symbols, stream)
