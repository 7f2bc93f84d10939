"""Upbit's frames, real ones and bad ones."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges import UpbitProtocol
from ticklane.exchanges.levels import checked_book
from ticklane.messages import BadFrame, ExchangeReplied, InvalidOption, Snapshot
from ticklane.simulation.capture import read_capture

BOOK = {
    "type": "orderbook",
    "code": "KRW-BTC",
    "timestamp": 1746601573804,
    "total_ask_size": 4.79,
    "total_bid_size": 2.65,
    "orderbook_units": [
        {"ask_price": 102.0, "bid_price": 101.0, "ask_size": 0.5, "bid_size": 1.5},
        {"ask_price": 103.0, "bid_price": 100.0, "ask_size": 0.25, "bid_size": 2},
    ],
    "stream_type": "SNAPSHOT",
    "level": 0,
}
SNAPSHOT = Snapshot(
    exchange="upbit",
    symbol="KRW-BTC",
    bids=((101.0, 1.5), (100.0, 2.0)),
    asks=((102.0, 0.5), (103.0, 0.25)),
    exchange_time_ms=1746601573804,
    received_ns=7,
)
SHORT = {
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
}


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {SHORT.get(name, name): _shortened(item) for name, item in value.items()}
    return [_shortened(item) for item in value] if isinstance(value, list) else value


def _book(*units: tuple[object, object, object, object], **changes: object) -> bytes:
    """Write a book; a unit is bid price and size, ask price and size."""
    names = ("bid_price", "bid_size", "ask_price", "ask_size")
    listed = [dict(zip(names, unit, strict=True)) for unit in units]
    return json.dumps(BOOK | ({"orderbook_units": listed} if units else {}) | changes).encode()


def _receive(payload: bytes, stream: str = "orderbook") -> Any:
    return UpbitProtocol(("KRW-BTC", "KRW-ETH"), stream).receive(payload, 7)


def _reason(payload: bytes) -> str:
    with pytest.raises(BadFrame) as caught:
        _receive(payload)
    return caught.value.reason


both_streams = pytest.mark.parametrize("stream", ["orderbook", "orderbook/simple"])


def _captured(captures: Path, kind: bytes) -> list[bytes]:
    frames = read_capture(captures / "upbit-2021-04-17.ws.txt")
    payloads = [frame.payload for frame in frames if isinstance(frame.payload, bytes)]
    return [payload for payload in payloads if b'"ty":"' + kind in payload]


CAPTURED_SYMBOLS = ("KRW-LAMB", "KRW-WAVES", "BTC-XTZ", "BTC-ITAM", "BTC-PAX")


@both_streams
def test_all_145_captured_books_are_read(captures: Path, stream: str) -> None:
    protocol = UpbitProtocol(CAPTURED_SYMBOLS, stream)

    books = [protocol.receive(payload, 0) for payload in _captured(captures, b"orderbook")]

    assert len(books) == 145
    assert all(len(book) == 1 for book in books)


def test_captured_books_say_what_a_plain_reading_says(captures: Path) -> None:
    protocol = UpbitProtocol(CAPTURED_SYMBOLS, "orderbook/simple")
    latest, plain = {}, {}
    for payload in _captured(captures, b"orderbook"):
        (snapshot,) = protocol.receive(payload, 0)
        assert isinstance(snapshot, Snapshot)
        latest[snapshot.symbol] = snapshot
        frame = json.loads(payload)
        plain[frame["cd"]] = frame

    assert set(latest) == set(plain) == set(CAPTURED_SYMBOLS)
    for symbol, frame in plain.items():
        assert latest[symbol].bids == tuple((unit["bp"], unit["bs"]) for unit in frame["obu"])
        assert latest[symbol].asks == tuple((unit["ap"], unit["as"]) for unit in frame["obu"])
        assert latest[symbol].exchange_time_ms == frame["tms"]


def test_captured_trades_bring_nothing(captures: Path) -> None:
    trades = _captured(captures, b"trade")

    assert len(trades) == 304
    assert all(_receive(payload, "orderbook/simple") == () for payload in trades)


@both_streams
def test_a_book_in_long_names_is_read_whichever_was_asked_for(stream: str) -> None:
    assert _receive(_book(), stream) == (SNAPSHOT,)


@both_streams
def test_a_book_in_short_names_is_read_whichever_was_asked_for(stream: str) -> None:
    assert _receive(json.dumps(_shortened(BOOK)).encode(), stream) == (SNAPSHOT,)


def test_sizes_and_prices_are_floats_even_where_written_as_integers() -> None:
    (snapshot,) = _receive(_book((100, 1, 101, 2)))

    assert all(type(number) is float for number in snapshot.bids[0] + snapshot.asks[0])


@both_streams
@pytest.mark.parametrize(
    "payload",
    [
        b'{"status":"UP"}',
        b'{"type":"trade","code":"KRW-BTC","timestamp":1,"trade_price":1.0}',
        b'{"ty":"ticker","cd":"KRW-XRP","tms":1}',
    ],
)
def test_what_is_no_book_brings_nothing(payload: bytes, stream: str) -> None:
    assert _receive(payload, stream) == ()


def test_the_subscription_is_one_array_with_ticket_type_and_format() -> None:
    (text,) = UpbitProtocol(("KRW-BTC", "KRW-ETH.5")).greeting()
    ticket, *rest = json.loads(text)

    assert str(uuid.UUID(ticket["ticket"])) == ticket["ticket"]
    assert rest == [
        {"type": "orderbook", "codes": ["KRW-BTC", "KRW-ETH.5"]},
        {"format": "DEFAULT"},
    ]


def test_the_simple_stream_asks_for_the_simple_format() -> None:
    (text,) = UpbitProtocol(("KRW-BTC",), "orderbook/simple").greeting()

    assert json.loads(text)[-1] == {"format": "SIMPLE"}


def test_the_same_subscription_is_the_same_bytes() -> None:
    assert UpbitProtocol(("KRW-BTC",)).greeting() == UpbitProtocol(("KRW-BTC",)).greeting()


def test_another_subscription_has_another_ticket() -> None:
    btc, eth = (
        json.loads(UpbitProtocol((symbol,)).greeting()[0])[0] for symbol in ("KRW-BTC", "KRW-ETH")
    )

    assert btc != eth


def test_the_address_is_that_of_the_public_streams() -> None:
    address = UpbitProtocol(("KRW-BTC",)).url("wss://api.upbit.com")

    assert address == "wss://api.upbit.com/websocket/v1"


def test_a_symbol_with_a_depth_keeps_that_name() -> None:
    (snapshot,) = UpbitProtocol(("KRW-BTC.5",)).receive(_book(), 7)

    assert isinstance(snapshot, Snapshot)
    assert snapshot.key == "upbit:KRW-BTC.5"


def test_one_market_at_two_depths_is_refused() -> None:
    with pytest.raises(InvalidOption, match="each market at one depth only"):
        UpbitProtocol(("KRW-BTC.5", "KRW-BTC.1"))


def test_bytes_that_are_no_json_are_told_as_json() -> None:
    assert _reason(b"\x00\x01PONG") == "json"


def test_a_bare_nan_is_no_json() -> None:
    assert _reason(_book((float("nan"), 1, 2, 1))) == "json"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'"UP"',
        b"{}",
        b'{"foo":1}',
        b'{"error":"NO_CODES"}',
        b'{"error":{"message":"no name"}}',
        _book(orderbook_units={}),
        _book(orderbook_units=[{"ask_price": 1.0}]),
        _book(timestamp="now"),
        _book(code=1),
        _book(("101", 1, 102, 1)),
    ],
)
def test_wrong_types_are_told_as_type(payload: bytes) -> None:
    assert _reason(payload) == "type"


def test_nan_as_text_is_told_as_type() -> None:
    assert _reason(_book(("NaN", 1, 102, 1))) == "type"


@pytest.mark.parametrize("unit", [(100, -1, 101, 1), (100, 1, 101, -1)])
def test_a_negative_size_is_told_as_size(unit: tuple[int, int, int, int]) -> None:
    assert _reason(_book(unit)) == "size"


@pytest.mark.parametrize("unit", [(-100, 1, 101, 1), (0, 1, 101, 1), (100, 1, -101, 1)])
def test_a_price_that_is_not_positive_is_told_as_number(unit: tuple[int, int, int, int]) -> None:
    assert _reason(_book(unit)) == "number"


@pytest.mark.parametrize("second", [(99, 1, 101, 1), (100, 1, 102, 1), (101, 1, 102, 1)])
def test_prices_out_of_order_are_told_as_number(second: tuple[int, int, int, int]) -> None:
    assert _reason(_book((100, 1, 101, 1), second)) == "number"


@pytest.mark.parametrize("bid", [102, 101])
def test_a_crossed_book_is_told_as_crossed(bid: int) -> None:
    assert _reason(_book((bid, 1, 101, 1))) == "crossed"


@pytest.mark.parametrize("payload", [_book(orderbook_units=[]), _book((0, 0, 0, 0))])
def test_an_empty_book_is_told_as_empty(payload: bytes) -> None:
    assert _reason(payload) == "empty"


def test_a_symbol_nobody_asked_for_is_told_as_symbol() -> None:
    assert _reason(_book(code="KRW-XRP")) == "symbol"


def test_the_padding_of_a_thin_side_is_cut_off() -> None:
    (snapshot,) = _receive(_book((100, 1, 101, 2), (99, 3, 0, 0), (98, 4, 0, 0)))

    assert snapshot.bids == ((100.0, 1.0), (99.0, 3.0), (98.0, 4.0))
    assert snapshot.asks == ((101.0, 2.0),)


def test_a_book_may_have_one_side_only() -> None:
    (snapshot,) = _receive(_book((100, 1, 0, 0)))

    assert snapshot.asks == ()


@both_streams
def test_an_error_reply_names_the_subscription(stream: str) -> None:
    with pytest.raises(ExchangeReplied) as caught:
        _receive(b'{"error":{"name":"NO_CODES","message":"codes are missing"}}', stream)

    assert str(caught.value) == (
        "upbit replied NO_CODES: codes are missing (subscription of KRW-BTC, KRW-ETH)"
    )


def test_the_protocol_goes_on_after_a_bad_frame() -> None:
    protocol = UpbitProtocol(("KRW-BTC",))
    with pytest.raises(BadFrame):
        protocol.receive(b"?", 7)

    assert protocol.receive(_book(), 7) == (SNAPSHOT,)


def _outcome(payload: bytes, stream: str = "orderbook") -> tuple[Any, ...]:
    try:
        return tuple(_receive(payload, stream))
    except (BadFrame, ExchangeReplied):
        return ()


@given(st.binary())
def test_any_bytes_at_all_are_a_bad_frame_or_nothing(payload: bytes) -> None:
    assert _outcome(payload) == ()


@given(st.data(), st.sampled_from([BOOK, _shortened(BOOK)]))
def test_a_frame_with_a_few_bytes_changed_is_read_or_told(
    data: st.DataObject, book: dict[str, object]
) -> None:
    payload = bytearray(json.dumps(book).encode())
    for place in data.draw(st.lists(st.integers(0, len(payload) - 1), max_size=3)):
        payload[place] = data.draw(st.integers(0, 255))

    assert all(isinstance(snapshot, Snapshot) for snapshot in _outcome(bytes(payload)))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(BOOK)), anything)
def test_a_frame_with_anything_in_a_field_is_read_or_told(field: str, value: object) -> None:
    payload = _book(**{field: value})

    assert all(isinstance(snapshot, Snapshot) for snapshot in _outcome(payload))


numbers = st.sampled_from([0, 1, 2, 3, 4]) | st.floats(allow_nan=False, allow_infinity=False)


def _judgement(receive: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    try:
        return receive()
    except BadFrame as fault:
        return "fault", fault.reason


def _received_sides(payload: bytes) -> tuple[Any, Any]:
    (snapshot,) = _receive(payload)
    return snapshot.bids, snapshot.asks


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=3))
def test_a_book_is_judged_as_every_exchanges_books_are(units: list[Any]) -> None:
    bids = tuple((float(price), float(size)) for price, size, _, _ in units)
    asks = tuple((float(price), float(size)) for _, _, price, size in units)

    expected = _judgement(lambda: checked_book(bids, asks))
    assert _judgement(lambda: _received_sides(_book(*units))) == expected
