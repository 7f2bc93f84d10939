"""The object a host holds, on threads and sockets: life, errors, handlers that get stuck.

What holds in a world too is in tests/test_behaviour.py and tests/test_behaviour_feeds.py.
"""

import asyncio
import gc
import itertools
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pykka
import pytest
from loguru import logger

from ticklane import AnomalyAlert, Feed, MarketData, Outcome, RestartPolicy, Snapshot
from ticklane.exchanges import EXCHANGES
from ticklane.messages import (
    AnomalyState,
    InvalidOption,
    Severity,
    TooManySymbols,
    UnknownKey,
    WrongState,
)
from ticklane.runtime import Dispatcher
from ticklane.simulation import LoopbackExchange, World
from ticklane.simulation.trace import Runnable
from ticklane.simulation.upbit_venue import UpbitForm

if TYPE_CHECKING:
    from loguru import Message

TIMEOUT_S = 10.0
BTC, ETH = "upbit:KRW-BTC", "upbit:KRW-ETH"
THRESHOLDS = "ws_queue_lag_warn_max, ws_queue_depth_max"
AT_ONCE = RestartPolicy(backoff_first_s=0.001)


def book(number: int, key: str = BTC) -> Snapshot:
    exchange, _, symbol = key.partition(":")
    bid = 100.0 + number
    return Snapshot(exchange, symbol, ((bid, 1.0),), ((bid + 1, 1.0),), number)


def frame(number: int, key: str = BTC) -> bytes:
    return UpbitForm().frame(book(number, key))


@attrs.define
class Diary:
    """A handler that writes down the numbers of the books it gets."""

    numbers: list[int | None] = attrs.field(factory=list)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def __call__(self, snapshot: Snapshot) -> None:
        with self._changed:
            self.numbers.append(snapshot.exchange_time_ms)
            self._changed.notify_all()

    def has(self, number: int) -> bool:
        """Wait until that book has come."""
        with self._changed:
            return self._changed.wait_for(lambda: number in self.numbers, timeout=TIMEOUT_S)


@attrs.define
class Gate:
    """A handler that is held up until it is opened."""

    began: threading.Event = attrs.field(factory=threading.Event)
    _open: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self, _: Snapshot) -> None:
        self.began.set()
        self._open.wait(TIMEOUT_S)

    def open(self) -> None:
        self._open.set()


@attrs.define
class Anomalies:
    """A callback that keeps what it was told."""

    alerts: list[AnomalyAlert] = attrs.field(factory=list)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def __call__(self, alert: AnomalyAlert) -> None:
        with self._changed:
            self.alerts.append(alert)
            self._changed.notify_all()

    def has(self, kind: str, state: AnomalyState = AnomalyState.RAISED) -> bool:
        """Wait until that was told."""
        with self._changed:
            return self._changed.wait_for(
                lambda: any((it.kind, it.state) == (kind, state) for it in self.alerts),
                timeout=TIMEOUT_S,
            )


def fail(_: Snapshot) -> None:
    raise ValueError("boom")


def fail_on(number: int) -> Callable[[Snapshot], None]:
    def handler(snapshot: Snapshot) -> None:
        if snapshot.exchange_time_ms == number:
            raise ValueError("boom")

    return handler


@pytest.fixture
def upbit() -> Iterator[LoopbackExchange]:
    """Return an exchange that says what the test says."""
    with LoopbackExchange("upbit", ()) as exchange:
        yield exchange


@pytest.fixture
def market(upbit: LoopbackExchange) -> Iterator[MarketData]:
    """Return market data of two symbols, not started yet."""
    feed = Feed("upbit", ["KRW-BTC", "KRW-ETH"], url=upbit.url)
    market = MarketData([feed], restarts=AT_ONCE, interval_s=0.01)
    yield market
    market.stop()


@pytest.fixture
def logged() -> Iterator[list["Message"]]:
    """Return what the library logs during the test, live."""
    messages: list[Message] = []
    sink = logger.add(messages.append, format="{level} {message}")
    logger.enable("ticklane")
    yield messages
    logger.disable("ticklane")
    logger.remove(sink)


def start(market: MarketData, exchange: LoopbackExchange) -> None:
    market.start()
    assert exchange.connected.wait(TIMEOUT_S)


## Books


def test_a_slow_handler_holds_up_no_other_symbol_of_its_connection(
    market: MarketData, upbit: LoopbackExchange
) -> None:
    gate, diary = Gate(), Diary()
    market.subscribe(BTC, gate)
    market.subscribe(ETH, diary)
    start(market, upbit)
    upbit.send_raw(frame(1))
    assert gate.began.wait(TIMEOUT_S)
    for number in (1, 2, 3):
        upbit.send_raw(frame(number, ETH))

    assert diary.has(3)
    gate.open()


def test_a_slow_handler_does_not_make_latest_old(
    market: MarketData, upbit: LoopbackExchange
) -> None:
    gate, diary = Gate(), Diary()
    market.subscribe(BTC, gate)
    market.subscribe(ETH, diary)
    start(market, upbit)
    for number in (1, 2, 3):
        upbit.send_raw(frame(number))
    upbit.send_raw(frame(1, ETH))
    assert diary.has(1)
    latest = market.latest(BTC)
    gate.open()

    assert latest is not None
    assert latest.exchange_time_ms == 3


## Subscriptions


def test_wait_for_does_not_wait_for_a_slow_handler(
    market: MarketData, upbit: LoopbackExchange
) -> None:
    gate = Gate()
    market.subscribe(BTC, gate)
    start(market, upbit)
    upbit.send_raw(frame(1))
    assert gate.began.wait(TIMEOUT_S)
    begun_s = time.monotonic()
    got = market.wait_for(BTC, 2.0)
    took_s = time.monotonic() - begun_s
    gate.open()

    assert got.exchange_time_ms == 1
    assert took_s < 1.0


## Snapshots the host brings itself


def test_capacity_and_policy_may_differ_by_symbol() -> None:
    market = MarketData(symbols=[BTC, ETH], capacity={BTC: 2}, overflow={ETH: "conflate"})
    for number in (1, 2, 3):
        market.offer(book(number))
        market.offer(book(number, ETH))
    market.stop()

    assert [market.queue(key).capacity for key in (BTC, ETH)] == [2, 1000]
    assert [market.queue(key).depth for key in (BTC, ETH)] == [2, 1]


def test_more_symbols_than_allowed_are_an_error_that_says_how_many() -> None:
    market = MarketData(symbols=[BTC], max_symbols=1)

    with pytest.raises(TooManySymbols, match="no room for 'upbit:KRW-ETH': max_symbols is 1"):
        market.offer(book(1, ETH))
    assert market.offer(book(1)) is Outcome.ACCEPTED
    market.stop()


## Handlers that raise


def test_what_a_handler_raised_is_logged_once_with_its_traceback(
    market: MarketData, upbit: LoopbackExchange, logged: list["Message"]
) -> None:
    diary = Diary()
    market.subscribe(BTC, fail_on(1))
    market.subscribe(BTC, diary)
    start(market, upbit)
    upbit.send_raw(frame(1))
    upbit.send_raw(frame(2))
    assert diary.has(2)
    told = [each for each in logged if "boom" in each]

    assert len(told) == 1
    assert told[0].record["message"] == f"{BTC} failed"
    assert "Traceback" in told[0]


## Anomalies


@attrs.define
class ShiftedClock:
    """The machine's clock, put forward by the test."""

    _ahead_ns: int = 0

    def advance(self, seconds: float) -> None:
        self._ahead_ns += int(seconds * 1e9)

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def unix_s(self) -> float:
        return time.time()


@contextmanager
def watched(**options: Any) -> Iterator[tuple[MarketData, Gate, Anomalies]]:
    """Yield market data of one symbol whose handler is held up in its first book."""
    gate, anomalies = Gate(), Anomalies()
    market = MarketData(symbols=[BTC], interval_s=0.01, **options)
    market.subscribe(BTC, gate)
    market.on_anomaly(anomalies)
    with market:
        market.offer(book(1))
        assert gate.began.wait(TIMEOUT_S)
        yield market, gate, anomalies
        gate.open()


def test_a_deep_mailbox_is_an_anomaly_until_it_is_shallow_again() -> None:
    with watched(thresholds={"ws_queue_depth_max": 5}) as (market, gate, anomalies):
        for number in range(2, 8):
            market.offer(book(number))
        assert anomalies.has("WS_QUEUE_DEPTH")
        open_then = market.anomalies()
        gate.open()
        assert anomalies.has("WS_QUEUE_DEPTH", AnomalyState.CLEARED)

    assert [(each.kind, each.key, each.value, each.threshold) for each in open_then] == [
        ("WS_QUEUE_DEPTH", BTC, 6, 5)
    ]
    assert market.anomalies() == ()
    assert [each.state for each in anomalies.alerts] == ["raised", "cleared"]


def test_a_late_handler_is_an_anomaly_until_it_is_on_time_again() -> None:
    clock = ShiftedClock()
    with watched(thresholds={"ws_queue_lag_warn_max": 2}, clock=clock) as (market, gate, told):
        market.offer(book(2))
        clock.advance(2.0)
        assert told.has("WS_QUEUE_LAG")
        open_then = market.anomalies()
        gate.open()
        assert told.has("WS_QUEUE_LAG", AnomalyState.CLEARED)

    assert [(each.kind, each.severity) for each in open_then] == [("WS_QUEUE_LAG", Severity.WARN)]
    assert market.report().ws_queue_lag_ms_max > 2000


## What there is to know


def test_a_log_has_a_line_for_each_interval(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with watched(log=path, thresholds={"ws_queue_depth_max": 1}) as (market, _, anomalies):
        for number in (2, 3):
            market.offer(book(number))
        assert anomalies.has("WS_QUEUE_DEPTH")
    entries = [json.loads(line) for line in path.read_text().splitlines()]

    assert max(entry["ws_queue_depth"] for entry in entries) == 2


def test_a_log_is_closed_even_if_the_start_never_came(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        market = MarketData(symbols=[BTC], log=tmp_path / "run.jsonl")
        market.stop()
        del market
        gc.collect()

    assert [str(each.message) for each in told] == []


def test_the_report_is_of_the_run_so_far() -> None:
    with watched() as (market, _, __):
        for number in range(2, 12):
            market.offer(book(number))
    report = market.report()

    assert (report.scenario, report.ws_queue_depth_max) == ("S1", 10)


## Errors


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Feed("nyse", ["IBM"]),
            f"exchange must be one of {', '.join(EXCHANGES)}, not 'nyse'",
        ),
        (
            lambda: Feed("upbit", ["KRW-BTC"], url="http://localhost"),
            "url must be an address that begins with ws:// or wss://, not 'http://localhost'",
        ),
        (
            lambda: MarketData(symbols=["KRW-BTC"]),
            "key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not 'KRW-BTC'",
        ),
        (
            lambda: MarketData(capacity=0),
            "capacity must be a whole number, at least 1, not 0",
        ),
        (
            lambda: MarketData(capacity=1.5),  # type: ignore[arg-type]
            "capacity must be a whole number, at least 1, not 1.5",
        ),
        (
            lambda: MarketData(overflow="drop_all"),
            "overflow must be one of drop_oldest, drop_newest, conflate, not 'drop_all'",
        ),
        (
            lambda: MarketData(thresholds={"ws_queue_lag": 5}),
            f"thresholds must be named among {THRESHOLDS}, not 'ws_queue_lag'",
        ),
        (
            lambda: MarketData(interval_s=0.0),
            "interval_s must be a number above 0, not 0.0",
        ),
        (
            lambda: MarketData(interval_s=float("nan")),
            "interval_s must be a number above 0, not nan",
        ),
        (
            lambda: MarketData(capacity={BTC: 0}),
            "capacity must be a whole number, at least 1, not 0",
        ),
        (
            lambda: MarketData(overflow={BTC: "drop_all"}),
            "overflow must be one of drop_oldest, drop_newest, conflate, not 'drop_all'",
        ),
        (
            lambda: MarketData(capacity={"KRW-BTC": 5}),
            "key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not 'KRW-BTC'",
        ),
    ],
)
def test_what_is_not_allowed_is_an_error_that_says_what_is(
    make: Callable[[], object], said: str
) -> None:
    with pytest.raises(InvalidOption) as caught:
        make()

    assert str(caught.value) == said


CALLS: list[Callable[[MarketData, str], object]] = [
    lambda market, key: market.subscribe(key, fail),
    lambda market, key: market.latest(key),
    lambda market, key: market.queue(key),
    lambda market, key: market.wait_for(key, 0.0),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_key_nobody_declared_is_an_error_that_names_near_ones(
    call: Callable[[MarketData, str], object],
) -> None:
    market = MarketData(symbols=[BTC, ETH])

    with pytest.raises(UnknownKey, match=r"unknown key 'upbit:KRW-BTD'.*did you mean upbit:KRW"):
        call(market, "upbit:KRW-BTD")
    market.stop()


@pytest.mark.parametrize("call", CALLS)
def test_a_key_without_an_exchange_is_an_error_that_says_how_keys_look(
    call: Callable[[MarketData, str], object],
) -> None:
    market = MarketData(symbols=[BTC])

    with pytest.raises(InvalidOption, match=r"of the form exchange:SYMBOL.*not 'KRW-BTC'"):
        call(market, "KRW-BTC")
    market.stop()


def test_a_log_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    market = MarketData(log=tmp_path / "missing" / "run.jsonl")

    with pytest.raises(InvalidOption, match="log must be a file that can be written"):
        market.start()
    market.stop()


## Starting and stopping


Left = Callable[[], set[str]]


@pytest.fixture
def left() -> Left:
    """Return what tells which threads and registered actors of ours are left of this test."""
    before = ours()
    return lambda: ours() - before


def ours() -> set[str]:
    threads = {str(each) for each in threading.enumerate() if each.name.startswith("ticklane-")}
    return threads | {str(ref) for ref in pykka.ActorRegistry.get_all()}


def test_starting_twice_is_an_error(market: MarketData) -> None:
    market.start()

    with pytest.raises(WrongState, match="market data that is running"):
        market.start()


@pytest.mark.parametrize("started", [True, False])
def test_starting_after_stop_is_an_error(market: MarketData, started: bool) -> None:
    if started:
        market.start()
    market.stop()

    with pytest.raises(WrongState, match="market data that is stopped; make a new one"):
        market.start()


def test_stopping_twice_is_fine(market: MarketData, upbit: LoopbackExchange, left: Left) -> None:
    start(market, upbit)
    market.stop()
    market.stop()

    assert left() == set()


def test_stopping_from_two_threads_at_once_is_fine(
    market: MarketData, upbit: LoopbackExchange, left: Left
) -> None:
    start(market, upbit)
    threads = [threading.Thread(target=market.stop) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)

    assert left() == set()


@pytest.mark.parametrize("interrupted", ["start", "stop"])
def test_who_starts_or_stops_may_stop_it_meanwhile(interrupted: str) -> None:
    """As a signal handler does; in a world a handler is called within the stop."""

    class Interrupting(World):
        def submit(self, inbox: Runnable) -> None:
            super().submit(inbox)
            if interrupted == "start" and not stopped:
                stopped.append(inbox)
                market.stop()

    stopped: list[object] = []
    world = Interrupting()
    market = MarketData(symbols=[BTC], dispatcher=world)
    market.subscribe(BTC, lambda _: market.stop())

    def live() -> None:
        market.start()
        market.offer(book(1))
        market.stop()
        world.run_for(60.0)

    living = threading.Thread(target=live, daemon=True)
    living.start()
    living.join(TIMEOUT_S)

    assert not living.is_alive()
    assert market.queue(BTC).status == "stopped"
    assert (market.queue(BTC).handled, world.timers) == (interrupted == "stop", 0)


def test_stop_hands_on_what_waits(market: MarketData) -> None:
    gate, diary = Gate(), Diary()
    market.subscribe(BTC, gate)
    market.subscribe(BTC, diary)
    market.start()
    for number in range(1, 11):
        market.offer(book(number))
    assert gate.began.wait(TIMEOUT_S)
    stopping = threading.Thread(target=market.stop)
    stopping.start()
    gate.open()
    stopping.join(TIMEOUT_S)

    assert diary.numbers == list(range(1, 11))
    assert market.queue(BTC).depth == 0


# It is a matter of where in a frame the stop comes: one try would often miss it.
@pytest.mark.parametrize("attempt", range(4))
def test_stop_in_full_flow_leaves_nothing_unhandled_that_was_accepted(attempt: int) -> None:
    keys = tuple(f"upbit:KRW-{number}" for number in range(20))
    flowing = Diary()
    books = ((0.0, book(number, key)) for number in itertools.count(1) for key in keys)
    with LoopbackExchange("upbit", books, speed=0) as upbit:
        market = MarketData([Feed("upbit", [key.partition(":")[2] for key in keys], url=upbit.url)])
        market.subscribe(keys[0], flowing)
        with market:
            assert flowing.has(50 + attempt)
    totals = market.metrics().totals

    assert (totals.offered, totals.depth) == (totals.handled, 0)


def stop_in_handler(market: MarketData, **options: Any) -> Diary:
    """Offer ten books to a handler that stops everything with the first; return when it has."""
    diary, stopped = Diary(), threading.Event()

    def handler(snapshot: Snapshot) -> None:
        diary(snapshot)
        market.stop(**options)
        stopped.set()

    market.subscribe(BTC, handler)
    for number in range(1, 11):
        market.offer(book(number))
    market.start()
    assert stopped.wait(TIMEOUT_S)
    return diary


def test_stopping_from_a_handler_does_not_deadlock(market: MarketData) -> None:
    diary = stop_in_handler(market, timeout=0.05)

    assert diary.numbers[0] == 1
    assert market.offer(book(11)) is Outcome.STOPPED


def test_stop_without_drain_leaves_what_waits(market: MarketData) -> None:
    diary = stop_in_handler(market, drain=False, timeout=0.05)
    join_ours()
    queue = market.queue(BTC)

    assert diary.numbers == [1]
    assert (queue.offered, queue.depth) == (10, 9)


def join_ours() -> None:
    """Return when what was left behind has ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("ticklane-"):
            thread.join(TIMEOUT_S)


def test_a_handler_that_does_not_return_is_named_and_left_behind(
    market: MarketData, logged: list["Message"]
) -> None:
    stop_beside_a_handler(market)

    assert f"1 symbols did not stop in time: ['{BTC}']" in [
        each.record["message"] for each in logged
    ]


def test_a_handler_left_behind_ends_for_good_when_it_returns(
    market: MarketData, left: Left
) -> None:
    stop_beside_a_handler(market)
    join_ours()

    assert market.queue(BTC).handled == 1
    assert left() == set()


def stop_beside_a_handler(market: MarketData) -> None:
    """Offer two books and stop while the first is being handled; then let its handler return."""
    gate = Gate()
    market.subscribe(BTC, gate)
    market.start()
    for number in (1, 2):
        market.offer(book(number))
    assert gate.began.wait(TIMEOUT_S)
    # Long enough for the supervisor to get its turn on a machine that stands still for a moment.
    market.stop(timeout=0.3)
    gate.open()


def test_after_stop_nobody_waits_for_what_will_not_come(market: MarketData) -> None:
    market.offer(book(1))
    market.stop()

    assert market.wait_for(BTC, TIMEOUT_S) == book(1)
    with pytest.raises(WrongState, match=r"wait_for\(\) on market data that is stopped"):
        market.wait_for(ETH, 3600.0)


def test_what_is_offered_after_stop_is_a_dead_letter(market: MarketData) -> None:
    market.start()
    market.stop()
    outcomes = [market.offer(book(number)) for number in (1, 2)]

    assert outcomes == [Outcome.STOPPED, Outcome.STOPPED]
    assert market.metrics().totals.dead_letters == {"stopped": 2}
    assert market.latest(BTC) is None


@pytest.mark.parametrize("end", ["stream", "reset", "never connected"])
def test_nothing_of_ours_is_left_after_stop(upbit: LoopbackExchange, end: str, left: Left) -> None:
    market = MarketData([Feed("upbit", ["KRW-BTC", "KRW-ETH"], url=upbit.url)])
    if end == "never connected":
        upbit.stop()
        market.start()
    else:
        start(market, upbit)
        upbit.send_raw(frame(1))
        market.wait_for(BTC, TIMEOUT_S)
    if end == "reset":
        upbit.disconnect(None)
    market.stop()

    assert left() == set()


def test_a_dispatcher_given_is_neither_started_nor_stopped(left: Left) -> None:
    dispatcher = Dispatcher()
    dispatcher.start()
    diary = Diary()
    for _ in range(2):
        with MarketData(symbols=[BTC], dispatcher=dispatcher) as market:
            market.subscribe(BTC, diary)
            market.offer(book(1))
    dispatcher.stop()

    assert diary.numbers == [1, 1]
    assert left() == set()


def test_it_can_be_used_in_an_asyncio_program(upbit: LoopbackExchange, left: Left) -> None:
    async def program() -> Snapshot:
        feed = Feed("upbit", ["KRW-BTC"], url=upbit.url)
        async with MarketData([feed]) as market:
            assert await asyncio.to_thread(upbit.connected.wait, TIMEOUT_S)
            upbit.send_raw(frame(1))
            return await asyncio.to_thread(market.wait_for, BTC, TIMEOUT_S)

    assert asyncio.run(program()).exchange_time_ms == 1
    assert left() == set()
