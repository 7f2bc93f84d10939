"""Binance's side: streams in the address and by request, and how it writes books."""

from typing import Any

import msgspec
import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.binance_venue import (
    BinanceDiffForm,
    BinanceForm,
    BinanceFuturesSession,
    BinanceSession,
)

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


BEFORE = Snapshot("binance", "BTCUSDT", ((9.0, 3.0), (7.0, 1.0)), ((10.0, 1e-5),), None, 70)


@pytest.mark.parametrize("kind", ["depth", "depth@100ms", "depth@1000ms"])
def test_differences_are_a_form_of_their_own(kind: str) -> None:
    session = BinanceSession(f"/stream?streams=btcusdt@{kind}")

    assert list(session.subscriptions()) == [("BTCUSDT", BinanceDiffForm(kind))]


def test_a_difference_tells_what_changed_since_the_book_before() -> None:
    content = msgspec.json.decode(BinanceDiffForm("depth@100ms").frame(BOOK, BEFORE))

    assert content["stream"] == "btcusdt@depth@100ms"
    assert (content["data"]["U"], content["data"]["u"]) == (71, 77)
    assert dict(content["data"]["b"]) == {
        "9.00000000": "1.00000000",
        "8.00000000": "2.00000000",
        "7.00000000": "0.00000000",
    }
    assert content["data"]["a"] == []


def test_the_first_difference_is_from_an_empty_book() -> None:
    data = msgspec.json.decode(BinanceDiffForm("depth@100ms", wrapped=False).frame(BOOK))

    assert (data["U"], data["u"], len(data["b"]), len(data["a"])) == (1, 77, 2, 1)


def test_differences_of_futures_name_the_number_before() -> None:
    session = BinanceFuturesSession("/public/stream?streams=btcusdt@depth@100ms")
    ((symbol, form),) = session.subscriptions()
    data = msgspec.json.decode(form.frame(BOOK, BEFORE))["data"]

    assert (symbol, data["pu"]) == ("BTCUSDT", 70)


def test_a_rejected_subscription_is_answered_with_an_error() -> None:
    session = BinanceSession(f"/stream?streams={DEPTH}")
    by_request = session.reject('{"method":"SUBSCRIBE","params":["a@b"],"id":3}')
    by_address = session.reject(None)

    assert msgspec.json.decode(by_request[0]) == {
        "error": {"code": 2, "msg": "Invalid request: invalid stream"},
        "id": 3,
    }
    assert msgspec.json.decode(by_address[0])["error"]["code"] == 2
    assert not session.is_subscribed


def test_what_subscribes_to_nothing_is_not_rejected() -> None:
    session = BinanceSession()
    (reply,) = session.reject('{"method":"LIST_SUBSCRIPTIONS","id":3}')
    (malformed,) = session.reject("nonsense")

    assert msgspec.json.decode(reply) == {"result": [], "id": 3}
    assert msgspec.json.decode(malformed)["error"]["code"] == 3


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/stream", {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 5}}),
        ("/ws", {"e": "serverShutdown", "E": 5}),
    ],
)
def test_it_says_good_bye_with_an_event(path: str, said: object) -> None:
    (event,) = BinanceSession(path).farewell(5)

    assert msgspec.json.decode(event) == said


def test_whether_frames_are_wrapped_can_be_asked_and_changed() -> None:
    session = BinanceSession(f"/ws/{BEST}")
    before = asked(session, "GET_PROPERTY", ["combined"])
    changed = asked(session, "SET_PROPERTY", ["combined", True])

    assert (before["result"], changed) == (False, {"result": None, "id": 3})
    assert list(session.subscriptions()) == [("ETHUSDT", BinanceForm("bookTicker", None))]


@pytest.mark.parametrize("method", ["GET_PROPERTY", "SET_PROPERTY"])
def test_a_property_there_is_not_is_answered_with_error_0(method: str) -> None:
    assert asked(BinanceSession(), method, ["colour"])["error"] == {
        "code": 0,
        "msg": "Unknown property",
    }
