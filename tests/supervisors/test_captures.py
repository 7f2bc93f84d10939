"""Real frames, through a real socket to the host's handlers."""

import json
from collections import defaultdict
from pathlib import Path

from ticklane import Feed, MarketData, Snapshot
from ticklane.simulation import LoopbackExchange, capture_subscriptions, read_capture

TIMEOUT_S = 10.0
Side = tuple[tuple[float, float], ...]
Book = tuple[Side, Side, int]


def test_all_145_upbit_books_come_as_a_plain_json_reader_reads_them(captures: Path) -> None:
    path = captures / "upbit-2021-04-17.ws.txt"
    came: dict[str, list[Book]] = defaultdict(list)

    def keep(book: Snapshot) -> None:
        came[book.symbol].append((book.bids, book.asks, book.exchange_time_ms or 0))

    symbols = [symbol for symbol, _ in capture_subscriptions(path)]
    with LoopbackExchange.replaying(path, speed=0) as exchange:
        feed = Feed("upbit", symbols, stream="orderbook/simple", url=exchange.url)
        market = MarketData([feed])
        for key in feed.keys:
            market.subscribe(key, keep)
        with market:
            assert exchange.finished.wait(TIMEOUT_S)

    assert came == books_of(path)
    assert sum(map(len, came.values())) == 145


def books_of(path: Path) -> dict[str, list[Book]]:
    """Return the books of a capture by symbol, in their order."""
    books = defaultdict(list)
    for frame in map(json.loads, (each.payload for each in read_capture(path))):
        if frame["ty"] == "orderbook":
            bids = tuple((unit["bp"], unit["bs"]) for unit in frame["obu"])
            asks = tuple((unit["ap"], unit["as"]) for unit in frame["obu"])
            books[frame["cd"]].append((bids, asks, frame["tms"]))
    return books
