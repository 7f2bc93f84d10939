"""Upbit's side of its protocol: order books of the public WebSocket.

Source: docs.upbit.com "WebSocket guide", "orderbook" and "connection"; the errors and their causes
from global-docs.upbit.com "WebSocket error". Modelled are the formats DEFAULT and SIMPLE; requests
for other types than `orderbook` are accepted and bring nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import attrs
import msgspec

from ..messages import Level, Snapshot
from .venue import BookForm, Payload

__all__ = ["UpbitForm", "UpbitSession"]

_DEFAULT_LEVELS = 30
_LEVELS = frozenset({1, 5, 15, 30})
_TYPES = ("ticker", "trade", "orderbook")
_NOTHING: Level = (0.0, 0.0)

_SIMPLE = {
    "type": "ty",
    "code": "cd",
    "timestamp": "tms",
    "total_ask_size": "tas",
    "total_bid_size": "tbs",
    "orderbook_units": "obu",
    "ask_price": "ap",
    "bid_price": "bp",
    "ask_size": "as",
    "bid_size": "bs",
    "stream_type": "st",
    "level": "lv",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "DEFAULT": {name: name for name in _SIMPLE},
    "SIMPLE": _SIMPLE,
}
"""How each format calls the fields, by their long names."""

_LISTING = {"method": "LIST_SUBSCRIPTIONS"}
_LISTED = {
    "DEFAULT": {name: name for name in ("method", "result", "type", "codes", "level", "ticket")},
    "SIMPLE": {
        "method": "mthd",
        "result": "rslt",
        "type": "ty",
        "codes": "cds",
        "level": "lv",
        "ticket": "tckt",
    },
}

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class UpbitForm:
    """An `orderbook` frame: `DEFAULT` or `SIMPLE`, at most `levels` pairs; always binary."""

    format: str = "DEFAULT"
    levels: int = _DEFAULT_LEVELS
    level: int = 0
    """By how much prices are grouped, as the frame says it; the books are not grouped."""

    def frame(self, book: Snapshot, _before: Snapshot | None = None, /) -> bytes:
        """Return the frame that carries `book`; a thin side is padded with zeros."""
        return self.written(book, "REALTIME")

    def written(self, book: Snapshot, stream_type: str) -> bytes:
        """Return the frame of a book of one stream type, `SNAPSHOT` or `REALTIME`."""
        n, unit = _NAMES[self.format], _UNITS[self.format]
        bids, asks = book.bids[: self.levels], book.asks[: self.levels]
        if len(bids) == len(asks):
            units = ",".join(map(unit, asks, bids))
        else:
            pairs = zip_longest(asks, bids, fillvalue=_NOTHING)
            units = ",".join(unit(ask, bid) for ask, bid in pairs)
        return (
            f'{{"{n["type"]}":"orderbook","{n["code"]}":"{book.symbol}",'
            f'"{n["timestamp"]}":{book.exchange_time_ms or 0},'
            f'"{n["total_ask_size"]}":{sum([size for _, size in asks])},'
            f'"{n["total_bid_size"]}":{sum([size for _, size in bids])},'
            f'"{n["orderbook_units"]}":[{units}],'
            f'"{n["stream_type"]}":"{stream_type}","{n["level"]}":{self.level}}}'
        ).encode()


def _writer(names: Mapping[str, str]) -> Callable[[Level, Level], str]:
    ap, bp, as_, bs = (names[f"{each}_{of}"] for of in ("price", "size") for each in ("ask", "bid"))

    # Most levels of a book are those of the book before: looking them up is a third of writing.
    @lru_cache(maxsize=2**16)
    def unit(ask: Level, bid: Level) -> str:
        return _encode({ap: ask[0], bp: bid[0], as_: ask[1], bs: bid[1]}).decode()

    return unit


_UNITS = {format_: _writer(names) for format_, names in _NAMES.items()}
"""How each format writes one pair of levels."""


class UpbitSession:
    """One connection's subscription: a request takes the place of the one before it."""

    def __init__(self, path: str = "/websocket/v1") -> None:
        self.path = path
        self.is_subscribed = False
        self._forms: dict[str, UpbitForm] = {}
        self._only_realtime = False

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the replies to it: to `PING`, or to what is wrong."""
        if message in ("PING", b"PING"):
            return ('{"status":"UP"}',)
        try:
            if _LISTING in (parts := _parts(message)):
                return (self._listing(parts),)
            codes, format_, self._only_realtime = _requested(parts)
        except _Refused as refused:
            return (refused.reply(),)
        self._forms = dict(self.form(code, format_) for code in codes)
        self.is_subscribed = True
        return ()

    def _listing(self, parts: Sequence[Mapping[str, Any]]) -> Payload:
        """Return what it is subscribed to; what comes from now on is in the request's format."""
        ticket, format_ = _ticket_and_format(parts)
        self._forms = {
            symbol: attrs.evolve(form, format=format_) for symbol, form in self._forms.items()
        }
        n = _LISTED[format_]
        books = {n["type"]: "orderbook", n["codes"]: [*self._forms], n["level"]: 0}
        result = [books] if self._forms else []
        return _encode(
            {n["method"]: "LIST_SUBSCRIPTIONS", n["result"]: result, n["ticket"]: ticket}
        )

    def form(self, code: str, format_: str) -> tuple[str, UpbitForm]:
        """Return the symbol of a code like `KRW-BTC.5`, and how its books are written."""
        symbol, _, suffix = code.partition(".")
        levels = int(suffix) if suffix.isdecimal() else _DEFAULT_LEVELS
        return symbol, UpbitForm(format_, levels if levels in _LEVELS else _DEFAULT_LEVELS)

    def reject(self, message: Payload | None) -> Sequence[Payload]:
        """Answer a subscription with an error, other messages as ever."""
        if message is None:
            return ()
        if message in ("PING", b"PING"):
            return self.receive(message)
        return (_Refused("INVALID_PARAM", "codes are not supported.").reply(),)

    def greet(self, form: BookForm, book: Snapshot) -> Sequence[Payload]:
        """Return the book as a `SNAPSHOT`, unless the client wants none."""
        if self._only_realtime or not isinstance(form, UpbitForm):
            return ()
        return (form.written(book, "SNAPSHOT"),)

    def farewell(self, now_ms: int) -> Sequence[Payload]:  # noqa: ARG002 - it gives no notice
        """Return nothing: this exchange closes without a word."""
        return ()

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now."""
        return self._forms.items()


class _Refused(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self._error = {"name": name, "message": message}

    def reply(self) -> Payload:
        # Binary like every frame with content. [inferred: client libraries decode both alike]
        return _encode({"error": self._error})


def _ticket_and_format(parts: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    ticket = next((part["ticket"] for part in parts if part.get("ticket")), None)
    if ticket is None:
        raise _Refused("NO_TICKET", "Ticket field must be contained.")
    format_ = next((part["format"] for part in parts if "format" in part), "DEFAULT")
    if format_ not in tuple(_NAMES):
        raise _Refused("INVALID_PARAM", f"format {format_} is not supported.")
    return ticket, format_


def _requested(parts: Sequence[Mapping[str, Any]]) -> tuple[list[str], str, bool]:
    _, format_ = _ticket_and_format(parts)
    requests = [part for part in parts if not part.keys() & {"ticket", "format"}]
    if not requests:
        raise _Refused("NO_TYPE", "type field not exists.")
    for request in requests:
        _check(request)
    books = (request for request in requests if request["type"] == "orderbook")
    # Clients write it in the one way, the documentation in the other.
    only_realtime = any(
        request.get(name) is True
        for request in requests
        for name in ("is_only_realtime", "isOnlyRealtime")
    )
    return [code for request in books for code in request["codes"]], format_, only_realtime


def _parts(message: Payload) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(message, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Refused("WRONG_FORMAT", "Requested using wrong format") from None


def _check(request: Mapping[str, Any]) -> None:
    if "type" not in request:
        raise _Refused("NO_TYPE", "type field not exists.")
    if request["type"] not in _TYPES:
        raise _Refused("INVALID_PARAM", f"type {request['type']} is not supported.")
    if "codes" not in request:
        raise _Refused("NO_CODES", "codes field not exists.")
    codes = request["codes"]
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise _Refused("WRONG_FORMAT", "Requested using wrong format")
    if not codes:
        raise _Refused("INVALID_PARAM", "codes field is empty.")
