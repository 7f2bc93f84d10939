"""What is done about a connection, or a symbol, that says nothing."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from websockets.sync.server import ServerConnection, serve

from ticklane import Feed
from ticklane.actors import ConnectGate, FeedActor, FeedPart, FeedStatus
from ticklane.analysis import SilenceLimits
from ticklane.messages import FeedStalled, Snapshot, SymbolsChanged
from ticklane.runtime import Dispatcher, Inbox, Mailbox, WebSocketTransport
from ticklane.simulation.upbit_venue import UpbitForm

TIMEOUT_S = 10.0


@pytest.fixture
def lively(new_playground: Callable[..., Any]) -> Iterator[Any]:
    """Yield a feed whose market has been active for five minutes and whose wires obey."""
    playground = new_playground()
    playground.wires.obedient = True
    playground.start()
    playground.wire.answers = True
    playground.opens()
    playground.streams(300)
    yield playground
    playground.end()


def comes_back(playground: Any, within_s: float = 40.0) -> Any:
    """Let the feed connect anew; return the new wire, open and answering pings."""
    before = len(playground.wires.made)
    assert playground.world.run_until(
        lambda: len(playground.wires.made) > before or not playground.wires.made[-1].gone,
        timeout=within_s,
    )
    playground.wire.answers = True
    playground.opens()
    return playground.wire


## A vanished peer


def test_a_vanished_peer_on_an_active_market_is_found_within_ten_seconds(lively: Any) -> None:
    wire = lively.wire
    wire.answers = False
    lively.world.run_for(10.0)

    assert wire.pings > 0
    assert wire.closed_for == "half-open: silent for 6 s and no answer to a ping"
    assert lively.told() == ["FeedConnected", "FeedLost"]


def test_it_is_found_as_soon_when_the_connection_is_new(playground: Any) -> None:
    playground.opens()
    playground.brings_a_book()
    playground.world.run_for(10.0)

    assert str(playground.wire.closed_for).startswith("half-open")


def test_a_lively_connection_is_not_pinged_more_than_the_exchange_asks(lively: Any) -> None:
    before = lively.wire.pings
    lively.streams(100)

    assert lively.wire.pings - before == 5


def test_a_silent_exchange_that_wants_no_pings_is_probed_all_the_same(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground("binance", ("BTC",)).start()
    playground.opens()
    book = b'{"stream":"btc@depth20@100ms","data":{"lastUpdateId":1,"bids":[["1","1"]],"asks":[]}}'
    playground.wire.receiver.received(book, playground.world.clock.now_ns())
    playground.world.run_for(4.0)

    assert playground.wire.pings == 1


def test_a_quiet_market_is_probed_less_and_less(playground: Any) -> None:
    playground.wire.answers = True
    playground.opens()
    playground.brings_a_book()
    playground.world.run_for(19.5)

    assert playground.wire.pings <= 4
    assert playground.wire.closed_for is None


def test_an_exchange_that_never_answers_pings_is_given_twice_as_long_each_time(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground()
    playground.wires.obedient = True
    playground.start()
    lasted: list[float] = []
    for _ in range(5):
        wire = playground.wire
        wire.opens()
        wire.brings("BTC")
        opened_ns = playground.world.clock.now_ns()
        assert playground.world.run_until(lambda wire=wire: wire.gone, timeout=200.0)
        lasted.append((playground.world.clock.now_ns() - opened_ns) / 1e9)
        made = len(playground.wires.made)
        playground.world.run_until(lambda made=made: len(playground.wires.made) > made)
    playground.end()

    waits = [seconds - 2 for seconds in lasted]
    assert all(2 ** (2 + i) <= wait <= 2 ** (2 + i) + 2.1 for i, wait in enumerate(waits[:4]))


## No data


def test_a_connection_that_answers_pings_but_brings_no_data_is_stalled_in_band(
    lively: Any,
) -> None:
    wire = lively.wire
    lively.world.run_for(15.0)

    assert str(wire.closed_for).startswith("stalled: no data for 1")
    assert lively.told()[1:3] == ["FeedStalled", "FeedLost"]
    assert isinstance(lively.events("ETH")[1], FeedStalled)


def test_a_quiet_market_is_not_reconnected_every_ten_seconds(lively: Any) -> None:
    start_s = lively.world.clock.now_ns() / 1e9
    ends: list[float] = []
    while len(ends) < 5:
        wire = lively.wire
        assert lively.world.run_until(lambda wire=wire: wire.gone, timeout=2000.0)
        ends.append(lively.world.clock.now_ns() / 1e9 - start_s)
        made = len(lively.wires.made)
        lively.world.run_until(lambda made=made: len(lively.wires.made) > made)
        lively.wire.answers = True
        lively.opens()
        lively.wire.brings("BTC", "ETH")  # what a subscription is answered with

    gaps = [later - earlier for earlier, later in itertools.pairwise(ends)]
    assert all(later > 1.7 * earlier for earlier, later in itertools.pairwise(gaps))
    assert gaps[-1] > 100


def test_data_that_comes_again_makes_the_limit_short_again(lively: Any) -> None:
    for _ in range(3):
        wire = lively.wire
        assert lively.world.run_until(lambda wire=wire: wire.gone, timeout=2000.0)
        made = len(lively.wires.made)
        lively.world.run_until(lambda made=made: len(lively.wires.made) > made)
        lively.wire.answers = True
        lively.opens()
        lively.wire.brings("BTC")
    lively.streams(60)
    wire = lively.wire
    lively.world.run_for(20.0)

    assert wire.gone


def is_away(playground: Any, seconds: float) -> None:
    """Lose the connection, and have the next one open after so long."""
    playground.is_lost()
    playground.world.run_for(seconds)
    playground.wire.answers = True
    playground.opens()


def test_what_passes_without_a_connection_is_not_the_markets_rhythm(lively: Any) -> None:
    for _ in range(10):
        is_away(lively, 9.0)
        lively.streams(20)
    wire = lively.wire
    lively.world.run_for(15.0)

    assert str(wire.closed_for).startswith("stalled")


def test_a_symbols_silence_begins_anew_with_each_connection(lively: Any) -> None:
    is_away(lively, 9.0)
    for _ in range(12):
        lively.world.run_for(0.5)
        lively.wire.brings("BTC")

    assert "FeedStalled" not in lively.told("ETH")


def test_a_reconnect_because_of_silence_is_one_reconnect(lively: Any) -> None:
    wire = lively.wire
    lively.world.run_until(lambda: wire.gone)
    lively.world.run_for(0.5)

    assert lively.status.reconnects == 1
    assert len(lively.wires.made) == 2


## One symbol


def test_a_symbol_silent_beyond_its_rhythm_is_told_once_and_asked_for_again(lively: Any) -> None:
    before = len(lively.wire.sent)
    for _ in range(120):
        lively.world.run_for(0.5)
        lively.wire.brings("BTC")

    assert lively.told("ETH") == ["FeedConnected", "FeedStalled"]
    assert lively.told("BTC") == ["FeedConnected"]
    assert len(lively.wire.sent) == before + 1
    assert lively.wire.closed_for is None


def test_a_symbol_that_spoke_again_may_be_told_again(lively: Any) -> None:
    for _ in range(2):
        for _ in range(120):
            lively.world.run_for(0.5)
            lively.wire.brings("BTC")
        lively.streams(5)

    assert lively.told("ETH") == ["FeedConnected", "FeedStalled", "FeedStalled"]


def test_a_symbol_that_was_always_slow_is_no_fault(new_playground: Callable[..., Any]) -> None:
    playground = new_playground().start()
    playground.wire.answers = True
    playground.opens()
    for second in range(2400):
        playground.world.run_for(1.0)
        playground.wire.brings(*(("BTC", "ETH") if second % 30 == 0 else ("BTC",)))
    playground.end()

    assert playground.told("ETH") == ["FeedConnected"]


def test_two_connections_that_miss_the_same_symbol_tell_it_once(
    new_playground: Callable[..., Any],
) -> None:
    first = new_playground(redundancy=2).start()
    second = new_playground(world=first.world, wires=first.wires, part=first.part, standby=1)
    second.mailboxes = first.mailboxes
    second.start()
    wires = first.wires.made[:]
    for wire in wires:
        wire.answers = True
        wire.opens()
    for half_second in range(720):
        first.world.run_for(0.5)
        for wire in wires:
            wire.brings(*(("BTC", "ETH") if half_second < 600 else ("BTC",)))

    assert first.told("ETH") == ["FeedConnected", "FeedStalled"]


## Over a real socket


@contextmanager
def falling_silent() -> Iterator[tuple[str, threading.Event]]:
    """Yield a server that brings books and answers pings until the event is set."""
    silent = threading.Event()

    class Mute(ServerConnection):
        def send_data(self) -> None:
            if not silent.is_set():
                super().send_data()

    def talk(connection: ServerConnection) -> None:
        connection.recv()
        for at_ms in range(1, 1000):
            book = Snapshot("upbit", "BTC", ((100.0, 1.0),), ((101.0, 1.0),), at_ms)
            connection.send(UpbitForm().frame(book))
            if silent.wait(0.02):
                break
        for _ in connection:
            """Pass over what the client says, and say nothing."""

    with serve(
        talk, "127.0.0.1", 0, create_connection=Mute, ping_interval=None, close_timeout=0.1
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}", silent
        server.shutdown()
        thread.join(TIMEOUT_S)


@attrs.frozen
class Told:
    """Who listens to one symbol, by its mailbox."""

    mailbox: Mailbox

    def has(self, event: str) -> bool:
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            if any(type(each).__name__ == event for _, each in self.mailbox._events[:]):
                return True
            threading.Event().wait(0.01)
        return False


def test_a_real_server_that_stops_answering_is_found(dispatcher: Dispatcher) -> None:
    mailbox = Mailbox("upbit:BTC", dispatcher)
    status, inbox = FeedStatus("upbit", "upbit"), Inbox(dispatcher)
    with falling_silent() as (url, silent):
        FeedActor.start(
            feed=Feed("upbit", ["BTC"], url=url),
            part=FeedPart({"BTC": mailbox}),
            status=status,
            transport=WebSocketTransport(dispatcher),
            gate=ConnectGate.of(dispatcher.clock),
            dispatcher=dispatcher,
            inbox=inbox,
            limits=SilenceLimits(probe_after_s=0.2, answer_within_s=0.4, check_s=0.1),
        )
        told = Told(mailbox)
        assert told.has("FeedConnected")
        while status.state != "streaming":
            threading.Event().wait(0.01)
        silent.set()
        since_s = time.monotonic()
        assert told.has("FeedLost")
        took_s = time.monotonic() - since_s
        inbox.stop(drain=True)
        while status.links:
            threading.Event().wait(0.01)

    assert took_s < 5.0
    assert "half-open" in str(status.last_error)


def test_symbols_changed_before_the_connection_is_open_are_asked_for_when_it_is(
    playground: Any,
) -> None:
    playground.part.remove("ETH")
    playground.inbox.tell(SymbolsChanged())
    playground.opens()

    assert len(playground.wire.sent) == 2
    assert '"codes":["BTC"]' in playground.wire.sent[-1][1]
