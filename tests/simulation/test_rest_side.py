"""What simulated exchanges answer over REST, and how much of it."""

import json

import attrs
import pytest

from ticklane.messages import Snapshot
from ticklane.simulation.rest_side import RestSide, Weights
from ticklane.simulation.venues import model_of

BOOK = Snapshot("binance", "BTCUSDT", ((9.0, 1.0), (8.0, 1.0)), ((10.0, 2.0),), None, 7)


def test_the_rest_side_gives_the_book_published_last() -> None:
    exchange = model_of("binance")
    exchange.publish(BOOK, 0.0)
    reply = exchange.get("/api/v3/depth?symbol=BTCUSDT&limit=1", 1.0)

    assert json.loads(reply.body) == {
        "lastUpdateId": 7,
        "bids": [["9.00000000", "1.00000000"]],
        "asks": [["10.00000000", "2.00000000"]],
    }


def test_requests_weigh_what_the_exchange_says_and_too_many_are_refused() -> None:
    exchange = model_of("binance")
    exchange.publish(BOOK, 0.0)
    deep = "/api/v3/depth?symbol=BTCUSDT&limit=5000"
    used = [exchange.get(deep, 30.0).headers["X-MBX-USED-WEIGHT-1M"] for _ in range(24)]
    refused = exchange.get(deep, 30.0)

    assert used[-1] == "6000"
    assert (refused.status, refused.headers) == (429, {"Retry-After": "30"})
    assert exchange.get(deep, 60.0).status == 200


@pytest.mark.parametrize(("limit", "weight"), [(50, "2"), (100, "5"), (500, "10"), (1000, "20")])
def test_books_of_futures_weigh_less(limit: int, weight: str) -> None:
    exchange = model_of("binance-usdm")
    exchange.publish(attrs.evolve(BOOK, exchange="binance-usdm"), 0.0)
    reply = exchange.get(f"/fapi/v1/depth?symbol=BTCUSDT&limit={limit}", 0.0)

    assert reply.headers["X-MBX-USED-WEIGHT-1M"] == weight


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/v3/ping", 200),
        ("/api/v3/time", 200),
        ("/api/v3/exchangeInfo", 200),
        ("/api/v3/depth?symbol=NOPE", 400),
        ("/api/v3/depth?symbol=BTCUSDT&limit=0", 400),
        ("/api/v3/depth?symbol=BTCUSDT&limit=many", 400),
        ("/api/v3/order", 404),
        ("/elsewhere", 404),
    ],
)
def test_what_the_rest_side_of_binance_answers(target: str, status: int) -> None:
    exchange = model_of("binance")
    exchange.publish(BOOK, 0.0)

    assert exchange.get(target, 0.0).status == status


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/market/all", 200),
        ("/v1/orderbook?markets=KRW-BTC", 200),
        ("/v1/orderbook?markets=KRW-NOPE", 404),
        ("/v1/orderbook", 404),
        ("/v1/orders", 404),
    ],
)
def test_what_the_rest_side_of_upbit_answers(target: str, status: int) -> None:
    exchange = model_of("upbit")
    exchange.publish(Snapshot("upbit", "KRW-BTC", ((9.0, 1.0),), ((10.0, 2.0),), 5), 0.0)

    assert exchange.get(target, 0.0).status == status


def test_the_book_of_upbits_rest_side_is_that_of_its_stream() -> None:
    exchange = model_of("upbit")
    exchange.publish(Snapshot("upbit", "KRW-BTC", ((9.0, 1.0),), ((10.0, 2.0),), 5), 0.0)
    (book,) = json.loads(exchange.get("/v1/orderbook?markets=KRW-BTC", 0.0).body)

    assert book["orderbook_units"] == [
        {"ask_price": 10.0, "bid_price": 9.0, "ask_size": 2.0, "bid_size": 1.0}
    ]


def test_an_exchange_without_a_rest_side_answers_404() -> None:
    assert RestSide(None, None).get("/", {}, 0.0).status == 404


def test_weights_are_those_of_the_minute() -> None:
    weights = Weights(100)

    assert [weights.add(60, 59.0), weights.add(60, 60.0), weights.add(60, 61.0)] == [60, 60, 120]
    assert weights.wait_s(80.0) == pytest.approx(40.0)
    assert weights.wait_s(120.0) == 0.0
