"""Binance's side: streams in the address and by request, and how it writes books."""

from typing import Any

import msgspec
import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.binance_venue import BinanceForm, BinanceSession

DEPTH = "btcusdt@depth20@100ms"
BEST = "ethusdt@bookTicker"
BOOK = Snapshot("binance", "BTCUSDT", ((9.0, 1.0), (8.0, 2.0)), ((10.0, 1e-5),), None, 77)


def asked(session: BinanceSession, method: str, params: object = None) -> Any:
    request = {"method": method, "params": params, "id": 3}
    (reply,) = session.receive(msgspec.json.encode(request).decode())
    return msgspec.json.decode(reply)


def test_the_address_subscribes_to_combined_streams() -> None:
    session = BinanceSession(f"/stream?streams={DEPTH}/{BEST}")

    assert list(session.subscriptions()) == [
        ("BTCUSDT", BinanceForm("depth20@100ms", 20)),
        ("ETHUSDT", BinanceForm("bookTicker", None)),
    ]


def test_a_raw_address_subscribes_to_frames_that_are_not_wrapped() -> None:
    session = BinanceSession(f"/ws/{BEST}")

    assert list(session.subscriptions()) == [
        ("ETHUSDT", BinanceForm("bookTicker", None, wrapped=False))
    ]


@pytest.mark.parametrize("path", ["/stream", "/ws", "/ws/", "/stream?streams="])
def test_an_address_without_streams_subscribes_to_none(path: str) -> None:
    assert not BinanceSession(path).is_subscribed


@pytest.mark.parametrize("stream", ["btcusdt@trade", "BTCUSDT@bookTicker", "btcusdt@depth7"])
def test_streams_without_books_are_taken_and_bring_nothing(stream: str) -> None:
    session = BinanceSession(f"/stream?streams={stream}")

    assert session.is_subscribed
    assert not list(session.subscriptions())


def test_subscribe_adds_streams_and_is_acknowledged() -> None:
    session = BinanceSession(f"/stream?streams={DEPTH}")

    assert asked(session, "SUBSCRIBE", [BEST]) == {"result": None, "id": 3}
    assert [symbol for symbol, _ in session.subscriptions()] == ["BTCUSDT", "ETHUSDT"]


def test_unsubscribe_takes_streams_away_and_is_acknowledged() -> None:
    session = BinanceSession(f"/stream?streams={DEPTH}/{BEST}")

    assert asked(session, "UNSUBSCRIBE", [DEPTH]) == {"result": None, "id": 3}
    assert [symbol for symbol, _ in session.subscriptions()] == ["ETHUSDT"]


def test_list_subscriptions_names_the_streams() -> None:
    session = BinanceSession(f"/stream?streams={DEPTH}/{BEST}")

    assert asked(session, "LIST_SUBSCRIPTIONS") == {"result": [DEPTH, BEST], "id": 3}


@pytest.mark.parametrize("message", ["nonsense", b"\xff", "{"])
def test_what_is_no_json_is_answered_with_error_3(message: str | bytes) -> None:
    (reply,) = BinanceSession().receive(message)

    assert msgspec.json.decode(reply)["error"]["code"] == 3


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("[]", "missing field `method`"),
        ('{"id":1}', "missing field `method`"),
        ('{"method":"SHOUT"}', "unknown variant `SHOUT`"),
        ('{"method":["SUBSCRIBE"]}', "unknown variant"),
        ('{"method":"SUBSCRIBE"}', "missing field `params`"),
        ('{"method":"SUBSCRIBE","params":["no stream"]}', "invalid stream"),
        ('{"method":"SUBSCRIBE","params":[1]}', "invalid stream"),
    ],
)
def test_a_bad_request_is_answered_with_error_2(message: str, said: str) -> None:
    (reply,) = BinanceSession().receive(message)
    error = msgspec.json.decode(reply)["error"]

    assert error["code"] == 2
    assert said in error["msg"]


def test_an_error_carries_the_number_of_the_request() -> None:
    assert asked(BinanceSession(), "SHOUT")["id"] == 3


def test_a_depth_frame_has_so_many_levels_as_strings() -> None:
    frame = BinanceForm("depth5", 1).frame(BOOK)

    assert msgspec.json.decode(frame) == {
        "stream": "btcusdt@depth5",
        "data": {
            "lastUpdateId": 77,
            "bids": [["9.00000000", "1.00000000"]],
            "asks": [["10.00000000", "0.00001000"]],
        },
    }


def test_a_raw_best_price_frame_has_no_wrapping() -> None:
    frame = BinanceForm("bookTicker", None, wrapped=False).frame(BOOK)

    assert msgspec.json.decode(frame) == {
        "u": 77,
        "s": "BTCUSDT",
        "b": "9.00000000",
        "B": "1.00000000",
        "a": "10.00000000",
        "A": "0.00001000",
    }


def test_best_prices_of_an_empty_book_are_zeros() -> None:
    frame = BinanceForm("bookTicker", None, wrapped=False).frame(Snapshot("binance", "X", (), ()))

    assert msgspec.json.decode(frame)["b"] == "0.00000000"
