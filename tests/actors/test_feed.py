"""The actor that keeps a connection alive: over real sockets, and step by step."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from loguru import logger
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.sync.server import ServerConnection, serve

from ticklane import Feed, MarketData
from ticklane.messages import FeedEvent, FeedMetrics, FeedStalled, Snapshot
from ticklane.simulation import LoopbackExchange
from ticklane.simulation.upbit_venue import UpbitForm

if TYPE_CHECKING:
    from loguru import Message

TIMEOUT_S = 10.0
KEY = "upbit:KRW-BTC"
SECOND_NS = 1_000_000_000


def book(at_ms: int, symbol: str = "KRW-BTC") -> Snapshot:
    return Snapshot("upbit", symbol, ((100.0, 1.0),), ((101.0, 1.0),), at_ms)


def frame(at_ms: int) -> bytes:
    return UpbitForm().frame(book(at_ms))


## Over real sockets


@attrs.define
class Diary:
    """What one symbol's consumer was told, in order; knows when that is enough."""

    entries: list[str] = attrs.field(factory=list)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def add(self, told: Snapshot | FeedEvent) -> None:
        with self._changed:
            self.entries.append(
                f"book {told.exchange_time_ms}"
                if isinstance(told, Snapshot)
                else type(told).__name__
            )
            self._changed.notify_all()

    def has(self, entry: str, times: int = 1) -> bool:
        """Wait until it was told that often."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self.entries.count(entry) >= times, timeout=TIMEOUT_S
            )


@contextmanager
def consumer(url: str) -> Iterator[tuple[MarketData, Diary]]:
    """Yield running market data of one symbol, and what its consumer is told."""
    market = MarketData([Feed("upbit", ["KRW-BTC"], url=url)])
    diary = Diary()
    market.subscribe(KEY, diary.add, on_event=diary.add)
    with market:
        yield market, diary


@pytest.fixture
def quiet() -> Iterator[LoopbackExchange]:
    """Return an exchange that says what the test says."""
    with LoopbackExchange("upbit", ()) as exchange:
        yield exchange


@pytest.fixture
def lost() -> Iterator[Callable[[int], bool]]:
    """Return what waits until so many connections were lost."""
    logged: list[str] = []
    changed = threading.Condition()

    def note(message: "Message") -> None:
        with changed:
            logged.append(message)
            changed.notify_all()

    def wait(times: int) -> bool:
        with changed:
            return changed.wait_for(
                lambda: sum("lost" in each for each in logged) >= times, timeout=TIMEOUT_S
            )

    sink = logger.add(note, format="{message}")
    logger.enable("ticklane")
    yield wait
    logger.disable("ticklane")
    logger.remove(sink)


def feed_of(market: MarketData) -> FeedMetrics:
    return market.metrics().feeds[0]


def test_what_a_feed_brought_is_known_when_it_has_stopped(quiet: LoopbackExchange) -> None:
    with consumer(quiet.url) as (market, diary):
        assert diary.has("FeedConnected")
        for number in (1, 2):
            quiet.send_raw(frame(number))
            assert diary.has(f"book {number}")

    assert (feed_of(market).frames, feed_of(market).snapshots) == (2, 2)
    assert feed_of(market).state == "stopped"


@pytest.mark.parametrize("drop", [LoopbackExchange.disconnect, lambda it: it.disconnect(None)])
def test_a_lost_connection_is_made_again_and_told_in_band_and_in_order(
    quiet: LoopbackExchange, drop: Callable[[LoopbackExchange], None]
) -> None:
    with consumer(quiet.url) as (market, diary):
        for number in (1, 2, 3):
            assert diary.has("FeedConnected", number)
            quiet.send_raw(frame(number))
            assert diary.has(f"book {number}")
            drop(quiet)
        assert diary.has("FeedLost", 3)
        told = diary.entries[:9]

    assert told == [
        entry for number in (1, 2, 3) for entry in ("FeedConnected", f"book {number}", "FeedLost")
    ]
    assert market.queue(KEY).restarts == 0


@pytest.mark.parametrize(
    ("drop", "said"),
    [
        (lambda exchange: exchange.disconnect(code=1012), "closed by the exchange with 1012"),
        (lambda exchange: exchange.disconnect(None), "ConnectionResetError"),
    ],
)
def test_why_a_connection_was_lost_is_its_last_error(
    quiet: LoopbackExchange, drop: Callable[[LoopbackExchange], None], said: str
) -> None:
    with consumer(quiet.url) as (market, diary):
        assert diary.has("FeedConnected")
        drop(quiet)
        assert diary.has("FeedConnected", 2)

        assert feed_of(market).reconnects == 1
        assert said in str(feed_of(market).last_error)


def test_a_feed_waits_for_an_exchange_that_is_not_there_yet(
    quiet: LoopbackExchange, lost: Callable[[int], bool]
) -> None:
    url = quiet.url
    quiet.stop()
    with consumer(url) as (market, diary):
        assert lost(2)
        assert "ConnectionRefusedError" in str(feed_of(market).last_error)
        with LoopbackExchange("upbit", (), port=int(url.rpartition(":")[2])) as back:
            assert diary.has("FeedConnected")
            back.send_raw(frame(1))

            assert market.wait_for(KEY, TIMEOUT_S).exchange_time_ms == 1


def test_a_loss_is_told_once_however_many_attempts_it_takes(
    quiet: LoopbackExchange, lost: Callable[[int], bool]
) -> None:
    url = quiet.url
    with consumer(url) as (_, diary):
        assert diary.has("FeedConnected")
        quiet.stop()
        assert lost(2)
        with LoopbackExchange("upbit", (), port=int(url.rpartition(":")[2])):
            assert diary.has("FeedConnected", 2)
            told = [*diary.entries]

    assert told == ["FeedConnected", "FeedLost", "FeedConnected"]


@attrs.define
class ShiftedClock:
    """The machine's clock, put forward by the test."""

    _ahead_ns: int = 0

    def advance(self, seconds: float) -> None:
        self._ahead_ns += int(seconds * SECOND_NS)

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def unix_s(self) -> float:
        return time.time()


@contextmanager
def answering_pings() -> Iterator[tuple[str, threading.Semaphore]]:
    """Yield the address of a server that only answers pings, and what counts them."""
    pings = threading.Semaphore(0)

    class Pinged(ServerConnection):
        def process_event(self, event: Event) -> None:
            if isinstance(event, Frame) and event.opcode is Opcode.PING:
                pings.release()
            super().process_event(event)

    def listen(connection: ServerConnection) -> None:
        for _ in connection:
            """Pass over what the client asks for."""

    with serve(listen, "127.0.0.1", 0, create_connection=Pinged, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", pings
        server.shutdown()
        thread.join(TIMEOUT_S)


def test_a_quiet_symbol_on_a_connection_that_answers_pings_is_no_fault() -> None:
    clock = ShiftedClock()
    with answering_pings() as (url, pings):
        market = MarketData([Feed("upbit", ["KRW-BTC"], url=url)], clock=clock)
        diary = Diary()
        market.subscribe(KEY, diary.add, on_event=diary.add)
        with market:
            assert diary.has("FeedConnected")
            while market.metrics().feeds[0].state == "connecting":
                """The feed's actor is about to hear of it too, and counts from then."""
            for seconds in (30.0, 20.0):
                clock.advance(seconds)
                assert pings.acquire(timeout=3.0), diary.entries

            assert diary.entries == ["FeedConnected"]


## Step by step


def test_it_goes_through_the_states_of_a_connections_life(playground: Any) -> None:
    states = [playground.status.state]
    for step in (
        playground.opens,
        playground.brings_a_book,
        playground.is_lost,
        lambda: playground.world.run_for(0.5),
        playground.end,
    ):
        step()
        states.append(playground.status.state)

    assert states == [
        "connecting",
        "subscribing",
        "streaming",
        "backoff",
        "connecting",
        "stopped",
    ]


def test_it_connects_to_the_exchanges_own_address(playground: Any) -> None:
    assert playground.wire.url == "wss://api.upbit.com/websocket/v1"


def test_it_tries_again_for_ever_and_never_waits_longer_than_the_cap(
    playground: Any,
) -> None:
    for _ in range(100):
        playground.is_lost()
        playground.world.run_for(30.0)

    assert len(playground.wires.made) == 101
    assert playground.status.reconnects == 100


def test_it_waits_a_random_time_that_grows(playground: Any) -> None:
    waits_s: list[float] = []
    for _ in range(8):
        before_ns = playground.world.clock.now_ns()
        playground.is_lost()
        # Its checks go on meanwhile: the retry is what comes before or between them.
        while len(playground.wires.made) == len(waits_s) + 1:
            playground.world.run_for(0.01)
        waits_s.append((playground.world.clock.now_ns() - before_ns) / 1e9)

    assert all(wait_s <= 0.5 * 2**i + 0.02 for i, wait_s in enumerate(waits_s))
    assert max(waits_s) > 1.0


def test_a_connection_that_streamed_makes_the_next_wait_short_again(
    playground: Any,
) -> None:
    for _ in range(8):
        playground.is_lost()
        playground.world.run_for(30.0)
    playground.opens()
    playground.brings_a_book()
    playground.is_lost()
    playground.world.run_for(0.5)

    assert len(playground.wires.made) == 10


def test_attempts_wait_for_the_budget_they_share(
    playground: Any, new_playground: Callable[..., Any]
) -> None:
    others = [
        new_playground(world=playground.world, wires=playground.wires, gate=playground.gate)
        for _ in range(6)
    ]
    for other in others:
        other.start()
    at_once = len(playground.wires.made)
    playground.world.run_for(1.1)
    for other in others:
        other.end()

    assert (at_once, len(playground.wires.made)) == (5, 7)


@pytest.mark.parametrize(("exchange", "pings"), [("upbit", 5), ("binance", 0)])
def test_it_pings_as_often_as_the_exchange_asks(
    exchange: str, pings: int, new_playground: Callable[..., Any]
) -> None:
    playground = new_playground(exchange)
    playground.start()
    playground.opens()
    playground.streams(101)
    playground.end()

    assert playground.wire.pings == pings


def test_a_connection_that_says_nothing_is_told_to_every_symbol_and_closed(
    playground: Any,
) -> None:
    playground.opens()
    playground.wire.answers = True
    playground.brings_a_book()
    playground.world.run_for(60.0)
    before = playground.wire.closed_for
    playground.world.run_for(1.0)

    assert before is None
    assert playground.status.state == "stalled"
    assert playground.wire.closed_for == "stalled: no data for 61 s"
    for symbol in ("BTC", "ETH"):
        assert playground.events(symbol)[-1] == FeedStalled(key=f"upbit:{symbol}", silence_s=61.0)


def test_a_connection_that_never_said_anything_is_silent_since_it_opened(
    playground: Any,
) -> None:
    playground.world.run_for(50.0)
    playground.opens()
    playground.world.run_for(60.0)
    before = playground.wire.closed_for
    playground.world.run_for(1.0)

    assert (before, playground.wire.closed_for) == (None, "stalled: no data for 61 s")


def test_what_an_earlier_connection_tells_only_adds_to_the_sums(playground: Any) -> None:
    playground.opens()
    playground.brings_a_book()
    earlier = playground.wire
    playground.start()
    playground.opens()
    playground.brings_a_book()
    playground.is_lost(earlier)

    assert playground.status.state == "streaming"
    assert playground.status.reconnects == 0
    assert playground.status.metrics(0).snapshots == 2


def test_the_next_actor_leaves_the_connection_of_the_one_before(playground: Any) -> None:
    playground.opens()
    earlier = playground.wire
    playground.end()
    playground.start()

    assert earlier.closed_for is not None
    assert playground.wire is not earlier


def test_the_next_actor_looks_after_its_connection_once_a_second_all_the_same(
    playground: Any,
) -> None:
    playground.is_lost()
    playground.wires.broken = True
    playground.world.run_for(0.5)
    playground.wires.broken = False
    playground.start()
    playground.world.run_for(2.0)

    assert len(playground.world._due) == 1


def test_stopping_closes_the_connection_and_makes_no_other(playground: Any) -> None:
    playground.opens()
    playground.end()
    playground.is_lost()
    playground.world.run_for(60.0)

    assert playground.wire.closed_for == "closed by us"
    assert len(playground.wires.made) == 1


def test_another_message_is_a_dead_letter(playground: Any) -> None:
    playground.inbox.tell("hello")
    playground.world.run_for(0.0)

    assert playground.world.dead_letters.counts() == {"unhandled": 1}
