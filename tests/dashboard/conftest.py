"""A market to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticklane import Feed, MarketData, Snapshot
from ticklane.simulation import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ticklane.runtime import Link


class NoNetwork:
    """A transport whose connections are never made."""

    def open(self, *_: object) -> Link:
        return Unconnected()


class Unconnected:
    """A link to nobody."""

    def close(self, reason: str = "") -> None:
        pass

    def send(self, text: str) -> None:
        pass

    def ping(self) -> None:
        pass

    def here(self, inbox: object) -> None:
        pass

    def backlog(self) -> int:
        return 0


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def market(world: World) -> Iterator[MarketData]:
    """Yield a market with a feed that never connects and three symbols of the host's."""
    market = MarketData(
        [Feed("upbit", ["KRW-BTC"])],
        symbols=['odd:say "hi"\\', "binance:BTCUSDT", "binance:ETHUSDT"],
        capacity=10,
        thresholds={"ws_queue_depth_max": 5},
        dispatcher=world,
        transport=NoNetwork(),
    )
    with market:
        yield market


@pytest.fixture
def offer(market: MarketData, world: World) -> Callable[..., None]:
    """Return what offers books of a symbol and lets time pass."""

    def offer(symbol: str, *sequences: int, seconds: float = 0.1) -> None:
        for sequence in sequences:
            book = Snapshot("binance", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=sequence)
            market.offer(book)
        world.run_for(seconds)

    return offer
