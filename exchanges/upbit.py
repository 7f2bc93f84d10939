"""Upbit: order books of the public WebSocket.

Source: docs.upbit.com, "WebSocket guide" and "orderbook". Every frame is a whole book, so there are
no differences to apply; there is no sequence number, only a time stamp in milliseconds.
"""

import math
import uuid
from collections.abc import Callable, Sequence

import msgspec

from ..messages import BadFrame, ExchangeReplied, FeedEvent, InvalidOption, Level, Snapshot
from .levels import Side, checked_book
from .reading import read
from .snapshots import snapshot_of

__all__ = ["STREAMS", "UpbitProtocol"]

_FORMATS = {"orderbook": "DEFAULT", "orderbook/simple": "SIMPLE"}

STREAMS = tuple(_FORMATS)
"""What a feed may ask for: the same books, in long or in short field names."""


class _Unit(msgspec.Struct, gc=False):
    ask_price: float
    bid_price: float
    ask_size: float
    bid_size: float


class _Frame(msgspec.Struct, gc=False):
    # Every field has a default, so that one parse reads frames of other types too. An own error is
    # an object without a type.
    type: str = ""
    code: str = ""
    timestamp: int | None = None
    orderbook_units: list[_Unit] = []


class _SimpleUnit(msgspec.Struct, gc=False):
    ask_price: float = msgspec.field(name="ap")
    bid_price: float = msgspec.field(name="bp")
    ask_size: float = msgspec.field(name="as")
    bid_size: float = msgspec.field(name="bs")


class _SimpleFrame(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="ty", default="")
    code: str = msgspec.field(name="cd", default="")
    timestamp: int | None = msgspec.field(name="tms", default=None)
    orderbook_units: list[_SimpleUnit] = msgspec.field(name="obu", default_factory=list)


class _Error(msgspec.Struct):
    name: str
    message: str = ""


class _Reply(msgspec.Struct):
    status: str | None = None
    error: _Error | None = None


_Reader = Callable[[bytes], _Frame | _SimpleFrame]

_read_default: _Reader = msgspec.json.Decoder(_Frame).decode
_read_simple: _Reader = msgspec.json.Decoder(_SimpleFrame).decode
_read_reply = msgspec.json.Decoder(_Reply).decode


def _code(symbol: str) -> str:
    """Return the market without the depth that `KRW-BTC.5` asks for; frames do not repeat it."""
    return symbol.partition(".")[0]


class UpbitProtocol:
    """Asks for order books and reads them.

    A symbol may carry the depth it asks for, `KRW-BTC.5`: `.1`, `.5`, `.15` or `.30`, the default.
    That spelling is then its name everywhere, so a market can be asked for at one depth only.
    """

    exchange = "upbit"

    def __init__(self, symbols: tuple[str, ...], stream: str = STREAMS[0]) -> None:
        self._symbols = symbols
        self._format = _FORMATS[stream]
        self._asked = {_code(symbol): symbol for symbol in symbols}
        self._gone: frozenset[str] = frozenset()
        readers = (_read_default, _read_simple)
        self._read, self._read_other = readers if stream == "orderbook" else readers[::-1]
        if len(self._asked) < len(symbols):
            raise InvalidOption("symbols", symbols, "each market at one depth only")

    def url(self, base: str) -> str:
        """Return the address of the public streams."""
        return f"{base}/websocket/v1"

    def greeting(self) -> tuple[str, ...]:
        """Return the subscription.

        The ticket only names the request, so it is made of what is asked for: the same subscription
        is the same bytes. `isOnlyRealtime` stays away: the first book comes at once.
        """
        asked = f"{self.exchange}:{self._format}:{','.join(self._symbols)}"
        ticket = uuid.uuid5(uuid.NAMESPACE_URL, asked)
        request = (
            {"ticket": str(ticket)},
            {"type": "orderbook", "codes": self._symbols},
            {"format": self._format},
        )
        return (msgspec.json.encode(request).decode(),)

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the whole new subscription, which takes the place of the one before."""
        kept = (symbol for symbol in self._symbols if symbol not in removed)
        self._symbols = tuple(dict.fromkeys((*kept, *added)))
        asked = {_code(symbol): symbol for symbol in self._symbols}
        self._gone = self._gone.union(self._asked).difference(asked)
        self._asked = asked
        return self.greeting() if asked else ()

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Snapshot | FeedEvent]:
        """Return the book of an `orderbook` frame, whichever format; nothing for other types."""
        frame = read(self._read, payload)
        if not frame.type:
            frame = read(self._read_other, payload)
        if frame.type == "orderbook":
            symbol = self._asked.get(frame.code)
            if symbol is not None:
                bids, asks = _sides(frame.orderbook_units)
                time_ms = frame.timestamp
                return (snapshot_of(self.exchange, symbol, bids, asks, time_ms, None, received_ns),)
            if frame.code not in self._gone:
                raise BadFrame("symbol", f"{frame.code!r} was not asked for")
        elif not frame.type:
            self._check_reply(payload)
        return ()

    def _check_reply(self, payload: bytes) -> None:
        reply = read(_read_reply, payload)
        if reply.error:
            error = reply.error
            raise ExchangeReplied(self.exchange, error.name, error.message, self._symbols)
        if reply.status is None:
            raise BadFrame("type", "an object without a type")


def _sides(units: Sequence[_Unit | _SimpleUnit]) -> tuple[Side, Side]:
    # One pass builds both sides and sees that they are sound, as nearly all books are: a seventh
    # off the whole of `receive`. Whatever is unusual is for `checked_book` to judge.
    bids: list[Level] = []
    asks: list[Level] = []
    lowest = math.inf
    highest = 0.0
    for unit in units:
        bid = unit.bid_price
        ask = unit.ask_price
        bid_size = unit.bid_size
        ask_size = unit.ask_size
        if bid < lowest and ask > highest and bid_size > 0.0 and ask_size > 0.0:
            bids.append((bid, bid_size))
            asks.append((ask, ask_size))
            lowest = bid
            highest = ask
        else:
            break
    else:
        if bids and lowest > 0.0 and bids[0][0] < asks[0][0]:
            return tuple(bids), tuple(asks)
    return checked_book(
        tuple((unit.bid_price, unit.bid_size) for unit in units),
        tuple((unit.ask_price, unit.ask_size) for unit in units),
    )
