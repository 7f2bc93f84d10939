"""Binance's side of its protocol: spot market streams.

Source: github.com/binance/binance-spot-api-docs, "web-socket-streams". Modelled are partial depth
(`<symbol>@depth5|10|20`, `@100ms` or not) and `<symbol>@bookTicker`; other streams are accepted and
bring nothing, as do symbols that are not traded.
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

__all__ = ["BinanceForm", "BinanceSession"]

_STREAM = re.compile(
    r"(?P<symbol>[^@A-Z]+)@(?P<kind>depth(?P<levels>5|10|20)(@1000?ms)?|bookTicker)"
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

    def frame(self, book: Snapshot) -> str:
        """Return the frame that carries `book`."""
        data = _top(book) if self.levels is None else _depth(book, self.levels)
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

    @property
    def is_subscribed(self) -> bool:
        """Return whether the client is subscribed to any stream, known to us or not."""
        return bool(self._streams)

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now."""
        return [form for stream in self._streams for form in self._form(stream)]

    def _form(self, stream: str) -> Iterable[tuple[str, BookForm]]:
        if match := _STREAM.fullmatch(stream):
            levels = int(match["levels"]) if match["levels"] else None
            yield match["symbol"].upper(), BinanceForm(match["kind"], levels, self._wrapped)

    def _obey(self, request: Mapping[str, Any]) -> list[str] | None:
        method = request["method"]
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._streams)
        streams = dict.fromkeys(_params(request))
        if method == "SUBSCRIBE":
            self._streams |= streams
        else:
            self._streams = {name: None for name in self._streams if name not in streams}
        return None


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


def _depth(book: Snapshot, levels: int) -> Mapping[str, object]:
    return {
        "lastUpdateId": book.sequence or 0,
        "bids": _written(book.bids[:levels]),
        "asks": _written(book.asks[:levels]),
    }


def _top(book: Snapshot) -> Mapping[str, object]:
    bid = book.bids[0] if book.bids else (0.0, 0.0)
    ask = book.asks[0] if book.asks else (0.0, 0.0)
    (b, bid_size), (a, ask_size) = _written((bid, ask))
    sequence = book.sequence or 0
    return {"u": sequence, "s": book.symbol, "b": b, "B": bid_size, "a": a, "A": ask_size}


def _written(levels: Sequence[Level]) -> list[tuple[str, str]]:
    return [(_decimal(price), _decimal(size)) for price, size in levels]


# Most levels of a book are those of the book before: looking them up is a quarter of writing them.
@lru_cache(maxsize=2**16)
def _decimal(number: float) -> str:
    return f"{number:.8f}"


def _text(content: object) -> str:
    return _encode(content).decode()
