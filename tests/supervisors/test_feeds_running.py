"""Feeds while they run, on both runtimes: symbols come and go, standbys, faults of an exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pykka
import pytest

from ticklane import Feed, MarketData
from ticklane.exchanges import EXCHANGES
from ticklane.messages import (
    FeedConnected,
    FeedLost,
    InvalidOption,
    TooManySymbols,
    UnknownKey,
    WrongState,
)
from ticklane.runtime import WebSocketTransport
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    World,
    WorldExchange,
    WorldTransport,
)

MOST = EXCHANGES["upbit"].symbols_per_connection
SYMBOLS = {
    "upbit": ("KRW-BTC", "KRW-ETH", "KRW-XRP"),
    "binance": ("BTCUSDT", "ETHUSDT", "XRPUSDT"),
}
both_exchanges = pytest.mark.parametrize("exchange", SYMBOLS)


@attrs.define
class Scene:
    """Market data on a stage, and the exchanges it is connected to."""

    stage: Any
    exchange: str
    places: list[Any]
    market: MarketData
    events: dict[str, list[Any]] = attrs.field(factory=dict)

    @property
    def keys(self) -> list[str]:
        return [f"{self.exchange}:{symbol}" for symbol in SYMBOLS[self.exchange]]

    def until(self, condition: Callable[[], bool]) -> None:
        self.stage.until(condition)

    def listen(self, key: str) -> None:
        self.events[key] = []
        self.market.subscribe(key, self.stage.note, on_event=self.events[key].append)

    def has_new(self, key: str) -> bool:
        """Go on until a newer book of the key is there."""
        before = self.market.latest(key)
        self.until(lambda: self.market.latest(key) not in (None, before))
        return True

    def is_forgotten(self, key: str) -> bool:
        return key not in self.market.latest_all() and not any(
            ref._actor_weakref().key == key for ref in pykka.ActorRegistry.get_all()
        )

    @property
    def feeds(self) -> tuple[Any, ...]:
        return self.market.metrics().feeds


def books(exchange: str) -> Any:
    return SyntheticMarket([f"{exchange}:{each}" for each in SYMBOLS[exchange]], rate=40).books()


@pytest.fixture
def scene(stage: Any) -> Iterator[Callable[..., Scene]]:
    """Return how to make one: what the feed asks for, and at how many places it may ask."""
    made: list[Any] = []

    def make(
        exchange: str = "upbit", *, symbols: int = 1, places: int = 1, **options: Any
    ) -> Scene:
        of_feed = {name: options.pop(name) for name in ("redundancy",) if name in options}
        if hasattr(stage, "world"):
            there: list[Any] = [WorldExchange(stage.world, exchange, books(exchange))]
            transport: Any = WorldTransport(stage.world, there)
            url = None
        else:
            there = [LoopbackExchange(exchange, books(exchange)) for _ in range(places)]
            for place in there:
                place.start()
            transport = WebSocketTransport(stage.dispatcher)
            url = tuple(place.url for place in there)
        feed = Feed(exchange, SYMBOLS[exchange][:symbols], url=url, **of_feed)
        market = stage.market(feeds=[feed], transport=transport, **options)
        made.append((market, there))
        return Scene(stage, exchange, there, market)

    yield make
    for market, there in made:
        market.stop()
        for place in there:
            if isinstance(place, LoopbackExchange):
                place.stop()


## Adding


@both_exchanges
def test_a_symbol_added_while_running_is_brought_without_reconnecting(
    scene: Callable[..., Scene], exchange: str
) -> None:
    play = scene(exchange)
    first, second, _ = play.keys
    play.market.start()
    play.has_new(first)
    play.market.add(second)
    play.listen(second)

    assert play.has_new(second)
    assert play.has_new(first)
    assert len(play.feeds) == 1
    assert play.feeds[0].reconnects == 0
    assert [type(event) for event in play.events[second]][:1] == [FeedConnected]


@both_exchanges
def test_a_symbol_added_before_the_start_is_brought_from_the_start(
    scene: Callable[..., Scene], exchange: str
) -> None:
    play = scene(exchange)
    play.market.add(play.keys[1])
    play.market.start()

    assert play.has_new(play.keys[1])
    assert play.has_new(play.keys[0])


@both_exchanges
def test_a_connection_made_later_asks_for_what_was_added_and_not_for_what_was_removed(
    scene: Callable[..., Scene], exchange: str
) -> None:
    play = scene(exchange, symbols=2)
    first, second, third = play.keys
    play.market.start()
    play.has_new(second)
    play.market.add(third)
    play.market.remove(second)
    play.has_new(third)
    for place in play.places:
        place.disconnect()
    play.until(lambda: play.feeds[0].reconnects == 1)

    assert play.has_new(third)
    assert play.has_new(first)
    assert second not in play.market.latest_all()
    assert play.feeds[0].bad_frames == {}


def test_a_known_symbol_added_again_changes_nothing(scene: Callable[..., Scene]) -> None:
    play = scene()
    play.market.add(play.keys[0])
    play.market.add(play.keys[1])
    play.market.add(play.keys[1])

    assert list(play.market.metrics().queues) == play.keys[:2]


def test_a_symbol_of_an_exchange_no_feed_declares_is_refused(scene: Callable[..., Scene]) -> None:
    play = scene()

    with pytest.raises(InvalidOption) as caught:
        play.market.add("binance:BTCUSDT")
    assert str(caught.value) == ("exchange must be one that a feed declares (upbit), not 'binance'")


@pytest.mark.parametrize("key", ["upbit:krw-xrp", "KRW-XRP", "upbit:KRW-BTC.5"])
def test_a_key_that_could_not_be_declared_cannot_be_added(
    scene: Callable[..., Scene], key: str
) -> None:
    play = scene()

    with pytest.raises(InvalidOption):
        play.market.add(key)
    assert list(play.market.metrics().queues) == play.keys[:1]


def test_no_more_symbols_are_added_than_there_may_be(scene: Callable[..., Scene]) -> None:
    play = scene(max_symbols=1)

    with pytest.raises(TooManySymbols):
        play.market.add(play.keys[1])


def test_where_a_connection_is_full_another_is_made(scene: Callable[..., Scene]) -> None:
    play = scene()
    for number in range(MOST - 1):
        play.market.add(f"upbit:KRW-{number}")
    before = [feed.name for feed in play.feeds]
    play.market.add(play.keys[1])
    play.market.start()

    assert play.has_new(play.keys[1])
    assert (before, [feed.name for feed in play.feeds]) == (["upbit"], ["upbit", "upbit#2"])


## Removing


@both_exchanges
def test_a_symbol_removed_is_unknown_and_its_actor_is_gone(
    scene: Callable[..., Scene], exchange: str
) -> None:
    play = scene(exchange, symbols=2)
    first, second, _ = play.keys
    play.market.start()
    play.has_new(second)
    play.market.remove(second)
    play.until(lambda: play.is_forgotten(second))

    with pytest.raises(UnknownKey):
        play.market.latest(second)
    assert play.has_new(first)
    assert play.feeds[0].reconnects == 0
    assert play.feeds[0].bad_frames == {}
    assert play.market.metrics().totals.dead_letters == {}


def test_a_symbol_removed_and_added_again_is_brought_again(scene: Callable[..., Scene]) -> None:
    play = scene(symbols=2)
    second = play.keys[1]
    play.market.start()
    for _ in range(3):
        play.has_new(second)
        play.market.remove(second)
        play.market.add(second)

    assert play.has_new(second)
    play.until(lambda: play.market.queue(second).handled > 0)


def test_the_last_symbol_of_a_connection_removed_closes_it(scene: Callable[..., Scene]) -> None:
    play = scene()
    play.market.start()
    play.has_new(play.keys[0])
    play.market.remove(play.keys[0])
    play.until(lambda: not any(place.connections for place in play.places))

    assert play.feeds == ()
    play.market.add(play.keys[1])
    assert play.has_new(play.keys[1])


def test_a_handler_may_remove_its_own_symbol(scene: Callable[..., Scene]) -> None:
    play = scene(symbols=2)
    second = play.keys[1]
    removed = threading.Event()

    def once(_: object) -> None:
        if not removed.is_set():
            removed.set()
            play.market.remove(second)

    play.market.subscribe(second, once)
    play.market.start()
    play.until(lambda: removed.is_set() and play.is_forgotten(second))

    assert play.has_new(play.keys[0])


def test_a_symbol_removed_before_the_start_is_never_asked_for(
    scene: Callable[..., Scene],
) -> None:
    play = scene(symbols=2)
    play.market.remove(play.keys[1])
    play.market.start()

    assert play.has_new(play.keys[0])
    assert list(play.market.metrics().queues) == play.keys[:1]


def test_a_key_the_host_brings_itself_can_be_removed(scene: Callable[..., Scene]) -> None:
    play = scene(symbols=1)
    market = play.stage.market(symbols=["mine:A"])
    market.remove("mine:A")

    with pytest.raises(UnknownKey):
        market.latest("mine:A")


def test_an_unknown_key_cannot_be_removed(scene: Callable[..., Scene]) -> None:
    with pytest.raises(UnknownKey, match="did you mean upbit:KRW-BTC"):
        scene().market.remove("upbit:KRW-BTX")


def test_after_the_stop_nothing_is_added_or_removed(scene: Callable[..., Scene]) -> None:
    play = scene()
    play.market.start()
    play.market.stop()

    with pytest.raises(WrongState):
        play.market.add(play.keys[1])
    with pytest.raises(WrongState):
        play.market.remove(play.keys[0])


## Standbys


def test_each_of_two_connections_brings_every_symbol_and_the_first_copy_wins(
    scene: Callable[..., Scene],
) -> None:
    play = scene(redundancy=2, symbols=2)
    play.market.start()
    play.until(lambda: all(feed.snapshots > 5 for feed in play.feeds))
    queue = play.market.queue(play.keys[0])

    assert [feed.name for feed in play.feeds] == ["upbit", "upbit#2"]
    assert queue.rejected > 0


def test_losing_one_of_two_connections_is_not_heard_of_and_costs_no_book() -> None:
    first, second = (LoopbackExchange("upbit", books("upbit")) for _ in range(2))
    with first, second:
        market = MarketData([Feed("upbit", ["KRW-BTC"], url=(first.url, second.url), redundancy=2)])
        events: list[Any] = []
        seen: list[Any] = []
        enough = threading.Event()
        killed = threading.Event()

        def note(book: Any) -> None:
            seen.append(book)
            if killed.is_set() and len(seen) > 40:
                enough.set()

        market.subscribe("upbit:KRW-BTC", note, on_event=events.append)
        with market:
            assert first.connected.wait(10.0)
            assert second.connected.wait(10.0)
            market.wait_for("upbit:KRW-BTC", 10.0)
            first.stop()  # for good
            seen.clear()
            killed.set()
            assert enough.wait(10.0)
            feeds = market.metrics().feeds

    assert [type(event) for event in events] == [FeedConnected, FeedLost]
    assert feeds[0].last_error is not None
    assert feeds[1].reconnects == 0
    stamps = [book.exchange_time_ms for book in seen]
    assert stamps == sorted(stamps)


## Faults


def kinds(play: Scene, key: str) -> list[str]:
    return [type(event).__name__ for event in play.events[key]]


def test_an_announced_shutdown_is_not_heard_of(scene: Callable[..., Scene]) -> None:
    play = scene("binance")
    key = play.keys[0]
    play.listen(key)
    play.market.start()
    play.has_new(key)
    play.places[0].shutdown(notice_s=1.0)
    rolled = play.market.metrics().feeds[0].frames
    play.until(lambda: play.feeds[0].frames > rolled + 60)

    assert kinds(play, key) == ["FeedConnected"]
    assert play.feeds[0].reconnects == 0


@pytest.mark.parametrize(("status", "reason"), [(429, "429"), (418, "418")])
def test_a_handshake_refused_is_the_feeds_last_error(
    scene: Callable[..., Scene], status: int, reason: str
) -> None:
    play = scene()
    play.places[0].rate_limit(3600.0, status)
    play.listen(play.keys[0])
    play.market.start()
    play.until(lambda: play.events[play.keys[0]] != [])

    assert kinds(play, play.keys[0]) == ["FeedLost"]
    assert reason in str(play.feeds[0].last_error)


def test_a_vanished_exchange_is_found_within_ten_virtual_seconds() -> None:
    world = World(seed=1)
    place = WorldExchange(world, "upbit", books("upbit"))
    market = MarketData(
        [Feed("upbit", SYMBOLS["upbit"])],
        dispatcher=world,
        transport=WorldTransport(world, [place]),
    )
    events: list[Any] = []
    market.subscribe("upbit:KRW-BTC", lambda _: None, on_event=events.append)
    market.start()
    world.run_for(30.0)
    place.half_open()
    world.run_for(10.0)
    found = [type(event) for event in events]
    world.run_for(30.0)
    market.stop()

    assert found[:2] == [FeedConnected, FeedLost]
    assert "half-open" in events[1].reason
    assert FeedConnected in [type(event) for event in events[2:]]
