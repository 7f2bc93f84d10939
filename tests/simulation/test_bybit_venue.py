"""Bybit's side: which requests it takes, and how it writes books and differences."""

import json
from typing import Any

import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.bybit_venue import BybitForm, BybitSession

BOOK = Snapshot("bybit", "BTCUSDT", ((9.0, 1.0), (8.0, 2.0)), ((10.0, 3.0),), 1700, 5)
NEXT = Snapshot("bybit", "BTCUSDT", ((9.0, 4.0), (7.0, 1.0)), ((10.0, 3.0),), 1720, 8)
BTC, ETH = "orderbook.50.BTCUSDT", "orderbook.50.ETHUSDT"


def _said(session: BybitSession, op: str, *topics: object) -> Any:
    (reply,) = session.receive(json.dumps({"op": op, "args": topics, "req_id": "r"}))
    return json.loads(reply)


def _symbols(session: BybitSession) -> list[str]:
    return [symbol for symbol, _ in session.subscriptions()]


def test_a_subscription_is_acknowledged_under_its_own_id() -> None:
    session = BybitSession()

    assert _said(session, "subscribe", BTC, ETH) == {
        "success": True,
        "ret_msg": "",
        "conn_id": "simulated",
        "req_id": "r",
        "op": "subscribe",
    }
    assert _symbols(session) == ["BTCUSDT", "ETHUSDT"]
    assert session.is_subscribed


def test_topics_are_added_and_left() -> None:
    session = BybitSession()
    _said(session, "subscribe", BTC)
    _said(session, "subscribe", ETH)
    _said(session, "unsubscribe", BTC)

    assert _symbols(session) == ["ETHUSDT"]


def test_a_ping_is_answered_by_a_pong() -> None:
    (reply,) = BybitSession().receive('{"op":"ping"}')

    assert json.loads(reply)["ret_msg"] == "pong"


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        ([BTC, "tickers.BTCUSDT"], "error:handler not found,topic:tickers.BTCUSDT"),
        (["orderbook.7.BTCUSDT"], "error:handler not found,topic:orderbook.7.BTCUSDT"),
        ([7], "error:handler not found,topic:7"),
        ([], "error:args is empty"),
        ([f"orderbook.50.S{number}" for number in range(11)], "args size >10"),
    ],
)
def test_one_bad_topic_voids_the_whole_request(topics: list[object], said: str) -> None:
    session = BybitSession()
    reply = _said(session, "subscribe", *topics)

    assert (reply["success"], reply["ret_msg"]) == (False, said)
    assert not session.is_subscribed


def test_linear_contracts_may_be_named_in_any_number() -> None:
    session = BybitSession("/v5/public/linear")
    _said(session, "subscribe", *(f"orderbook.50.S{number}" for number in range(11)))

    assert len(_symbols(session)) == 11


def test_a_topic_subscribed_to_already_is_refused() -> None:
    session = BybitSession()
    _said(session, "subscribe", BTC)

    assert _said(session, "subscribe", BTC)["ret_msg"] == f"error:already subscribed,topic:{BTC}"


@pytest.mark.parametrize("message", ["PONG", b"\xff", "[]", '{"op":"dance"}', '{"args":[]}'])
def test_what_is_no_request_is_refused(message: str | bytes) -> None:
    (reply,) = BybitSession().receive(message)

    assert json.loads(reply)["success"] is False


def test_a_rejected_subscription_is_answered_with_an_error_and_the_rest_as_ever() -> None:
    session = BybitSession()
    request = json.dumps({"op": "subscribe", "args": [BTC], "req_id": "BTCUSDT"})
    (reply,) = session.reject(request)
    (pong,) = session.reject('{"op":"ping"}')

    assert json.loads(reply)["ret_msg"] == f"error:handler not found,topic:{BTC}"
    assert json.loads(pong)["success"] is True
    assert not session.is_subscribed


def test_it_closes_without_a_word() -> None:
    assert BybitSession().farewell(1) == ()


def test_the_first_frame_is_the_whole_book() -> None:
    frame = json.loads(BybitForm(BTC, 50).frame(BOOK))

    assert frame == {
        "topic": BTC,
        "type": "snapshot",
        "ts": 1700,
        "data": {
            "s": "BTCUSDT",
            "b": [["9.00000000", "1.00000000"], ["8.00000000", "2.00000000"]],
            "a": [["10.00000000", "3.00000000"]],
            "u": frame["data"]["u"],
            "seq": 5,
        },
        "cts": 1700,
    }


def test_the_next_is_what_changed_and_counts_one_on() -> None:
    form = BybitForm(BTC, 50)
    first, second = (json.loads(form.frame(book)) for book in (BOOK, NEXT))

    assert second["type"] == "delta"
    assert second["data"]["u"] == first["data"]["u"] + 1
    assert second["data"]["a"] == []
    assert dict(second["data"]["b"]) == {
        "8.00000000": "0",
        "9.00000000": "4.00000000",
        "7.00000000": "1.00000000",
    }


def test_of_one_level_there_are_whole_books_only() -> None:
    form = BybitForm("orderbook.1.BTCUSDT", 1)
    frames = [json.loads(form.frame(book)) for book in (BOOK, NEXT)]

    assert [(frame["type"], len(frame["data"]["b"])) for frame in frames] == [("snapshot", 1)] * 2


def test_who_subscribes_anew_begins_with_a_whole_book() -> None:
    session = BybitSession()
    _said(session, "subscribe", BTC)
    dict(session.subscriptions())["BTCUSDT"].frame(BOOK)
    _said(session, "unsubscribe", BTC)
    _said(session, "subscribe", BTC)

    frame = json.loads(dict(session.subscriptions())["BTCUSDT"].frame(NEXT))

    assert frame["type"] == "snapshot"
