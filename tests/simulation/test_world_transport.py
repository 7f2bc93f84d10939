"""The whole line in virtual time: feeds, symbols, watchers; no socket, no thread."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane import Feed, MarketData, Snapshot
from ticklane.messages import AnomalyAlert, FeedEvent, InvalidOption, Refusal
from ticklane.runtime import Link
from ticklane.simulation import World, WorldExchange, WorldScene, WorldTransport

FEEDS = (
    Feed("upbit", ["KRW-BTC", "KRW-ETH"]),
    Feed("binance", ["BTCUSDT", "ETHUSDT"]),
    Feed("bybit", ["BTCUSDT"]),
)

SCRIPT = """
import sys, time
from ticklane import Feed, MarketData
from ticklane.simulation import World, WorldTransport

seed, pause_s, log = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
world = World(seed)
feeds = [Feed("upbit", ["KRW-BTC", "KRW-ETH"]), Feed("binance", ["BTCUSDT", "ETHUSDT"])]
exchanges = WorldTransport.serving(world, feeds)
market = MarketData(feeds, dispatcher=world, transport=exchanges, rest=exchanges, log=log)
told = []
market.on_anomaly(told.append)
def slow(book):
    time.sleep(pause_s)
    world.spend(0.5)
market.subscribe("upbit:KRW-BTC", slow, on_event=told.append)
market.subscribe("binance:BTCUSDT", told.append)
world.call_later(20.0, exchanges["binance"].disconnect)
world.call_later(40.0, exchanges["upbit"].half_open)
world.call_later(50.0, lambda: exchanges["binance"].corrupt(5))
with market:
    world.run_for(100.0)
    print(market.metrics(), told)
print(market.report(), world.trace_hash)
"""


def trace(folder: Path, seed: int, *, pause_s: float = 0.0, hash_seed: str) -> tuple[str, str]:
    """Return what a run in a process of its own prints, and the log it writes."""
    log = folder / f"{hash_seed}.jsonl"
    command = [sys.executable, "-c", SCRIPT, str(seed), str(pause_s), str(log)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(  # noqa: S603 - our own script
        command, check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout, log.read_text()


class Diary:
    """What a host was told of one symbol."""

    def __init__(self) -> None:
        self.books: list[Snapshot] = []
        self.events: list[str] = []

    def book(self, book: Snapshot) -> None:
        self.books.append(book)

    def event(self, event: FeedEvent) -> None:
        self.events.append(type(event).__name__)


class Silent:
    """A receiver that makes nothing of what it is told."""

    def opened(self, link: Link) -> None:
        del link

    def received(self, payload: bytes, received_ns: int) -> None:
        del payload, received_ns

    def oversized(self, length: int, received_ns: int) -> None:
        del length, received_ns

    def heard(self, received_ns: int) -> None:
        del received_ns

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        del reason, refusal


@pytest.fixture
def world() -> World:
    return World(seed=1)


@pytest.fixture
def exchanges(world: World) -> WorldTransport:
    return WorldTransport.serving(world, FEEDS)


@pytest.fixture
def market(world: World, exchanges: WorldTransport) -> Iterator[MarketData]:
    with MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges) as market:
        yield market


@pytest.fixture
def diary(market: MarketData) -> Diary:
    diary = Diary()
    market.subscribe("binance:BTCUSDT", diary.book, on_event=diary.event)
    return diary


def test_all_feeds_stream(world: World, market: MarketData) -> None:
    world.run_for(10.0)
    feeds = market.metrics().feeds

    assert {feed.state for feed in feeds} == {"streaming"}
    assert market.latest_all().keys() == {key for feed in FEEDS for key in feed.keys}


def test_no_thread_and_no_socket_is_made(world: World) -> None:
    before = threading.active_count()
    exchanges = WorldTransport.serving(world, FEEDS)
    with MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges):
        world.run_for(5.0)

        assert threading.active_count() == before


def test_two_processes_do_the_same_to_the_byte(tmp_path: Path) -> None:
    # The second hashes strings otherwise, and takes its time.
    one = trace(tmp_path, 1, hash_seed="1")

    assert one == trace(tmp_path, 1, hash_seed="2", pause_s=0.001)
    assert "FeedStalled" in one[0] or "FeedLost" in one[0]


def test_another_seed_does_something_else() -> None:
    def traced(seed: int) -> str:
        world = World(seed)
        exchanges = WorldTransport.serving(world, FEEDS)
        with MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges):
            world.run_for(10.0)
        return world.trace_hash

    assert traced(1) != traced(2)


CLOCKS = frozenset(
    getattr(time, name)
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep")
)


def test_nothing_reads_the_real_clock_or_draws_a_real_number(tmp_path: Path) -> None:
    leaks: list[str] = []

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and _is_real(called) and not _is_excused(frame):
            leaks.append(f"{called.__name__} in {frame.f_code.co_filename}:{frame.f_lineno}")

    world = World(seed=1)
    exchanges = WorldTransport.serving(world, FEEDS)
    market = MarketData(
        FEEDS, dispatcher=world, transport=exchanges, rest=exchanges, log=tmp_path / "log.jsonl"
    )
    market.subscribe("upbit:KRW-BTC", lambda _: world.spend(1.0))
    market.on_anomaly(lambda _: None)
    sys.setprofile(watch)
    try:
        with market:
            world.run_for(10.0)
            exchanges["upbit"].disconnect(None)
            world.run_for(30.0)
    finally:
        sys.setprofile(None)

    assert leaks == []


def _is_real(called: Any) -> bool:
    drawn = called is os.urandom or getattr(called, "__self__", None) is random._inst
    return drawn or called in CLOCKS


def _is_excused(frame: FrameType) -> bool:
    # Pykka gives an actor a random name, and reads the clock before it looks for an answer that is
    # there; Hypothesis, once used, watches the garbage collector. None of it decides anything.
    names = (Path(frame.f_code.co_filename).parts, frame.f_code.co_filename)
    return "uuid.py" in names[1] or bool({"pykka", "hypothesis"} & {*names[0]})


def test_a_lost_connection_is_told_in_band_and_made_again(
    world: World, exchanges: WorldTransport, market: MarketData, diary: Diary
) -> None:
    world.run_for(5.0)
    exchanges["binance"].disconnect(None)
    world.run_for(60.0)

    assert diary.events == ["FeedConnected", "FeedLost", "FeedConnected"]
    assert market.metrics().feeds[1].reconnects == 1


def test_a_half_open_connection_is_noticed_and_replaced(
    world: World, exchanges: WorldTransport, market: MarketData, diary: Diary
) -> None:
    world.run_for(5.0)
    exchanges["binance"].half_open()
    world.run_for(120.0)

    assert diary.events[-2:] == ["FeedLost", "FeedConnected"]
    assert market.metrics().feeds[1].state == "streaming"


def test_who_is_not_let_in_within_ten_seconds_gives_up_and_tries_again(
    world: World, exchanges: WorldTransport
) -> None:
    exchanges["binance"].stall(60.0)
    with MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges) as market:
        world.run_for(10.1)
        given_up = market.metrics().feeds[1].last_error
        world.run_for(120.0)

        assert given_up == "TimeoutError: not connected within 10 s"
        assert market.metrics().feeds[1].state == "streaming"


def test_the_exchange_learns_when_a_client_leaves(
    world: World, exchanges: WorldTransport, market: MarketData
) -> None:
    world.run_for(5.0)
    before = exchanges["binance"].connections
    market.stop()
    world.run_for(1.0)

    assert (before, exchanges["binance"].connections) == (1, 0)


def test_a_slow_handler_raises_an_anomaly_that_clears(world: World, market: MarketData) -> None:
    told: list[AnomalyAlert] = []
    market.on_anomaly(told.append)
    world.run_for(5.0)
    world.slow("binance:BTCUSDT", 10.0)
    world.run_for(400.0)
    raised = {alert.kind for alert in market.anomalies() if alert.key == "binance:BTCUSDT"}
    world.slow("binance:BTCUSDT", 0.0)
    world.run_for(120.0)

    assert {"WS_QUEUE_LAG", "WS_QUEUE_DEPTH"} <= raised
    assert not [alert for alert in market.anomalies() if alert.key == "binance:BTCUSDT"]


def test_a_slow_disk_delays_the_log_and_nothing_else(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    exchanges = WorldTransport.serving(world, FEEDS)
    with MarketData(
        FEEDS, dispatcher=world, transport=exchanges, rest=exchanges, log=log
    ) as market:
        world.slow("run log", 10.0)
        world.run_for(60.0)
        written, lag_ms = (
            len(log.read_text().splitlines()),
            market.queue("upbit:KRW-BTC").lag_max_ms,
        )
        world.slow("run log", 0.0)
        world.run_for(20.0)

    assert written < 10
    assert lag_ms == 0.0


def test_time_stamps_of_books_are_the_worlds_time(world: World, market: MarketData) -> None:
    world.run_for(60.0)
    book = market.latest("upbit:KRW-BTC")
    assert book is not None
    assert book.exchange_time_ms is not None

    assert world.clock.unix_s() - book.exchange_time_ms / 1000 == pytest.approx(0.0, abs=10.0)


@pytest.mark.parametrize(
    ("file", "feed", "books"),
    [
        (
            "upbit-2021-04-17.ws.txt",
            Feed(
                "upbit",
                ["KRW-LAMB", "KRW-WAVES", "BTC-XTZ", "BTC-ITAM", "BTC-PAX"],
                stream="orderbook/simple",
            ),
            145,
        ),
        (
            "binance-2021-10-12.ws.txt",
            Feed("binance", ["NKNUSDT", "LRCBTC", "BLZETH", "RUNEEUR"], stream="bookTicker"),
            84,
        ),
    ],
)
def test_a_capture_is_replayed_in_virtual_time(
    world: World, captures: Path, file: str, feed: Feed, books: int
) -> None:
    exchange = WorldExchange.replaying(world, captures / file)
    transport = WorldTransport(world, [exchange], delay_s=0.0)
    with MarketData([feed], dispatcher=world, transport=transport, rest=transport) as market:
        world.run_for(40.0)

        assert market.metrics().feeds[0].snapshots == books


def test_of_a_recording_of_two_exchanges_one_is_replayed(world: World, tmp_path: Path) -> None:
    feeds = [Feed("upbit", ["KRW-BTC"]), Feed("bybit", ["BTCUSDT"])]
    recorded = World(seed=1)
    scene = WorldScene.serving(recorded, feeds, rate=5.0, record=tmp_path / "a")
    with scene.market:
        recorded.run_for(10.0)
    exchange = WorldExchange.replaying(world, tmp_path / "a")
    (feed,) = [each for each in feeds if each.exchange == exchange.name]
    transport = WorldTransport(world, [exchange])
    with MarketData([feed], dispatcher=world, transport=transport) as market:
        world.run_for(9.0)

        assert market.metrics().feeds[0].snapshots > 10
        assert market.metrics().feeds[0].bad_frames == {}


def test_what_is_said_takes_its_time(world: World) -> None:
    feeds = [Feed("upbit", ["KRW-BTC"])]
    book = Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), 5)
    transport = WorldTransport(world, [WorldExchange(world, "upbit", [(10.0, book)])], delay_s=0.25)
    with MarketData(feeds, dispatcher=world, transport=transport) as market:
        world.run_for(10.24)
        before = market.latest("upbit:KRW-BTC")
        world.run_for(0.02)

        assert (before, market.latest("upbit:KRW-BTC") is None) == (None, False)


def numbered() -> Iterator[tuple[float, Snapshot]]:
    for number in count(1):
        # In threes, together: what arrives at once may be taken in any order between connections.
        at_s = number // 3 * 0.01
        for symbol in ("BTCUSDT", "ETHUSDT"):
            yield at_s, Snapshot("binance", symbol, ((1.0, 1.0),), ((2.0, 1.0),), None, number)


@given(st.data())
@settings(max_examples=30)
def test_in_every_interleaving_a_connection_keeps_its_order(data: st.DataObject) -> None:
    world = World(choose=lambda n: data.draw(st.integers(0, n - 1)))
    feeds = [Feed("binance", ["BTCUSDT"]), Feed("binance", ["ETHUSDT"])]
    exchange = WorldExchange(world, "binance", islice(numbered(), 30))
    seen: dict[str, list[int]] = {"BTCUSDT": [], "ETHUSDT": []}
    transport = WorldTransport(world, [exchange])
    market = MarketData(feeds, dispatcher=world, transport=transport, rest=transport)
    for symbol in seen:
        market.subscribe(
            f"binance:{symbol}", lambda book: seen[book.symbol].append(book.sequence or 0)
        )
    with market:
        world.run_for(1.0)

    assert all(numbers == sorted(numbers) and len(numbers) > 5 for numbers in seen.values())


def test_which_connection_is_heard_first_depends_on_the_seed() -> None:
    def first(seed: int) -> str:
        world, seen = World(seed), list[str]()
        feeds = [Feed("binance", ["BTCUSDT"]), Feed("binance", ["ETHUSDT"])]
        exchange = WorldExchange(
            world, "binance", ((1.0 + at_s, book) for at_s, book in numbered())
        )
        transport = WorldTransport(world, [exchange])
        market = MarketData(feeds, dispatcher=world, transport=transport, rest=transport)
        for key in ("binance:BTCUSDT", "binance:ETHUSDT"):
            market.subscribe(key, lambda book: seen.append(book.symbol))
        with market:
            world.run_until(lambda: bool(seen))
        return seen[0]

    assert {first(seed) for seed in range(20)} == {"BTCUSDT", "ETHUSDT"}


def test_what_waits_to_be_read_is_the_backlog(world: World) -> None:
    exchange = WorldExchange(world, "binance")
    transport = WorldTransport(world, [exchange], delay_s=0.0)

    link = transport.open("test", "ws://binance/ws/btcusdt@bookTicker", Silent())
    world.run_for(1.0)
    exchange.send_raw("12345")
    exchange.send_raw(b"678")
    before = link.backlog()
    world.run_for(1.0)

    assert (before, link.backlog()) == (8, 0)


@pytest.mark.parametrize("url", ["wss://api.example.com", "ws://upbits.example.com"])
def test_an_address_of_no_exchange_here_is_an_error(world: World, url: str) -> None:
    transport = WorldTransport(world, [WorldExchange(world, "binance")])
    receiver: Any = None

    with pytest.raises(InvalidOption, match="of an exchange here: binance"):
        transport.open("test", url, receiver)


def test_a_negative_delay_is_refused(world: World) -> None:
    with pytest.raises(InvalidOption, match="at least 0"):
        WorldTransport(world, [], delay_s=-1.0)


def test_an_error_of_the_books_is_raised_by_whoever_runs_the_world(world: World) -> None:
    def broken() -> Iterator[tuple[float, Snapshot]]:
        yield 1.0, Snapshot("upbit", "KRW-BTC", (), (), 1)
        raise ZeroDivisionError

    WorldExchange(world, "upbit", broken())

    with pytest.raises(ZeroDivisionError):
        world.run_for(10.0)


FAULTS: dict[str, Callable[[WorldExchange], None]] = {
    "disconnect": lambda exchange: exchange.disconnect(),
    "reset": lambda exchange: exchange.disconnect(None),
    "half open": lambda exchange: exchange.half_open(),
    "stall": lambda exchange: exchange.stall(15.0),
    "burst": lambda exchange: exchange.burst(2000),
    "corrupt": lambda exchange: exchange.corrupt(10),
    "duplicate": lambda exchange: exchange.duplicate(10),
    "reorder": lambda exchange: exchange.reorder(10),
    "gap": lambda exchange: exchange.gap(10),
    "raw": lambda exchange: exchange.send_raw("{}"),
    "reject": lambda exchange: exchange.reject(10.0),
    "rate limit": lambda exchange: exchange.rate_limit(10.0),
    "shutdown": lambda exchange: exchange.shutdown(5.0, 10.0),
}


@given(
    seed=st.integers(0, 2**32),
    plan=st.lists(
        st.tuples(
            st.floats(0.0, 30.0),
            st.sampled_from(["upbit", "binance", "bybit"]),
            st.sampled_from([*FAULTS]),
        ),
        max_size=6,
    ),
)
@settings(max_examples=25)
def test_whatever_befalls_the_exchanges_books_stay_in_order_and_feeds_come_back(
    seed: int, plan: list[tuple[float, str, str]]
) -> None:
    world = World(seed)
    exchanges = WorldTransport.serving(world, FEEDS, rate=1.0, depth=3)
    market = MarketData(FEEDS, dispatcher=world, transport=exchanges, rest=exchanges)
    books: list[Snapshot] = []
    for key in ("binance:BTCUSDT", "bybit:BTCUSDT"):
        market.subscribe(key, books.append)
    with market:
        for wait_s, name, fault in plan:
            world.run_for(wait_s)
            FAULTS[fault](exchanges[name])
        world.run_for(120.0)
        back = world.run_until(lambda: all_stream(market), timeout=600.0)
        totals = market.metrics().totals

    assert back
    assert totals.failed == 0
    binance = [book.sequence or 0 for book in books if book.exchange == "binance"]
    assert binance == sorted(binance)


def all_stream(market: MarketData) -> bool:
    return {feed.state for feed in market.metrics().feeds} == {"streaming"}


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "world.md").read_text("utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    began = time.process_time()
    exec(example, {})  # noqa: S102 - our own page

    assert "half-open" in capsys.readouterr().out
    assert time.process_time() - began < 10.0  # two seconds on an idle machine


def test_a_stall_that_begins_before_a_shutdown_is_over_ends_in_its_time() -> None:
    world = World(1)
    feed = Feed("upbit", ["KRW-BTC"])
    exchanges = WorldTransport.serving(world, [feed])
    market = MarketData([feed], dispatcher=world, transport=exchanges, rest=exchanges)
    world.call_later(5.0, lambda: exchanges["upbit"].shutdown(notice_s=10.0))
    world.call_later(6.0, lambda: exchanges["upbit"].stall(20.0))
    with market:
        world.run_for(60.0)

        assert exchanges["upbit"].model.stalled_until_s is None
        assert market.metrics().feeds[0].state == "streaming"
