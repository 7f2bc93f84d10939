"""Binance's side of its protocol: spot market streams, and differences of futures.

Source: github.com/binance/binance-spot-api-docs, "web-socket-streams". Modelled are partial depth
(`<symbol>@depth5|10|20`, `@100ms` or not), differences (`<symbol>@depth`) and
`<symbol>@bookTicker`; other streams are accepted and bring nothing, as do symbols that are not
traded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import msgspec

from ..messages import Level, Snapshot
from .venue import BookForm, Payload

__all__ = ["BinanceDiffForm", "BinanceForm", "BinanceFuturesSession", "BinanceSession"]

_STREAM = re.compile(
    r"(?P<symbol>[^@A-Z]+)@(?P<kind>depth(?P<levels>5|10|20)?(@1000?ms)?|bookTicker)"
)
_SPELLING = re.compile(r"\w+@[\w@+:]+|!\w+(@\w+)*")

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class BinanceForm:
    """A text frame of one stream; `wrapped` in the stream's name on a combined connection."""

    kind: str
    """What stands behind the symbol in the stream's name: `depth20@100ms`, `bookTicker`."""
    levels: int | None
    """At most so many levels a side; None for `bookTicker`."""
    wrapped: bool = True

    def frame(self, book: Snapshot, _before: Snapshot | None = None, /) -> str:
        """Return the frame that carries `book`."""
        data = _top(book) if self.levels is None else _depth(book, self.levels)
        if not self.wrapped:
            return data
        return f'{{"stream":"{book.symbol.lower()}@{self.kind}","data":{data}}}'


@attrs.frozen
class BinanceDiffForm:
    """A text frame of differences, each from the book before; `futures` say what was before."""

    kind: str
    """What stands behind the symbol in the stream's name: `depth@100ms`."""
    wrapped: bool = True
    futures: bool = False

    def frame(self, book: Snapshot, before: Snapshot | None = None, /) -> str:
        """Return the frame that makes `book` of the book before, or of an empty one."""
        number = before.sequence or 0 if before else 0
        bids, asks = (before.bids, before.asks) if before else ((), ())
        data: dict[str, object] = {"e": "depthUpdate", "E": book.exchange_time_ms, "s": book.symbol}
        data |= {"U": number + 1, "u": book.sequence or 0}
        data |= {"pu": number} if self.futures else {}
        data |= {"b": _changed(bids, book.bids), "a": _changed(asks, book.asks)}
        if not self.wrapped:
            return _text(data)
        return _text({"stream": f"{book.symbol.lower()}@{self.kind}", "data": data})


class BinanceSession:
    """One connection's streams: those named in the path, changed by requests."""

    def __init__(self, path: str = "/stream") -> None:
        address = urlsplit(path)
        self._wrapped = address.path.rstrip("/") == "/stream"
        self._streams = dict.fromkeys(_streams_of(address.path, address.query))

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the reply to it, an acknowledgement or an error."""
        try:
            request = _request(message)
        except _Refused as refused:
            return (refused.reply(),)
        try:
            return (_text({"result": self._obey(request), "id": request.get("id")}),)
        except _Refused as refused:
            return (refused.reply(request.get("id")),)

    def reject(self, message: Payload | None) -> Sequence[Payload]:
        """Answer a subscription with an error, other messages as ever."""
        refused = _Refused(2, "Invalid request: invalid stream")
        if message is None:
            self._streams = {}
            return (refused.reply(),)
        try:
            request = _request(message)
        except _Refused as malformed:
            return (malformed.reply(),)
        if request["method"] == "SUBSCRIBE":
            return (refused.reply(request.get("id")),)
        return self.receive(message)

    def greet(self, form: BookForm, book: Snapshot) -> Sequence[Payload]:  # noqa: ARG002
        """Return nothing: the next update is the first."""
        return ()

    def farewell(self, now_ms: int) -> Sequence[Payload]:
        """Return the event that says that the connection will be closed."""
        event = {"e": "serverShutdown", "E": now_ms}
        return (_text({"stream": "!serverShutdown", "data": event} if self._wrapped else event),)

    @property
    def is_subscribed(self) -> bool:
        """Return whether the client is subscribed to any stream, known to us or not."""
        return bool(self._streams)

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now."""
        return [form for stream in self._streams for form in self._form(stream)]

    def _form(self, stream: str) -> Iterable[tuple[str, BookForm]]:
        if match := _STREAM.fullmatch(stream):
            yield match["symbol"].upper(), self._form_of(match["kind"], match["levels"])

    def _form_of(self, kind: str, levels: str | None) -> BookForm:
        if levels is None and kind.startswith("depth"):
            return BinanceDiffForm(kind, self._wrapped)
        return BinanceForm(kind, int(levels) if levels else None, self._wrapped)

    def _obey(self, request: Mapping[str, Any]) -> list[str] | bool | None:
        method = request["method"]
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._streams)
        if method == "GET_PROPERTY":
            _check_property(request, ["combined"])
            return self._wrapped
        if method == "SET_PROPERTY":
            self._wrapped = bool(_check_property(request, ["combined", True], ["combined", False]))
            return None
        streams = dict.fromkeys(_params(request))
        if method == "SUBSCRIBE":
            self._streams |= streams
        else:
            self._streams = {name: None for name in self._streams if name not in streams}
        return None


class BinanceFuturesSession(BinanceSession):
    """One connection's streams of order books of USD-M futures: differences only."""

    def __init__(self, path: str = "/public/stream") -> None:
        super().__init__(path.removeprefix("/public"))

    def _form_of(self, kind: str, _: str | None) -> BookForm:
        return BinanceDiffForm(kind, self._wrapped, futures=True)


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self._error = {"code": code, "msg": message}

    def reply(self, request_id: object = None) -> str:
        about = {} if request_id is None else {"id": request_id}
        return _text({"error": self._error, **about})


def _request(message: Payload) -> Mapping[str, Any]:
    try:
        request = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Refused(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(request, dict) or "method" not in request:
        raise _Refused(2, "Invalid request: missing field `method`")
    return request


def _check_property(request: Mapping[str, Any], *allowed: list[object]) -> object:
    """Return the last of a request's parameters, where they are some of those allowed."""
    params = request.get("params")
    if params not in allowed:
        raise _Refused(0, "Unknown property")
    return params[-1]


def _params(request: Mapping[str, Any]) -> list[str]:
    if request["method"] not in ("SUBSCRIBE", "UNSUBSCRIBE"):
        raise _Refused(2, f"Invalid request: unknown variant `{request['method']}`")
    params = request.get("params")
    if not isinstance(params, list):
        raise _Refused(2, "Invalid request: missing field `params`")
    # The exchange checks how a stream is spelt, not whether there is one.
    if not all(isinstance(name, str) and _SPELLING.fullmatch(name) for name in params):
        raise _Refused(2, "Invalid request: invalid stream")
    return params


def _streams_of(path: str, query: str) -> list[str]:
    raw = path.removeprefix("/ws").strip("/") if path.startswith("/ws") else ""
    listed = raw or parse_qs(query).get("streams", [""])[0]
    return [name for name in listed.split("/") if name]


def _depth(book: Snapshot, levels: int) -> str:
    bids, asks = _written(book.bids[:levels]), _written(book.asks[:levels])
    return f'{{"lastUpdateId":{book.sequence or 0},"bids":[{bids}],"asks":[{asks}]}}'


def _top(book: Snapshot) -> str:
    bid = book.bids[0] if book.bids else (0.0, 0.0)
    ask = book.asks[0] if book.asks else (0.0, 0.0)
    (b, bid_size), (a, ask_size) = map(_decimals, (bid, ask))
    sequence = book.sequence or 0
    return _text({"u": sequence, "s": book.symbol, "b": b, "B": bid_size, "a": a, "A": ask_size})


def _changed(before: Iterable[Level], now: Iterable[Level]) -> list[tuple[str, str]]:
    gone = {price: 0.0 for price, _ in before}
    levels = gone | dict(now)
    same = set(before).intersection(now)
    return [_decimals(level) for level in levels.items() if level not in same]


def _written(levels: Iterable[Level]) -> str:
    return ",".join(map(_level, levels))


# Most levels of a book are those of the book before: looking them up is a tenth of writing them.
@lru_cache(maxsize=2**16)
def _level(level: Level) -> str:
    price, size = _decimals(level)
    return f'["{price}","{size}"]'


def _decimals(level: Level) -> tuple[str, str]:
    return f"{level[0]:.8f}", f"{level[1]:.8f}"


def _text(content: object) -> str:
    return _encode(content).decode()
