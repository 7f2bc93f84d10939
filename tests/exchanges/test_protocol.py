"""What every exchange's protocol does alike: changing the subscription of a connection."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.exchanges import EXCHANGES, BinanceProtocol, ServerShutdown, UpbitProtocol
from ticklane.messages import BadFrame
from ticklane.simulation.venue import VenueSession
from ticklane.simulation.venues import VENUES

SYMBOLS = tuple(f"SYM{number}" for number in range(6))
some_symbols = st.lists(st.sampled_from(SYMBOLS), unique=True, min_size=1).map(tuple)

every_stream = pytest.mark.parametrize(
    ("exchange", "stream"),
    [(name, stream) for name in VENUES for stream in EXCHANGES[name].streams],
)


def subscribed(session: VenueSession) -> set[str]:
    return {symbol for symbol, _ in session.subscriptions()}


@every_stream
@settings(max_examples=30)
@given(wanted=st.lists(some_symbols, min_size=2, max_size=6))
def test_an_exchange_is_asked_for_what_is_wanted_now(
    exchange: str, stream: str, wanted: list[tuple[str, ...]]
) -> None:
    symbols = wanted[0]
    protocol = EXCHANGES[exchange].protocol(symbols, stream)
    address = urlsplit(protocol.url("wss://host"))
    session = VENUES[exchange](f"{address.path}?{address.query}")
    for text in protocol.greeting():
        session.receive(text)
    expected = subscribed(session)
    assert len(expected) == len(symbols)

    for now in wanted[1:]:
        added = tuple(symbol for symbol in now if symbol not in symbols)
        removed = tuple(symbol for symbol in symbols if symbol not in now)
        if added or removed:
            for text in protocol.change(added, removed):
                session.receive(text)
        symbols = now
        assert len(subscribed(session)) == len(now)


@every_stream
def test_a_symbol_in_both_is_asked_for_anew_and_stays(exchange: str, stream: str) -> None:
    protocol = EXCHANGES[exchange].protocol(SYMBOLS[:2], stream)
    address = urlsplit(protocol.url("wss://host"))
    session = VENUES[exchange](f"{address.path}?{address.query}")
    for text in (*protocol.greeting(), *protocol.change(SYMBOLS[:1], SYMBOLS[:1])):
        session.receive(text)

    assert len(subscribed(session)) == 2


def upbit_book(symbol: str) -> bytes:
    unit = {"ask_price": 2.0, "bid_price": 1.0, "ask_size": 1.0, "bid_size": 1.0}
    return msgspec.json.encode({"type": "orderbook", "code": symbol, "orderbook_units": [unit]})


def binance_book(symbol: str) -> bytes:
    data = {"lastUpdateId": 1, "bids": [("1", "1")], "asks": [("2", "1")]}
    return msgspec.json.encode({"stream": f"{symbol.lower()}@depth20@100ms", "data": data})


both = pytest.mark.parametrize(
    ("protocol", "book"),
    [
        (UpbitProtocol(("A", "B")), upbit_book),
        (BinanceProtocol(("A", "B")), binance_book),
    ],
)


@both
def test_frames_of_a_removed_symbol_that_still_come_bring_nothing(protocol: Any, book: Any) -> None:
    protocol.change((), ("A",))

    assert protocol.receive(book("A"), 7) == ()
    assert [each.symbol for each in protocol.receive(book("B"), 7)] == ["B"]
    with pytest.raises(BadFrame, match="not asked for"):
        protocol.receive(book("C"), 7)


@both
def test_a_symbol_added_again_brings_books_again(protocol: Any, book: Any) -> None:
    protocol.change((), ("A",))
    protocol.change(("A", "C"), ())

    assert [protocol.receive(book(each), 7)[0].symbol for each in "AC"] == ["A", "C"]


def test_upbit_is_asked_for_all_of_them_in_one_request() -> None:
    (request,) = UpbitProtocol(("A", "B")).change(("C",), ("A",))

    assert msgspec.json.decode(request)[1] == {"type": "orderbook", "codes": ["B", "C"]}


def test_upbit_is_asked_nothing_when_nothing_is_left() -> None:
    assert UpbitProtocol(("A",)).change((), ("A",)) == ()


def test_binance_is_told_what_ends_and_then_what_begins() -> None:
    protocol = BinanceProtocol(("A", "B"))
    requests = [msgspec.json.decode(text) for text in protocol.change(("C",), ("A", "B"))]

    assert requests == [
        {"method": "UNSUBSCRIBE", "params": ["a@depth20@100ms", "b@depth20@100ms"], "id": 1},
        {"method": "SUBSCRIBE", "params": ["c@depth20@100ms"], "id": 2},
    ]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"e":"serverShutdown","E":1746601573804}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1746601573804}}',
    ],
)
def test_binance_says_that_it_will_hang_up(payload: bytes) -> None:
    assert BinanceProtocol(("A",)).receive(payload, 7) == (ServerShutdown(),)
