"""Upbit's side: which requests it takes, and how it writes books."""

import msgspec
import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.upbit_venue import UpbitForm, UpbitSession

TICKET = '{"ticket":"t"}'
BOOKS = '{"type":"orderbook","codes":["KRW-BTC","KRW-ETH.5"]}'
BOOK = Snapshot("upbit", "KRW-BTC", ((9.0, 1.0), (8.0, 2.0)), ((10.0, 3.0),), 1700)


def test_a_request_subscribes_each_code_in_the_default_format() -> None:
    session = UpbitSession()

    assert session.receive(f"[{TICKET},{BOOKS}]") == ()
    assert dict(session.subscriptions()) == {
        "KRW-BTC": UpbitForm("DEFAULT", 30),
        "KRW-ETH": UpbitForm("DEFAULT", 5),
    }


@pytest.mark.parametrize("parts", [(TICKET, BOOKS), (BOOKS, TICKET)])
def test_the_format_may_stand_anywhere(parts: tuple[str, str]) -> None:
    session = UpbitSession()
    session.receive(f'[{parts[0]},{{"format":"SIMPLE"}},{parts[1]}]')

    assert dict(session.subscriptions())["KRW-BTC"] == UpbitForm("SIMPLE")


def test_a_later_request_takes_the_place_of_the_one_before() -> None:
    session = UpbitSession()
    session.receive(f"[{TICKET},{BOOKS}]")
    session.receive(f'[{TICKET},{{"type":"orderbook","codes":["KRW-XRP"]}}]')

    assert [symbol for symbol, _ in session.subscriptions()] == ["KRW-XRP"]


def test_a_depth_it_does_not_have_gives_thirty_pairs() -> None:
    session = UpbitSession()
    session.receive(f'[{TICKET},{{"type":"orderbook","codes":["KRW-XRP.7"]}}]')

    assert dict(session.subscriptions()) == {"KRW-XRP": UpbitForm("DEFAULT", 30)}


def test_trades_are_subscribed_to_without_books() -> None:
    session = UpbitSession()
    session.receive(f'[{TICKET},{{"type":"trade","codes":["KRW-XRP"]}}]')

    assert session.is_subscribed
    assert not list(session.subscriptions())


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("PONG", "WRONG_FORMAT"),
        (b"\xff", "WRONG_FORMAT"),
        ('{"ticket":"t"}', "WRONG_FORMAT"),
        ("[1]", "WRONG_FORMAT"),
        (f'[{TICKET},{{"type":"orderbook","codes":"KRW-BTC"}}]', "WRONG_FORMAT"),
        (f'[{TICKET},{{"type":"orderbook","codes":[1]}}]', "WRONG_FORMAT"),
        (f"[{BOOKS}]", "NO_TICKET"),
        (f"[{TICKET}]", "NO_TYPE"),
        (f'[{TICKET},{{"codes":["KRW-BTC"]}}]', "NO_TYPE"),
        (f'[{TICKET},{{"type":"orderbook"}}]', "NO_CODES"),
        (f'[{TICKET},{{"type":"orderbook","codes":[]}}]', "INVALID_PARAM"),
        (f'[{TICKET},{{"type":["orderbook"],"codes":["KRW-BTC"]}}]', "INVALID_PARAM"),
        (f'[{TICKET},{BOOKS},{{"format":"YAML"}}]', "INVALID_PARAM"),
        (f'[{TICKET},{BOOKS},{{"format":{{}}}}]', "INVALID_PARAM"),
    ],
)
def test_a_bad_request_is_answered_with_the_name_of_what_is_wrong(
    request_: str | bytes, name: str
) -> None:
    session = UpbitSession()
    (reply,) = session.receive(request_)

    assert msgspec.json.decode(reply)["error"]["name"] == name
    assert not session.is_subscribed


def test_a_bad_request_leaves_the_subscription_as_it_was() -> None:
    session = UpbitSession()
    session.receive(f"[{TICKET},{BOOKS}]")
    session.receive("nonsense")

    assert len(list(session.subscriptions())) == 2


def test_ping_as_text_is_answered() -> None:
    assert UpbitSession().receive("PING") == ('{"status":"UP"}',)


def test_a_default_frame_has_the_long_names_and_zeros_for_a_missing_level() -> None:
    frame = UpbitForm("DEFAULT").frame(BOOK)

    assert msgspec.json.decode(frame) == {
        "type": "orderbook",
        "code": "KRW-BTC",
        "timestamp": 1700,
        "total_ask_size": 3.0,
        "total_bid_size": 3.0,
        "orderbook_units": [
            {"ask_price": 10.0, "bid_price": 9.0, "ask_size": 3.0, "bid_size": 1.0},
            {"ask_price": 0.0, "bid_price": 8.0, "ask_size": 0.0, "bid_size": 2.0},
        ],
        "stream_type": "REALTIME",
        "level": 0,
    }


def test_a_simple_frame_has_the_short_names_and_as_many_levels_as_asked_for() -> None:
    frame = UpbitForm("SIMPLE", 1).frame(BOOK)

    assert msgspec.json.decode(frame) == {
        "ty": "orderbook",
        "cd": "KRW-BTC",
        "tms": 1700,
        "tas": 3.0,
        "tbs": 1.0,
        "obu": [{"ap": 10.0, "bp": 9.0, "as": 3.0, "bs": 1.0}],
        "st": "REALTIME",
        "lv": 0,
    }


SUBSCRIPTION = '[{"ticket":"t"},{"type":"orderbook","codes":["KRW-BTC"]%s}]'


@pytest.mark.parametrize(
    ("more", "greeted"),
    [("", True), (',"is_only_realtime":true', False), (',"isOnlyRealtime":true', False)],
)
def test_who_subscribes_gets_the_book_there_is_unless_he_wants_only_what_comes(
    more: str, greeted: bool
) -> None:
    session = UpbitSession()
    session.receive(SUBSCRIPTION % more)
    ((_, form),) = session.subscriptions()
    said = session.greet(form, Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), 5))

    assert [msgspec.json.decode(frame)["stream_type"] for frame in said] == ["SNAPSHOT"] * greeted


def test_a_rejected_subscription_is_answered_with_an_error_and_a_ping_as_ever() -> None:
    session = UpbitSession()
    (error,) = session.reject(SUBSCRIPTION % "")

    assert msgspec.json.decode(error)["error"]["name"] == "INVALID_PARAM"
    assert session.reject("PING") == ('{"status":"UP"}',)
    assert session.reject(None) == ()
    assert not session.is_subscribed


def test_it_closes_without_a_word() -> None:
    assert UpbitSession().farewell(5) == ()


def test_it_lists_what_it_is_subscribed_to() -> None:
    session = UpbitSession()
    session.receive(f"[{TICKET},{BOOKS}]")
    (reply,) = session.receive(f'[{TICKET},{{"method":"LIST_SUBSCRIPTIONS"}}]')

    assert msgspec.json.decode(reply) == {
        "method": "LIST_SUBSCRIPTIONS",
        "result": [{"type": "orderbook", "codes": ["KRW-BTC", "KRW-ETH"], "level": 0}],
        "ticket": "t",
    }


def test_the_format_of_a_listing_becomes_that_of_the_streams() -> None:
    session = UpbitSession()
    session.receive(f"[{TICKET},{BOOKS}]")
    listing = '{"method":"LIST_SUBSCRIPTIONS"},{"format":"SIMPLE"}'
    (reply,) = session.receive(f"[{TICKET},{listing}]")

    assert msgspec.json.decode(reply)["tckt"] == "t"
    assert dict(session.subscriptions())["KRW-ETH"] == UpbitForm("SIMPLE", 5)


def test_who_is_subscribed_to_nothing_is_told_an_empty_list() -> None:
    (reply,) = UpbitSession().receive(f'[{TICKET},{{"method":"LIST_SUBSCRIPTIONS"}}]')

    assert msgspec.json.decode(reply)["result"] == []
