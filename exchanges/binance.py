"""Binance spot: partial depth and best prices, as combined streams.

Source: developers.binance.com, "WebSocket Streams". Both kinds carry whole books, so there are no
differences to apply (those are in `binance_diff`). Partial depth names neither symbol nor time,
which is why its frames must come wrapped in their stream's name.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

import msgspec

from ..messages import BadFrame, ExchangeReplied, Level, Snapshot
from .levels import checked_book
from .protocol import Brought, ServerShutdown
from .reading import read
from .snapshots import snapshot_of

__all__ = ["STREAMS", "BinanceProtocol", "Framed"]

T = TypeVar("T")

_SUFFIXES = {
    "depth20": "depth20@100ms",
    "depth10": "depth10@100ms",
    "depth5": "depth5@100ms",
    "bookTicker": "bookTicker",
}

STREAMS = tuple(_SUFFIXES)
"""What a feed may ask for: the best 20, 10 or 5 levels each 100 ms, or the best at each change."""

MOST_REQUESTED = 100
"""So many of our latest requests are known when their replies come."""


class Framed(msgspec.Struct, Generic[T], gc=False):
    """A frame of a stream, read together with its content."""

    stream: str
    data: T


class _Frame(msgspec.Struct, gc=False):
    # Whatever else comes: a reply is an object without a stream.
    stream: str = ""


class _Depth(msgspec.Struct, gc=False):
    sequence: int = msgspec.field(name="lastUpdateId")
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class _BookTicker(msgspec.Struct, gc=False):
    sequence: int = msgspec.field(name="u")
    symbol: str = msgspec.field(name="s")
    bid_price: float = msgspec.field(name="b")
    bid_size: float = msgspec.field(name="B")
    ask_price: float = msgspec.field(name="a")
    ask_size: float = msgspec.field(name="A")


class _Error(msgspec.Struct):
    code: int
    msg: str = ""


class _Reply(msgspec.Struct):
    error: _Error | None = None
    code: int | None = None
    msg: str = ""
    id: int | str | None = None
    event: str | None = msgspec.field(name="e", default=None)


_read_frame = msgspec.json.Decoder(_Frame).decode
_read_reply = msgspec.json.Decoder(_Reply).decode
# Not strict: prices and sizes are numbers written as strings.
_read_depth = msgspec.json.Decoder(Framed[_Depth], strict=False).decode
_read_ticker = msgspec.json.Decoder(Framed[_BookTicker], strict=False).decode


class BinanceProtocol:
    """Asks for one kind of stream in the address, and reads it."""

    exchange: ClassVar[str] = "binance"
    suffixes: ClassVar[Mapping[str, str]] = _SUFFIXES
    """What stands behind the symbol in a stream's name."""

    def __init__(self, symbols: tuple[str, ...], stream: str = STREAMS[0]) -> None:
        self._symbols = symbols
        self._suffix = self.suffixes[stream]
        self._asked = {self._name(symbol): symbol for symbol in symbols}
        self._gone: frozenset[str] = frozenset()
        self._requests = 0
        self._requested: Mapping[int | str | None, tuple[str, tuple[str, ...]]] = {}
        """Method and symbols of the latest requests, by what their replies are known by."""
        is_ticker = stream == "bookTicker"
        self._read: Callable[[bytes], Framed[Any]] = _read_ticker if is_ticker else _read_depth
        self._content: Callable[[str, Any, int], Sequence[Brought]]
        self._content = _ticker if is_ticker else _depth

    def url(self, base: str) -> str:
        """Return the address of the combined streams, which subscribes to all of them."""
        return f"{base}/stream?streams={quote('/'.join(self._asked), safe='/@')}"

    def greeting(self) -> tuple[str, ...]:
        """Return nothing: the address has asked already, and messages are rationed."""
        return ()

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the requests that end some streams and begin others."""
        kept = (symbol for symbol in self._symbols if symbol not in removed)
        self._symbols = tuple(dict.fromkeys((*kept, *added)))
        asked = {self._name(symbol): symbol for symbol in self._symbols}
        self._gone = self._gone.union(self._asked).difference(asked)
        self._asked = asked
        requests = (("UNSUBSCRIBE", removed), ("SUBSCRIBE", added))
        return tuple(self._request(method, symbols) for method, symbols in requests if symbols)

    def _request(self, method: str, symbols: tuple[str, ...]) -> str:
        self._requests += 1
        latest = (*self._requested.items(), (self._requests, (method, symbols)))
        self._requested = dict(latest[-MOST_REQUESTED:])
        params = [self._name(symbol) for symbol in symbols]
        request = {"method": method, "params": params, "id": self._requests}
        return msgspec.json.encode(request).decode()

    def _name(self, symbol: str) -> str:
        return f"{symbol.lower()}@{self._suffix}"

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Brought]:
        """Return the book of a frame of the kind asked for; nothing for other streams."""
        try:
            frame = read(self._read, payload)
        except BadFrame as fault:
            return self._receive_other(payload, fault)
        symbol = self._asked.get(frame.stream)
        if symbol is None:
            return self._receive_other(payload)
        return self._content(symbol, frame.data, received_ns)

    def _receive_other(self, payload: bytes, fault: BadFrame | None = None) -> Sequence[Brought]:
        frame = read(_read_frame, payload)
        symbol = self._asked.get(frame.stream)
        if symbol is not None and fault is not None:
            return self._spoilt(symbol, fault)
        if frame.stream == "!serverShutdown":
            return (ServerShutdown(),)
        if not frame.stream:
            return self._check_reply(payload)
        if frame.stream.partition("@")[2] == self._suffix and frame.stream not in self._gone:
            raise BadFrame("symbol", f"{frame.stream!r} was not asked for")
        return ()

    def _spoilt(self, symbol: str, fault: BadFrame) -> Sequence[Brought]:  # noqa: ARG002
        """Return what comes of a frame of this symbol's that cannot be read."""
        raise fault

    def _check_reply(self, payload: bytes) -> Sequence[Brought]:
        reply = read(_read_reply, payload)
        if reply.error:
            raise self._replied(reply.error.code, reply.error.msg, reply.id)
        if reply.code is not None:
            raise self._replied(reply.code, reply.msg, reply.id)
        if reply.id is None and reply.event is None:
            raise BadFrame("type", "an object without a stream")
        if reply.event == "serverShutdown":
            return (ServerShutdown(),)
        return self._granted(*self._requested.get(reply.id, ("", ())))

    def _granted(self, method: str, symbols: tuple[str, ...]) -> Sequence[Brought]:  # noqa: ARG002
        """Return what comes of a request that was granted."""
        return ()

    def _replied(self, code: int, message: str, request: int | str | None) -> ExchangeReplied:
        _, symbols = self._requested.get(request, ("", self._symbols))
        return ExchangeReplied(self.exchange, str(code), message, symbols)


def _depth(symbol: str, book: _Depth, received_ns: int) -> tuple[Snapshot]:
    bids, asks = checked_book(book.bids, book.asks)
    return (snapshot_of("binance", symbol, bids, asks, None, book.sequence, received_ns),)


def _ticker(symbol: str, best: _BookTicker, received_ns: int) -> tuple[Snapshot]:
    if best.symbol != symbol:
        raise BadFrame("symbol", f"{best.symbol!r} in the stream of {symbol!r}")
    bids, asks = checked_book(
        ((best.bid_price, best.bid_size),), ((best.ask_price, best.ask_size),)
    )
    return (snapshot_of("binance", symbol, bids, asks, None, best.sequence, received_ns),)
