"""Binance's frames, real ones and bad ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges import BinanceProtocol
from ticklane.messages import BadFrame, ExchangeReplied, Snapshot
from ticklane.simulation.capture import read_capture

DEPTH = {
    "lastUpdateId": 160,
    "bids": [["0.00240000", "10.00000000"], ["0.00230000", "5.5"]],
    "asks": [["0.00260000", "100.00000000"]],
}
TICKER = {"u": 400900217, "s": "BTCUSDT", "b": "25.35", "B": "31.21", "a": "25.36", "A": "40.66"}


def _depth(stream: str = "btcusdt@depth20@100ms", /, **changes: object) -> bytes:
    return json.dumps({"stream": stream, "data": DEPTH | changes}).encode()


def _ticker(stream: str = "btcusdt@bookTicker", /, **changes: object) -> bytes:
    return json.dumps({"stream": stream, "data": TICKER | changes}).encode()


def _receive(payload: bytes, stream: str = "depth20") -> Any:
    return BinanceProtocol(("BTCUSDT", "ETHUSDT"), stream).receive(payload, 7)


def _reason(payload: bytes, stream: str = "depth20") -> str:
    with pytest.raises(BadFrame) as caught:
        _receive(payload, stream)
    return caught.value.reason


both_streams = pytest.mark.parametrize("stream", ["depth20", "bookTicker"])

CAPTURED_SYMBOLS = ("NKNUSDT", "LRCBTC", "BLZETH", "RUNEEUR")


def _captured(captures: Path) -> list[bytes]:
    frames = read_capture(captures / "binance-2021-10-12.ws.txt")
    return [frame.payload.encode() for frame in frames if isinstance(frame.payload, str)]


def test_the_84_captured_book_tickers_are_read_and_the_rest_brings_nothing(captures: Path) -> None:
    protocol = BinanceProtocol(CAPTURED_SYMBOLS, "bookTicker")

    brought = [protocol.receive(payload, 0) for payload in _captured(captures)]

    assert len(brought) == 265
    assert sum(map(len, brought)) == 84


def test_captured_book_tickers_say_what_a_plain_reading_says(captures: Path) -> None:
    protocol = BinanceProtocol(CAPTURED_SYMBOLS, "bookTicker")
    latest, plain = {}, {}
    for payload in _captured(captures):
        for snapshot in protocol.receive(payload, 0):
            assert isinstance(snapshot, Snapshot)
            latest[snapshot.symbol] = snapshot
        frame = json.loads(payload)
        if frame["stream"].endswith("@bookTicker"):
            plain[frame["data"]["s"]] = frame["data"]

    assert set(latest) == set(plain) == {"NKNUSDT", "LRCBTC", "BLZETH"}
    for symbol, best in plain.items():
        assert latest[symbol].bids == ((float(best["b"]), float(best["B"])),)
        assert latest[symbol].asks == ((float(best["a"]), float(best["A"])),)
        assert latest[symbol].sequence == best["u"]


def test_captured_diffs_are_no_partial_depth(captures: Path) -> None:
    protocol = BinanceProtocol(CAPTURED_SYMBOLS, "depth20")

    assert not any(protocol.receive(payload, 0) for payload in _captured(captures))


@pytest.mark.parametrize("levels", [20, 10, 5])
def test_partial_depth_is_a_book_of_the_symbol_its_stream_names(levels: int) -> None:
    payload = _depth(f"ethusdt@depth{levels}@100ms")

    assert _receive(payload, f"depth{levels}") == (
        Snapshot(
            exchange="binance",
            symbol="ETHUSDT",
            bids=((0.0024, 10.0), (0.0023, 5.5)),
            asks=((0.0026, 100.0),),
            sequence=160,
            received_ns=7,
        ),
    )


def test_a_book_ticker_is_a_book_of_one_level() -> None:
    assert _receive(_ticker(), "bookTicker") == (
        Snapshot(
            exchange="binance",
            symbol="BTCUSDT",
            bids=((25.35, 31.21),),
            asks=((25.36, 40.66),),
            sequence=400900217,
            received_ns=7,
        ),
    )


@given(st.floats(0, exclude_min=True, allow_infinity=False))
def test_a_number_in_text_is_the_float_python_reads(price: float) -> None:
    (snapshot,) = _receive(_depth(bids=[], asks=[[repr(price), "1"]]))

    assert snapshot.asks[0][0] == price


def test_the_address_names_the_streams_in_lower_case() -> None:
    protocol = BinanceProtocol(("BTCUSDT", "ETHUSDT"))

    assert protocol.url("wss://stream.binance.com:9443") == (
        "wss://stream.binance.com:9443/stream?streams=btcusdt@depth20@100ms/ethusdt@depth20@100ms"
    )


def test_the_address_of_book_tickers_keeps_their_capital() -> None:
    address = BinanceProtocol(("BTCUSDT",), "bookTicker").url("wss://host")

    assert address == "wss://host/stream?streams=btcusdt@bookTicker"


def test_a_symbol_that_is_no_ascii_is_quoted_in_the_address() -> None:
    address = BinanceProtocol(("币USDT",), "depth5").url("wss://host")

    assert address == "wss://host/stream?streams=%E5%B8%81usdt@depth5@100ms"


def test_nothing_is_left_to_say_once_connected() -> None:
    assert BinanceProtocol(("BTCUSDT",)).greeting() == ()


@both_streams
@pytest.mark.parametrize(
    "payload",
    [
        b'{"result":null,"id":1}',
        b'{"result":["btcusdt@depth20@100ms"],"id":3}',
        b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT","a":1,"p":"1"}}',
        b'{"stream":"xrpusdt@depth@100ms","data":{"e":"depthUpdate","b":[],"a":[]}}',
    ],
)
def test_what_is_no_book_of_the_stream_brings_nothing(payload: bytes, stream: str) -> None:
    assert _receive(payload, stream) == ()


@pytest.mark.parametrize("payload", [b"\x00PONG", b'{"stream":"btcusdt@depth20@100ms","data":NaN}'])
def test_bytes_that_are_no_json_are_told_as_json(payload: bytes) -> None:
    assert _reason(payload) == "json"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{}",
        b'{"foo":1}',
        b'{"error":2}',
        b'{"stream":1}',
        json.dumps(DEPTH).encode(),
        _depth(lastUpdateId=None),
        _depth(bids=None),
        _depth(bids=["0.0024"]),
        _depth(bids=[["0.0024"]]),
        _depth(bids=[["0.0024", "1", "2"]]),
        _depth(asks=[["much", "1"]]),
        b'{"stream":"btcusdt@depth20@100ms","data":[]}',
    ],
)
def test_wrong_types_are_told_as_type(payload: bytes) -> None:
    assert _reason(payload) == "type"


def test_our_stream_without_content_is_told_as_type() -> None:
    assert _reason(b'{"stream":"btcusdt@depth20@100ms"}') == "type"


@pytest.mark.parametrize("number", ["NaN", "nan", "Infinity", "-Infinity"])
def test_numbers_in_text_that_are_not_finite_are_told_as_number(number: str) -> None:
    assert _reason(_depth(bids=[[number, "1"]])) == "number"
    assert _reason(_depth(asks=[["1", number]])) == "number"
    assert _reason(_ticker(a=number), "bookTicker") == "number"


def test_a_negative_size_is_told_as_size() -> None:
    assert _reason(_depth(bids=[["0.0024", "-1"]])) == "size"
    assert _reason(_ticker(B="-1"), "bookTicker") == "size"


def test_prices_out_of_order_are_told_as_number() -> None:
    assert _reason(_depth(bids=DEPTH["bids"][::-1])) == "number"  # type: ignore[index]


@pytest.mark.parametrize("best_bid", ["0.0027", "0.0026"])
def test_a_crossed_book_is_told_as_crossed(best_bid: str) -> None:
    assert _reason(_depth(bids=[[best_bid, "1"]])) == "crossed"
    assert _reason(_ticker(b="25.36"), "bookTicker") == "crossed"


def test_an_empty_book_is_told_as_empty() -> None:
    assert _reason(_depth(bids=[], asks=[])) == "empty"
    assert _reason(_ticker(b="0.0", B="0.0", a="0.0", A="0.0"), "bookTicker") == "empty"


def test_a_book_may_have_one_side_only() -> None:
    (depth,) = _receive(_depth(bids=[]))
    (ticker,) = _receive(_ticker(a="0.00000000", A="0.00000000"), "bookTicker")

    assert depth.bids == ()
    assert ticker.asks == ()


def test_a_symbol_nobody_asked_for_is_told_as_symbol() -> None:
    assert _reason(_depth("xrpusdt@depth20@100ms")) == "symbol"
    assert _reason(_ticker("xrpusdt@bookTicker"), "bookTicker") == "symbol"


def test_a_ticker_in_the_stream_of_another_symbol_is_told_as_symbol() -> None:
    assert _reason(_ticker(s="ETHUSDT"), "bookTicker") == "symbol"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        b'{"code":2,"msg":"Invalid request"}',
        b'{"code":2,"msg":"Invalid request","id":1}',
    ],
)
def test_an_error_reply_names_the_subscription(payload: bytes) -> None:
    with pytest.raises(ExchangeReplied) as caught:
        _receive(payload)

    assert str(caught.value) == (
        "binance replied 2: Invalid request (subscription of BTCUSDT, ETHUSDT)"
    )


def test_an_error_reply_names_what_its_request_was_for() -> None:
    protocol = BinanceProtocol(("BTCUSDT", "ETHUSDT"))
    (request,) = protocol.change(("XRPUSDT",), ())
    protocol.change(("LTCUSDT",), ())
    error = {"error": {"code": 2, "msg": ""}, "id": json.loads(request)["id"]}
    with pytest.raises(ExchangeReplied) as caught:
        protocol.receive(json.dumps(error).encode(), 0)

    assert caught.value.symbols == ("XRPUSDT",)


def test_of_a_request_long_ago_an_error_reply_names_all_there_is() -> None:
    protocol = BinanceProtocol(("BTCUSDT", "ETHUSDT"))
    for _ in range(60):
        protocol.change(("ETHUSDT",), ("ETHUSDT",))
    with pytest.raises(ExchangeReplied) as caught:
        protocol.receive(b'{"error":{"code":2,"msg":""},"id":1}', 0)

    assert caught.value.symbols == ("BTCUSDT", "ETHUSDT")


def _outcome(payload: bytes, stream: str) -> tuple[Any, ...]:
    try:
        return tuple(_receive(payload, stream))
    except (BadFrame, ExchangeReplied):
        return ()


@both_streams
@given(payload=st.binary())
def test_any_bytes_at_all_are_a_bad_frame_or_nothing(payload: bytes, stream: str) -> None:
    assert _outcome(payload, stream) == ()


@given(st.data(), st.sampled_from([(_depth(), "depth20"), (_ticker(), "bookTicker")]))
def test_a_frame_with_a_few_bytes_changed_is_read_or_told(
    data: st.DataObject, frame: tuple[bytes, str]
) -> None:
    payload = bytearray(frame[0])
    for place in data.draw(st.lists(st.integers(0, len(payload) - 1), max_size=3)):
        payload[place] = data.draw(st.integers(0, 255))

    outcome = _outcome(bytes(payload), frame[1])
    assert all(isinstance(snapshot, Snapshot) for snapshot in outcome)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.floats().map(str) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(DEPTH)), anything)
def test_a_depth_with_anything_in_a_field_is_read_or_told(field: str, value: object) -> None:
    outcome = _outcome(_depth(**{field: value}), "depth20")

    assert all(isinstance(snapshot, Snapshot) for snapshot in outcome)


@given(st.sampled_from(sorted(TICKER)), anything)
def test_a_ticker_with_anything_in_a_field_is_read_or_told(field: str, value: object) -> None:
    outcome = _outcome(_ticker(**{field: value}), "bookTicker")

    assert all(isinstance(snapshot, Snapshot) for snapshot in outcome)
