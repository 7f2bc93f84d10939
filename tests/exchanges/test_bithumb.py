"""Bithumb: Upbit's form under a name of its own."""

import json
import threading
from itertools import islice
from typing import Any

import pytest

from ticklane import Feed, MarketData
from ticklane.exchanges import EXCHANGES, BithumbProtocol
from ticklane.messages import BadFrame, ExchangeReplied, Snapshot
from ticklane.simulation import LoopbackExchange, SyntheticMarket

BOOK = {
    "type": "orderbook",
    "code": "KRW-BTC",
    "total_ask_size": 0.75,
    "total_bid_size": 3.5,
    "orderbook_units": [
        {"ask_price": 102, "bid_price": 101, "ask_size": 0.5, "bid_size": 1.5},
        {"ask_price": 103, "bid_price": 100, "ask_size": 0.25, "bid_size": 2},
    ],
    "level": 1,
    "timestamp": 1746601573804,
    "stream_type": "SNAPSHOT",
}
KEYS = ("bithumb:KRW-BTC", "bithumb:KRW-ETH")


def _receive(**changes: object) -> Any:
    payload = json.dumps(BOOK | changes).encode()
    return BithumbProtocol(("KRW-BTC", "KRW-ETH.3")).receive(payload, 7)


def test_a_book_is_named_after_the_exchange() -> None:
    (snapshot,) = _receive()

    assert snapshot == Snapshot(
        exchange="bithumb",
        symbol="KRW-BTC",
        bids=((101.0, 1.5), (100.0, 2.0)),
        asks=((102.0, 0.5), (103.0, 0.25)),
        exchange_time_ms=1746601573804,
        received_ns=7,
    )


def test_a_symbol_with_a_depth_keeps_that_name() -> None:
    (snapshot,) = _receive(code="KRW-ETH")

    assert snapshot.key == "bithumb:KRW-ETH.3"


def test_a_symbol_nobody_asked_for_is_told_as_symbol() -> None:
    with pytest.raises(BadFrame, match="symbol: 'KRW-XRP' was not asked for"):
        _receive(code="KRW-XRP")


def test_an_error_reply_names_exchange_and_subscription() -> None:
    error = b'{"error":{"name":"WRONG_FORMAT","message":"Format"}}'

    with pytest.raises(ExchangeReplied) as caught:
        BithumbProtocol(("KRW-BTC",)).receive(error, 7)

    assert str(caught.value) == "bithumb replied WRONG_FORMAT: Format (subscription of KRW-BTC)"


def test_the_request_is_one_array_with_ticket_type_and_format() -> None:
    (text,) = BithumbProtocol(("KRW-BTC", "KRW-ETH.3"), "orderbook/simple").greeting()
    ticket, *rest = json.loads(text)

    assert ticket.keys() == {"ticket"}
    assert rest == [
        {"type": "orderbook", "codes": ["KRW-BTC", "KRW-ETH.3"]},
        {"format": "SIMPLE"},
    ]


def test_a_change_is_the_whole_new_request() -> None:
    protocol = BithumbProtocol(("KRW-BTC", "KRW-ETH"))

    (text,) = protocol.change(("KRW-XRP",), ("KRW-BTC",))

    assert json.loads(text)[1] == {"type": "orderbook", "codes": ["KRW-ETH", "KRW-XRP"]}


def test_connections_stay_below_what_leads_to_a_block() -> None:
    assert all(budget.count / budget.seconds < 10 for budget in EXCHANGES["bithumb"].connects)


@pytest.mark.parametrize("stream", EXCHANGES["bithumb"].streams)
def test_books_come_through_market_data_as_they_were_sent(stream: str) -> None:
    books = [*islice(SyntheticMarket(KEYS, start_unix_ms=1_700_000_000_000).books(), 40)]
    seen: list[Snapshot] = []
    done = threading.Event()

    def handle(snapshot: Snapshot) -> None:
        seen.append(snapshot)
        if len(seen) == len(books):
            done.set()

    with LoopbackExchange("bithumb", books, speed=0) as exchange:
        symbols = [key.partition(":")[2] for key in KEYS]
        market = MarketData([Feed("bithumb", symbols, stream=stream, url=exchange.url)])
        for key in KEYS:
            market.subscribe(key, handle)
        with market:
            assert done.wait(10.0)

    sent = {(book.symbol, book.bids, book.asks, book.exchange_time_ms) for _, book in books}
    assert {(book.symbol, book.bids, book.asks, book.exchange_time_ms) for book in seen} == sent


def test_symbols_are_taken_on_and_left_off_without_reconnecting() -> None:
    with LoopbackExchange("bithumb", SyntheticMarket(KEYS, rate=100.0).books()) as exchange:
        market = MarketData([Feed("bithumb", ["KRW-BTC"], url=exchange.url)])
        with market:
            market.wait_for(KEYS[0], 10.0)
            market.add(KEYS[1])
            market.remove(KEYS[0])
            market.wait_for(KEYS[1], 10.0)
            (feed,) = market.metrics().feeds

    assert feed.reconnects == 0
    assert feed.bad_frames == {}
