"""Upbit's side of its protocol: order books of the public WebSocket.

Source: docs.upbit.com "WebSocket guide", "orderbook" and "connection"; the errors and their causes
from global-docs.upbit.com "WebSocket error". Modelled are the formats DEFAULT and SIMPLE; requests
for other types than `orderbook` are accepted and bring nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
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

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class UpbitForm:
    """An `orderbook` frame: `DEFAULT` or `SIMPLE`, at most `levels` pairs; always binary."""

    format: str = "DEFAULT"
    levels: int = _DEFAULT_LEVELS

    def frame(self, book: Snapshot) -> bytes:
        """Return the frame that carries `book`; a thin side is padded with zeros."""
        n = _NAMES[self.format]
        bids, asks = book.bids[: self.levels], book.asks[: self.levels]
        ap, bp, as_, bs = n["ask_price"], n["bid_price"], n["ask_size"], n["bid_size"]
        content = {
            n["type"]: "orderbook",
            n["code"]: book.symbol,
            n["timestamp"]: book.exchange_time_ms or 0,
            n["total_ask_size"]: sum(size for _, size in asks),
            n["total_bid_size"]: sum(size for _, size in bids),
            n["orderbook_units"]: [
                {ap: ask[0], bp: bid[0], as_: ask[1], bs: bid[1]}
                for ask, bid in zip_longest(asks, bids, fillvalue=_NOTHING)
            ],
            n["stream_type"]: "REALTIME",
            n["level"]: 0,
        }
        return _encode(content)


class UpbitSession:
    """One connection's subscription: a request takes the place of the one before it."""

    def __init__(self, path: str = "/websocket/v1") -> None:
        self.path = path
        self.is_subscribed = False
        self._forms: dict[str, BookForm] = {}

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the replies to it: to `PING`, or to what is wrong."""
        if message in ("PING", b"PING"):
            return ('{"status":"UP"}',)
        try:
            self._forms = dict(_requested(message))
        except _Refused as refused:
            return (refused.reply(),)
        self.is_subscribed = True
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


def _requested(message: Payload) -> Iterable[tuple[str, BookForm]]:
    parts = _parts(message)
    if not any(part.get("ticket") for part in parts):
        raise _Refused("NO_TICKET", "Ticket field must be contained.")
    format_ = next((part["format"] for part in parts if "format" in part), "DEFAULT")
    if format_ not in tuple(_NAMES):
        raise _Refused("INVALID_PARAM", f"format {format_} is not supported.")
    requests = [part for part in parts if not part.keys() & {"ticket", "format"}]
    if not requests:
        raise _Refused("NO_TYPE", "type field not exists.")
    for request in requests:
        _check(request)
    books = (request for request in requests if request["type"] == "orderbook")
    return [_form(code, format_) for request in books for code in request["codes"]]


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


def _form(code: str, format_: str) -> tuple[str, BookForm]:
    symbol, _, suffix = code.partition(".")
    levels = int(suffix) if suffix.isdecimal() else _DEFAULT_LEVELS
    return symbol, UpbitForm(format_, levels if levels in _LEVELS else _DEFAULT_LEVELS)
