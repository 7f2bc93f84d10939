"""A host's test: its own strategy, two exchanges, one virtual hour, a plan of faults.

    python -m pytest examples/host_test.py

docs/testing-your-host.md explains it.
"""

from ticklane import Feed, MarketData, Snapshot
from ticklane.messages import AnomalyAlert, FeedEvent, FeedLost, FeedStalled
from ticklane.simulation import (
    Disconnect,
    Gap,
    HalfOpen,
    Shutdown,
    Stall,
    World,
    WorldScene,
    WorldTransport,
    play,
)

UPBIT, BINANCE = "upbit:KRW-BTC", "binance:BTCUSDT"
FEEDS = [Feed("upbit", ["KRW-BTC"]), Feed("binance", ["BTCUSDT"])]
PLAN = [
    Disconnect(300.0, "upbit"),
    HalfOpen(900.0, "binance"),
    Stall(1500.0, "upbit", seconds=300.0),
    Shutdown(2100.0, "binance", down_s=60.0),
    Gap(2700.0, "binance", frames=50),
]


class Strategy:
    """Quotes whenever a book comes, as long as both symbols live."""

    def __init__(self, market: MarketData, world: World) -> None:
        self.books: dict[str, Snapshot] = {}
        self.ages_s: list[float] = []
        """How old the older of the two books was, at each quote."""
        self._now_ns = world.clock.now_ns
        for key in (UPBIT, BINANCE):
            market.subscribe(key, self.on_snapshot, on_event=self.on_event)
        market.on_anomaly(self.on_anomaly)

    def on_snapshot(self, book: Snapshot) -> None:
        self.books[book.key] = book
        if len(self.books) == 2:
            oldest_ns = min(book.received_ns for book in self.books.values())
            self.ages_s.append((self._now_ns() - oldest_ns) / 1e9)

    def on_event(self, event: FeedEvent) -> None:
        if isinstance(event, FeedLost | FeedStalled):
            self.books.pop(event.key, None)

    def on_anomaly(self, anomaly: AnomalyAlert) -> None:
        if anomaly.kind == "QUARANTINED":
            self.books.pop(anomaly.key, None)


def test_it_never_quotes_on_a_book_older_than_two_minutes() -> None:
    world = World(seed=7)
    exchanges = WorldTransport.serving(world, FEEDS, rate=1.0, depth=5)
    market = MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges)
    strategy = Strategy(market, world)
    with market:
        play(PLAN, WorldScene(world, market, exchanges.exchanges))
        world.run_for(3600.0)

    assert max(strategy.ages_s) < 120.0
