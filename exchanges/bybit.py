"""Bybit: order books of the public WebSocket, version 5, spot and linear contracts.

Source: bybit-exchange.github.io/docs/v5, "Connect" and "Orderbook". A topic begins with a whole
book (`snapshot`), and differences (`delta`) follow, whose `u` counts one by one. Where one is
missing, that topic alone is asked for anew. `seq` is the matching engine's number, which goes on
where `u` begins again: it is what snapshots are numbered by.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..messages import (
    BadFrame,
    BookResynced,
    ExchangeReplied,
    GapDetected,
    Level,
    SequenceReset,
    Snapshot,
)
from .diff_book import DiffBook
from .protocol import Brought, Send
from .reading import read

__all__ = ["PING", "STREAMS", "BybitLinearProtocol", "BybitProtocol"]

STREAMS = ("orderbook.50", "orderbook.200", "orderbook.1")
"""What a feed may ask for: the best 50 levels each 20 ms, 200 each 100 to 200 ms, 1 each 10 ms."""

PING = '{"op":"ping"}'

RESTARTED = 1
"""`u` of the whole book that is sent after the service was restarted."""
COPY = -1
"""How many are missing before one that came already."""
PATIENCE_NS = 5_000_000_000
"""A topic is asked for anew once in this time at most: what is answered may be no better."""


class _Frame(msgspec.Struct, gc=False):
    # The content is parsed only where its topic is ours. A reply is an object without a topic.
    topic: str = ""
    type: str = ""
    ts: int | None = None
    cts: int | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Data(msgspec.Struct, gc=False):
    symbol: str = msgspec.field(name="s")
    bids: tuple[Level, ...] = msgspec.field(name="b")
    asks: tuple[Level, ...] = msgspec.field(name="a")
    update: int = msgspec.field(name="u")
    sequence: int | None = msgspec.field(name="seq", default=None)


class _Reply(msgspec.Struct):
    op: str | None = None
    success: bool = True
    ret_msg: str = ""
    req_id: str | None = None


_read_frame = msgspec.json.Decoder(_Frame).decode
_read_reply = msgspec.json.Decoder(_Reply).decode
# Not strict: prices and sizes are numbers written as strings.
_read_data = msgspec.json.Decoder(_Data, strict=False).decode


class BybitProtocol:
    """Asks for order books of the spot market, and keeps them up to date.

    Every symbol is asked for by a request of its own that carries its name: one unknown symbol
    would void a request for several, and only ten may stand in one.
    """

    exchange = "bybit"
    category = "spot"

    def __init__(self, symbols: tuple[str, ...], stream: str = STREAMS[0]) -> None:
        self._stream = stream
        self._books = self._new_books(symbols)
        self._gone: frozenset[str] = frozenset()

    def url(self, base: str) -> str:
        """Return the address of the category's public streams."""
        return f"{base}/v5/public/{self.category}"

    def greeting(self) -> tuple[str, ...]:
        """Return the requests, one for each symbol."""
        return tuple(book.request("subscribe") for book in self._books.values())

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        """Take on and leave off symbols; return the requests."""
        left, taken = self._new_books(removed), self._new_books(added)
        for topic in left.keys() & taken & self._books.keys():
            taken[topic].gapped = self._books[topic].gapped
        kept = {topic: book for topic, book in self._books.items() if topic not in left}
        books = kept | taken
        self._gone = self._gone.union(self._books).difference(books)
        self._books = books
        return (
            *(book.request("unsubscribe") for book in left.values()),
            *(book.request("subscribe") for book in taken.values()),
        )

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Brought]:
        """Return the whole book that a frame leads to, and what happened to it before."""
        frame = read(_read_frame, payload)
        book = self._books.get(frame.topic)
        if book is not None:
            return book.follow(frame, received_ns)
        if not frame.topic:
            self._check_reply(payload)
        elif frame.topic.startswith(f"{self._stream}.") and frame.topic not in self._gone:
            raise BadFrame("symbol", f"{frame.topic!r} was not asked for")
        return ()

    def _new_books(self, symbols: tuple[str, ...]) -> dict[str, _TopicBook]:
        books = [_TopicBook(self.exchange, symbol, self._stream) for symbol in symbols]
        return {book.topic: book for book in books}

    def _check_reply(self, payload: bytes) -> None:
        reply = read(_read_reply, payload)
        if not reply.success:
            symbols = [book.symbol for book in self._books.values()]
            named = [symbol for symbol in symbols if symbol == reply.req_id]
            raise ExchangeReplied(self.exchange, reply.op or "?", reply.ret_msg, named or symbols)
        if reply.op is None:
            raise BadFrame("type", "an object without a topic")


class BybitLinearProtocol(BybitProtocol):
    """Asks for order books of the USDT and USDC contracts, and keeps them up to date."""

    exchange = "bybit-linear"
    category = "linear"


class _TopicBook:
    """One symbol's book, as the frames of its topic make it."""

    def __init__(self, exchange: str, symbol: str, stream: str) -> None:
        self.symbol = symbol
        self.topic = f"{stream}.{symbol}"
        self._exchange = exchange
        self._depth = int(stream.partition(".")[2])
        self._book: DiffBook | None = None
        """None while there is none that is right."""
        self._update = 0
        """`u` of the book."""
        self.gapped = False
        """Whether a gap was told, and its end was not."""
        self._asked_ns: int | None = None

    def request(self, op: str) -> str:
        """Return a request concerning this topic; the answer to it carries the symbol."""
        request = {"op": op, "args": [self.topic], "req_id": self.symbol}
        return msgspec.json.encode(request).decode()

    def follow(self, frame: _Frame, received_ns: int) -> Sequence[Brought]:
        """Return what a frame of this topic leads to; one that cannot be used loses the book."""
        try:
            return self._followed(frame, received_ns)
        except BadFrame as bad:
            return (bad, *self._lose(1, received_ns))

    def _followed(self, frame: _Frame, received_ns: int) -> Sequence[Brought]:
        data = read(_read_data, frame.data)
        if data.symbol != self.symbol:
            raise BadFrame("symbol", f"{data.symbol!r} in {self.topic!r}")
        if frame.type == "snapshot" or data.update == RESTARTED:
            return self._begin(frame, data, received_ns)
        if frame.type != "delta":
            raise BadFrame("type", f"{frame.type!r} in {self.topic!r}")
        missed = data.update - self._update - 1
        if self._book is None or missed:
            return () if missed == COPY else self._lose(max(missed, 1), received_ns)
        self._book.apply(data.bids, data.asks)
        self._update = data.update
        return self._snapshot(self._book, frame, data, received_ns)

    def _begin(self, frame: _Frame, data: _Data, received_ns: int) -> Sequence[Brought]:
        book = DiffBook(data.bids, data.asks, depth=self._depth)
        events: list[Brought] = []
        if self.gapped:
            events.append(BookResynced(key=self._key))
        elif self._book is not None and data.update == RESTARTED:
            events.append(SequenceReset(key=self._key))
        self._book, self._update, self.gapped = book, data.update, False
        return (*events, *self._snapshot(book, frame, data, received_ns))

    def _lose(self, missed: int, received_ns: int) -> Sequence[Brought]:
        asked = self._ask(received_ns)
        if self._book is None:
            return asked
        self._book = None
        self.gapped = True
        return (GapDetected(key=self._key, missed=missed), *asked)

    def _ask(self, received_ns: int) -> tuple[Send, ...]:
        if self._asked_ns is None and self._book is None:
            # The subscription has asked a moment ago.
            self._asked_ns = received_ns
        if self._asked_ns is not None and received_ns - self._asked_ns < PATIENCE_NS:
            return ()
        self._asked_ns = received_ns
        return Send(self.request("unsubscribe")), Send(self.request("subscribe"))

    def _snapshot(
        self, book: DiffBook, frame: _Frame, data: _Data, received_ns: int
    ) -> tuple[Snapshot, ...]:
        bids, asks = book.bids, book.asks
        # A market that is halted may have no level at all: that is no book.
        if not bids and not asks:
            return ()
        time_ms = frame.ts if frame.cts is None else frame.cts
        return (
            Snapshot(self._exchange, self.symbol, bids, asks, time_ms, data.sequence, received_ns),
        )

    @property
    def _key(self) -> str:
        return f"{self._exchange}:{self.symbol}"
