"""Differences, recorded with the books they need, and kept from the recording once more."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from ticklane import Feed, MarketData, Snapshot
from ticklane.console.replay import replay
from ticklane.runtime import Dispatcher, WebSocketTransport
from ticklane.simulation import (
    LoopbackExchange,
    ReplayTransport,
    SyntheticMarket,
    World,
    WorldExchange,
    WorldTransport,
    capture_answers,
    capture_connections,
    read_capture,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ticklane.messages import FeedEvent

TIMEOUT_S = 10.0
SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT")


class Diary:
    """What each symbol was told, in its order: a book's number and levels, an event's name."""

    def __init__(self, market: MarketData, exchange: str) -> None:
        self.told: dict[str, list[Any]] = defaultdict(list)
        self._changed = threading.Condition()
        for symbol in SYMBOLS:
            market.subscribe(f"{exchange}:{symbol}", self._add, on_event=self._note)

    def _add(self, book: Snapshot) -> None:
        with self._changed:
            self.told[book.symbol].append((book.sequence, book.bids, book.asks))
            self._changed.notify_all()

    def _note(self, event: FeedEvent) -> None:
        name = type(event).__name__
        # How a connection ends is the replay's own.
        if name in ("GapDetected", "BookResynced"):
            with self._changed:
                self.told[event.key.partition(":")[2]].append(name)

    def books(self, symbol: str) -> list[Any]:
        return [each for each in self.told[symbol] if not isinstance(each, str)]

    def has_books(self, count: int) -> bool:
        """Wait until every symbol was told so many more."""
        goals = {symbol: len(self.books(symbol)) + count for symbol in SYMBOLS}
        with self._changed:
            return self._changed.wait_for(
                lambda: all(len(self.books(each)) >= goal for each, goal in goals.items()),
                TIMEOUT_S,
            )


class Truth:
    """A market that remembers what it was."""

    def __init__(self, exchange: str, rate: float) -> None:
        keys = [f"{exchange}:{symbol}" for symbol in SYMBOLS]
        self._market = SyntheticMarket(keys, seed=3, rate=rate)
        self._books: set[Any] = set()

    def books(self) -> Iterator[tuple[float, Snapshot]]:
        for at_s, book in self._market.books():
            self._books.add((book.symbol, book.sequence, book.bids, book.asks))
            yield at_s, book

    def holds(self, diary: Diary) -> bool:
        return all((each, *book) in self._books for each in SYMBOLS for book in diary.books(each))


def replayed(path: Path, exchange: str) -> Diary:
    """Receive a capture of one connection over a real socket; return what was told."""
    dispatcher = Dispatcher()
    dispatcher.start()
    (name,) = capture_connections(path)
    with LoopbackExchange.replaying(path, speed=0) as served:
        feed = Feed(exchange, SYMBOLS, stream="depth", url=served.url)
        transport = ReplayTransport(WebSocketTransport(dispatcher), path, {name: feed})
        market = MarketData(
            [feed], capacity=10**6, dispatcher=dispatcher, transport=transport, rest=transport
        )
        diary = Diary(market, exchange)
        with market:
            assert served.finished.wait(TIMEOUT_S)
    dispatcher.stop()
    return diary


@pytest.mark.parametrize("exchange", ["binance", "binance-usdm"])
def test_every_book_is_kept_from_the_recording_as_it_was(exchange: str, tmp_path: Path) -> None:
    path, truth = tmp_path / "a", Truth(exchange, rate=400.0)
    with LoopbackExchange(exchange, truth.books()) as served:
        feed = Feed(exchange, SYMBOLS, stream="depth", url=served.url, rest=served.rest_url)
        market = MarketData([feed], capacity=10**6, record=path)
        recorded = Diary(market, exchange)
        with market:
            assert recorded.has_books(20)
            served.gap(3)
            assert recorded.has_books(100)
    again = replayed(path, exchange)

    assert again.told == recorded.told
    assert truth.holds(again)
    assert any("BookResynced" in told for told in again.told.values())
    assert len(list(capture_answers(path))) > len(SYMBOLS)


def test_the_console_replays_what_was_recorded(tmp_path: Path) -> None:
    path, truth = tmp_path / "a", Truth("binance", rate=400.0)
    with LoopbackExchange("binance", truth.books()) as served:
        feed = Feed("binance", SYMBOLS, stream="depth", url=served.url, rest=served.rest_url)
        market = MarketData([feed], capacity=10**6, record=path)
        recorded = Diary(market, "binance")
        with market:
            assert recorded.has_books(50)
    result = replay(path, speed=0)

    assert result.ok
    assert result.sample.totals.handled == market.metrics().totals.handled
    last = {f"binance:{each}": recorded.books(each)[-1] for each in SYMBOLS}
    assert {k: (b.sequence, b.bids, b.asks) for k, b in result.latest.items()} == last


def has_begun(path: Path) -> bool:
    long = path.exists() and path.stat().st_size > 100_000
    return long and len(list(capture_answers(path))) >= len(SYMBOLS)


def test_a_recorder_that_was_killed_leaves_books_that_can_be_kept(tmp_path: Path) -> None:
    path, truth = tmp_path / "a", Truth("binance", rate=400.0)
    with LoopbackExchange("binance", truth.books()) as served:
        keys = [f"binance:{symbol}" for symbol in SYMBOLS]
        command = [sys.executable, "-m", "ticklane", "record", *keys, "--stream", "depth"]
        command += ["--url", f"binance={served.url}", "--rest", f"binance={served.rest_url}"]
        command += ["--out", str(path)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as recorder:  # noqa: S603
            deadline = time.monotonic() + 20.0
            while not has_begun(path):
                assert time.monotonic() < deadline, "nothing is recorded"
                time.sleep(0.01)
            recorder.kill()
    again = replayed(path, "binance")

    assert all(again.books(symbol) for symbol in SYMBOLS)
    assert truth.holds(again)


## Recorded in virtual time


def recorded_in_a_world(
    path: Path, seed: int, fault: Callable[[WorldExchange], object], **options: Any
) -> tuple[Diary, Truth]:
    world, truth = World(seed=seed), Truth("binance", rate=5.0)
    exchange = WorldExchange(world, "binance", truth.books())
    transport = WorldTransport(world, [exchange])
    feed = Feed("binance", SYMBOLS, **{"stream": "depth", **options})
    market = MarketData([feed], dispatcher=world, transport=transport, rest=transport, record=path)
    diary = Diary(market, "binance")
    with market:
        world.run_for(10.0)
        fault(exchange)
        world.run_for(30.0)
    return diary, truth


FAULTS: dict[str, Callable[[WorldExchange], object]] = {
    "gap": lambda exchange: exchange.gap(5),
    "reorder": lambda exchange: exchange.reorder(5),
    "corrupt": lambda exchange: exchange.corrupt(5),
    "duplicate": lambda exchange: exchange.duplicate(5),
    "stall": lambda exchange: exchange.stall(5.0),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_went_wrong_is_kept_alike(fault: str, seed: int, tmp_path: Path) -> None:
    recorded, truth = recorded_in_a_world(tmp_path / "a", seed, FAULTS[fault])
    again = replayed(tmp_path / "a", "binance")

    assert again.told == recorded.told
    assert truth.holds(again)


def test_what_was_recorded_over_a_reconnect_comes_to_the_same_books(tmp_path: Path) -> None:
    recorded, truth = recorded_in_a_world(tmp_path / "a", 1, lambda each: each.disconnect())
    again = replayed(tmp_path / "a", "binance")

    assert truth.holds(again)
    for symbol in SYMBOLS:
        assert set(recorded.books(symbol)) <= set(again.books(symbol))
        assert again.books(symbol)[-1] == recorded.books(symbol)[-1]


@pytest.mark.parametrize("stream", ["depth", "depth20"])
@pytest.mark.parametrize(
    ("fault", "redundancy"), [(WorldExchange.shutdown, 1), (WorldExchange.disconnect, 2)]
)
def test_several_connections_are_replayed_to_the_last_book(
    fault: Callable[[WorldExchange], object], redundancy: int, stream: str, tmp_path: Path
) -> None:
    options = {"redundancy": redundancy, "stream": stream}
    recorded, _ = recorded_in_a_world(tmp_path / "a", 1, fault, **options)
    result = replay(tmp_path / "a", speed=200)

    assert result.ok
    last = {f"binance:{each}": recorded.books(each)[-1] for each in SYMBOLS}
    assert {k: (b.sequence, b.bids, b.asks) for k, b in result.latest.items()} == last


def test_a_book_that_came_when_nothing_else_did_is_kept_too(tmp_path: Path) -> None:
    path, world = tmp_path / "a", World(seed=1)
    book = next(iter(SyntheticMarket([f"binance:{SYMBOLS[0]}"], seed=1).books()))[1]
    exchange = WorldExchange(world, "binance", [])
    exchange.model.books[SYMBOLS[0]] = book
    transport = WorldTransport(world, [exchange])
    feed = Feed("binance", SYMBOLS[:1], stream="depth")
    with MarketData([feed], dispatcher=world, transport=transport, rest=transport, record=path):
        world.run_for(10.0)

    assert not list(read_capture(path))
    assert replay(path, speed=0).latest[book.key].sequence == book.sequence
