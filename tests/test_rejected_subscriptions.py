"""What an exchange rejects is told at once, asked for again, and costs nobody else anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from loguru import logger

from ticklane import Feed, MarketData
from ticklane.messages import FeedMetrics
from ticklane.simulation import SyntheticMarket, World, WorldExchange, WorldTransport

PAIRS = {
    "upbit": ("KRW-BTC", "KRW-ETH"),
    "bithumb": ("KRW-BTC", "KRW-ETH"),
    "binance": ("BTCUSDT", "ETHUSDT"),
    "bybit": ("BTCUSDT", "ETHUSDT"),
}
EXCHANGES = pytest.mark.parametrize("name", PAIRS)


@attrs.define
class Scene:
    """A feed of one symbol, and an exchange that has two and notes what it is asked."""

    name: str
    world: World = attrs.field(factory=lambda: World(seed=1))
    exchange: WorldExchange = attrs.field(init=False)
    market: MarketData = attrs.field(init=False)
    asked: list[str] = attrs.field(init=False, factory=list)
    logged: list[str] = attrs.field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        books = SyntheticMarket(self.keys, seed=1, rate=2.0).books()
        self.exchange = WorldExchange(self.world, self.name, books)
        transport = WorldTransport(self.world, [self.exchange])
        feed = Feed(self.name, PAIRS[self.name][:1])
        self.market = MarketData([feed], dispatcher=self.world, transport=transport, rest=transport)
        receive = self.exchange.model.receive

        def noted(client: Any, message: Any, now_s: float) -> None:
            if "ping" not in message:
                self.asked.append(message)
            receive(client, message, now_s)

        self.exchange.model.receive = noted  # type: ignore[method-assign]

    @property
    def keys(self) -> list[str]:
        return [f"{self.name}:{symbol}" for symbol in PAIRS[self.name]]

    @property
    def feed(self) -> FeedMetrics:
        return self.market.metrics().feeds[0]

    def handled(self, number: int) -> int:
        return self.market.queue(self.keys[number]).handled

    def add_rejected(self, seconds: float) -> None:
        """Stream one symbol for ten seconds, then add another that is rejected for `seconds`."""
        self.world.run_for(10.0)
        self.exchange.reject(seconds)
        self.market.add(self.keys[1])


@contextmanager
def playing(name: str) -> Iterator[Scene]:
    scene = Scene(name)
    sink = logger.add(scene.logged.append, format="{message}")
    logger.enable("ticklane")
    try:
        with scene.market:
            yield scene
    finally:
        logger.disable("ticklane")
        logger.remove(sink)


@EXCHANGES
def test_a_rejected_subscription_is_told_at_once_and_names_its_symbol(name: str) -> None:
    with playing(name) as scene:
        scene.exchange.reject(20.0)
        scene.world.run_for(1.0)

        assert scene.feed.state == "subscribing"
        assert PAIRS[name][0] in str(scene.feed.last_error)
        assert any("asked for again" in line and PAIRS[name][0] in line for line in scene.logged)


@EXCHANGES
def test_it_is_asked_for_again_on_the_same_connection_until_it_is_accepted(name: str) -> None:
    with playing(name) as scene:
        scene.exchange.reject(20.0)
        scene.world.run_for(20.0)
        before = scene.handled(0)
        streams = scene.world.run_until(lambda: scene.feed.state == "streaming", timeout=20.0)

        assert (before, streams, scene.feed.reconnects) == (0, True, 0)


@EXCHANGES
def test_the_symbols_that_stream_go_on_while_one_is_rejected(name: str) -> None:
    with playing(name) as scene:
        scene.add_rejected(40.0)
        before = scene.handled(0)
        scene.world.run_for(40.0)
        meanwhile = scene.handled(0) - before
        rejected = scene.handled(1)
        scene.world.run_for(40.0)

        assert meanwhile > 40
        assert rejected == 0
        assert scene.handled(1) > 0
        assert (scene.feed.reconnects, scene.feed.state) == (0, "streaming")


def test_binance_and_bybit_name_the_symbol_that_was_rejected_and_no_other() -> None:
    for name in ("binance", "bybit"):
        with playing(name) as scene:
            scene.add_rejected(40.0)
            scene.world.run_for(5.0)

            assert str(scene.feed.last_error).endswith("(subscription of ETHUSDT)")


@EXCHANGES
def test_half_an_hour_of_rejections_is_no_storm(name: str) -> None:
    with playing(name) as scene:
        scene.add_rejected(3600.0)
        before = len(scene.asked)
        scene.world.run_for(1800.0)
        asked = scene.asked[before:]

        # Every half a minute, each time by one message or two.
        assert 50 <= len(asked) <= 2 * (1800 / 30 + 6)
        assert scene.feed.reconnects == 0
        assert sum("asked for again" in line for line in scene.logged) <= 2


@EXCHANGES
def test_a_symbol_that_was_removed_is_not_asked_for_again(name: str) -> None:
    with playing(name) as scene:
        scene.add_rejected(3600.0)
        scene.world.run_for(5.5)
        scene.market.remove(scene.keys[1])
        scene.exchange.reject(0.0)
        # That it is not wanted any more may have to wait for the budget.
        scene.world.run_for(1.1)
        before = len(scene.asked)
        scene.world.run_for(120.0)

        removed = PAIRS[name][1].lower()
        assert not [each for each in scene.asked[before:] if removed in each.lower()]
        assert scene.feed.reconnects == 0


def test_a_book_that_the_rest_side_refuses_is_not_subscribed_to_again() -> None:
    world, asked = World(seed=1), list[Any]()
    books = SyntheticMarket(["binance:BTCUSDT"], seed=1, rate=2.0).books()
    exchange = WorldExchange(world, "binance", books)
    exchange.model.receive = lambda *given: asked.append(given)  # type: ignore[method-assign]
    transport = WorldTransport(world, [exchange])
    feed = Feed("binance", ["BTCUSDT", "NOSUCH"], stream="depth")
    market = MarketData([feed], dispatcher=world, transport=transport, rest=transport)
    with market:
        world.run_for(60.0)

        assert "HTTP 400" in str(market.metrics().feeds[0].last_error)
        assert asked == []
