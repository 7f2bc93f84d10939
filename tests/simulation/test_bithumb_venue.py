"""Bithumb's side: Upbit's requests, with depths and grouping of its own."""

import msgspec
import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.bithumb_venue import BithumbSession
from ticklane.simulation.upbit_venue import UpbitForm

BOOK = Snapshot("bithumb", "KRW-BTC", ((9.0, 1.0), (8.0, 2.0)), ((10.0, 3.0),), 1700)


def test_a_request_subscribes_each_code_to_as_many_levels_as_it_says() -> None:
    session = BithumbSession()
    session.receive('[{"ticket":"t"},{"type":"orderbook","codes":["KRW-BTC","KRW-ETH.3"]}]')

    assert session.is_subscribed
    assert dict(session.subscriptions()) == {
        "KRW-BTC": UpbitForm("DEFAULT", 30, level=1),
        "KRW-ETH": UpbitForm("DEFAULT", 3, level=1),
    }


@pytest.mark.parametrize(("format_", "field"), [("DEFAULT", "level"), ("SIMPLE", "lv")])
def test_prices_are_grouped_by_one_at_least(format_: str, field: str) -> None:
    _, form = BithumbSession().form("KRW-BTC", format_)

    assert msgspec.json.decode(form.frame(BOOK))[field] == 1


def test_a_bad_request_is_answered_with_the_name_of_what_is_wrong() -> None:
    (reply,) = BithumbSession().receive('[{"type":"orderbook","codes":["KRW-BTC"]}]')

    assert msgspec.json.decode(reply)["error"]["name"] == "NO_TICKET"


def test_ping_as_text_is_answered() -> None:
    assert BithumbSession().receive("PING") == ('{"status":"UP"}',)
