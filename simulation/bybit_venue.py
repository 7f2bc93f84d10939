"""Bybit's side of its protocol: order books of the public WebSocket, version 5.

Source: bybit-exchange.github.io/docs/v5, "Connect" and "Orderbook"; the errors' wording as client
libraries quote it. Modelled are `orderbook.<depth>.<symbol>` and `ping`; a symbol that is not
traded brings nothing, where the exchange would refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from ..messages import Level, Snapshot
from .venue import BookForm, Payload

__all__ = ["BybitForm", "BybitSession"]

_TOPIC = re.compile(r"orderbook\.(?P<depth>1|50|200|1000)\.(?P<symbol>[A-Z0-9-]+)")
_MOST_ARGS = {"spot": 10}
"""How many topics one request may name, by category."""
_FIRST_UPDATE = 1000

_encode = msgspec.json.Encoder().encode

Sides = tuple[dict[str, str], dict[str, str]]


class BybitForm:
    """The frames of one topic for one subscriber: a whole book first, then differences.

    It remembers what it wrote last, so it serves one client and is equal to itself only.
    """

    def __init__(self, topic: str, depth: int) -> None:
        self._topic = topic
        self._depth = depth
        self._update = _FIRST_UPDATE
        self._last: Sides | None = None

    @property
    def stream(self) -> str:
        """What a feed that asks for this topic calls it: `orderbook.50`."""
        return f"orderbook.{self._depth}"

    def frame(self, book: Snapshot, _before: Snapshot | None = None, /) -> str:
        """Return the frame that brings a client from the book before to `book`."""
        bids, asks = now = _written(book.bids[: self._depth]), _written(book.asks[: self._depth])
        # Of one level there are whole books only.
        before, self._last = self._last, None if self._depth == 1 else now
        if before is not None:
            bids, asks = _changed(before[0], bids), _changed(before[1], asks)
        self._update += 1
        data = {
            "s": book.symbol,
            "b": list(bids.items()),
            "a": list(asks.items()),
            "u": self._update,
            "seq": book.sequence or 0,
        }
        time_ms = book.exchange_time_ms or 0
        kind = "snapshot" if before is None else "delta"
        return _text(
            {"topic": self._topic, "type": kind, "ts": time_ms, "data": data, "cts": time_ms}
        )


class BybitSession:
    """One connection's topics, subscribed to and left by requests."""

    def __init__(self, path: str = "/v5/public/spot") -> None:
        self._most_args = _MOST_ARGS.get(path.rpartition("/")[2])
        self._forms: dict[str, tuple[str, BookForm]] = {}

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the reply to it, an acknowledgement or an error."""
        request = _request(message)
        if request.get("op") == "ping":
            return (_reply(request, said="pong"),)
        try:
            self._obey(request)
        except _Refused as refused:
            return (_reply(request, str(refused)),)
        return (_reply(request),)

    def reject(self, message: Payload | None) -> Sequence[Payload]:
        """Answer a subscription with an error, other messages as ever."""
        if message is None:
            return ()
        request = _request(message)
        if request.get("op") != "subscribe":
            return self.receive(message)
        topics = ",".join(map(str, request.get("args") or ()))
        return (_reply(request, f"error:handler not found,topic:{topics}"),)

    def greet(self, form: BookForm, book: Snapshot) -> Sequence[Payload]:
        """Return the whole book, which differences will follow."""
        return (form.frame(book),)

    def farewell(self, now_ms: int) -> Sequence[Payload]:  # noqa: ARG002 - it gives no notice
        """Return nothing: this exchange closes without a word."""
        return ()

    @property
    def is_subscribed(self) -> bool:
        """Return whether the client is subscribed to any topic."""
        return bool(self._forms)

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now."""
        return self._forms.values()

    def _obey(self, request: Mapping[str, Any]) -> None:
        if (op := request.get("op")) not in ("subscribe", "unsubscribe"):
            raise _Refused(f"error:unknown op,op:{op}")
        forms = self._requested(request.get("args"))
        if op == "unsubscribe":
            self._forms = {name: form for name, form in self._forms.items() if name not in forms}
        elif again := self._forms.keys() & forms:
            raise _Refused(f"error:already subscribed,topic:{min(again)}")
        else:
            self._forms |= forms

    def _requested(self, args: object) -> dict[str, tuple[str, BookForm]]:
        if not isinstance(args, list) or not args:
            raise _Refused("error:args is empty")
        if self._most_args is not None and len(args) > self._most_args:
            raise _Refused(f"args size >{self._most_args}")
        return {topic: _form(topic) for topic in args}


class _Refused(Exception):
    pass


def _request(message: Payload) -> Mapping[str, Any]:
    """Return a request; one without anything in it for what is none."""
    try:
        return msgspec.json.decode(message, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _form(topic: object) -> tuple[str, BookForm]:
    match = _TOPIC.fullmatch(topic) if isinstance(topic, str) else None
    if match is None:
        raise _Refused(f"error:handler not found,topic:{topic}")
    return match["symbol"], BybitForm(match[0], int(match["depth"]))


def _written(levels: Sequence[Level]) -> dict[str, str]:
    return dict(map(_spelt, levels))


# Most levels of a book are those of the book before, as in upbit_venue.py.
@lru_cache(maxsize=2**16)
def _spelt(level: Level) -> tuple[str, str]:
    return f"{level[0]:.8f}", f"{level[1]:.8f}"


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    if before == now:
        return {}
    gone = {price: "0" for price in before if price not in now}
    return gone | {price: size for price, size in now.items() if before.get(price) != size}


def _reply(request: Mapping[str, Any], error: str = "", *, said: str = "") -> str:
    return _text(
        {
            "success": not error,
            "ret_msg": error or said,
            "conn_id": "simulated",
            "req_id": request.get("req_id", ""),
            "op": request.get("op", ""),
        }
    )


def _text(content: object) -> str:
    return _encode(content).decode()
