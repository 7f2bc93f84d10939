"""What a host relies on from an exchange to its handlers, on real threads and in a world alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pykka
import pytest

from ticklane import MarketData, Outcome, RestartPolicy, Snapshot
from ticklane.actors import SymbolActor
from ticklane.messages import AnomalyState, FeedConnected, FeedLost, Severity, WaitTimeout
from ticklane.simulation import SyntheticMarket
from ticklane.simulation.upbit_venue import UpbitForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.messages import AnomalyAlert
    from ticklane.tests.conftest import Stage

BTC, ETH = "upbit:KRW-BTC", "upbit:KRW-ETH"
AT_ONCE = RestartPolicy(backoff_first_s=0.001)


def book(number: int, key: str = BTC) -> Snapshot:
    exchange, _, symbol = key.partition(":")
    bid = 100.0 + number
    return Snapshot(exchange, symbol, ((bid, 1.0),), ((bid + 1, 1.0),), number)


def frame(number: int, key: str = BTC) -> bytes:
    return UpbitForm().frame(book(number, key))


def fail_on(*numbers: int) -> Callable[[Snapshot], None]:
    def handler(snapshot: Snapshot) -> None:
        if snapshot.exchange_time_ms in numbers:
            raise ValueError("boom")

    return handler


@attrs.frozen
class Play:
    """Market data of two symbols of one exchange, which says what the test says."""

    stage: Stage
    upbit: Any
    market: MarketData

    def open(self) -> None:
        self.stage.open(self.market, self.upbit)

    def say(self, key: str, *numbers: int) -> None:
        for number in numbers:
            self.upbit.send_raw(frame(number, key))

    def diary(self, key: str) -> list[int | None]:
        """Return where the numbers of a key's books are written down as they are handled."""
        numbers: list[int | None] = []

        def write(snapshot: Snapshot) -> None:
            numbers.append(snapshot.exchange_time_ms)
            self.stage.note(snapshot)

        self.market.subscribe(key, write)
        return numbers

    def until(self, condition: Callable[[], bool]) -> None:
        self.stage.until(condition)


@pytest.fixture
def play(stage: Stage) -> Play:
    upbit = stage.exchange("upbit")
    feed = stage.feed(upbit, ["KRW-BTC", "KRW-ETH"])
    return Play(stage, upbit, stage.market(feeds=[feed], restarts=AT_ONCE, interval_s=0.01))


## Books


def test_books_come_to_the_handler_in_order(play: Play) -> None:
    numbers = play.diary(BTC)
    play.open()
    play.say(BTC, *range(1, 101))
    play.until(lambda: 100 in numbers)

    assert numbers == list(range(1, 101))


def test_the_book_is_whole_and_stamped_with_its_receive_time(play: Play) -> None:
    now_ns = play.stage.dispatcher.clock.now_ns
    before_ns = now_ns()
    play.open()
    play.say(BTC, 7)
    got = play.market.wait_for(BTC, 10.0)

    assert attrs.evolve(got, received_ns=None) == book(7)
    assert got.received_ns is not None
    assert before_ns < got.received_ns <= now_ns()


def test_latest_never_goes_back(play: Play) -> None:
    numbers = play.diary(ETH)
    play.open()
    play.say(BTC, 5, 3, 4, 5)
    play.say(ETH, 1)
    play.until(lambda: 1 in numbers)
    latest = play.market.latest(BTC)

    assert latest is not None
    assert latest.exchange_time_ms == 5
    assert play.market.queue(BTC).rejected == 3


def test_a_different_book_of_the_same_millisecond_is_newer(play: Play) -> None:
    numbers = play.diary(BTC)
    play.open()
    for each in (book(1), attrs.evolve(book(1), bids=((50.0, 1.0),)), book(1), book(2)):
        play.upbit.send_raw(UpbitForm().frame(each))
    play.until(lambda: 2 in numbers)

    assert numbers == [1, 1, 2]


def test_latest_all_has_the_symbols_that_have_a_book(play: Play) -> None:
    play.open()
    play.say(ETH, 1)
    play.market.wait_for(ETH, 10.0)

    assert list(play.market.latest_all()) == [ETH]
    assert play.market.latest(BTC) is None


def test_two_exchanges_are_heard_at_once(stage: Stage) -> None:
    keys = ("upbit:KRW-BTC", "binance:BTCUSDT")
    upbit, binance = (
        stage.exchange(name, SyntheticMarket(keys, rate=100).books())
        for name in ("upbit", "binance")
    )
    feeds = [stage.feed(upbit, ["KRW-BTC"]), stage.feed(binance, ["BTCUSDT"])]
    with stage.market(feeds=feeds) as market:
        books = [market.wait_for(key, 10.0) for key in keys]

    assert [each.key for each in books] == list(keys)


def test_at_rest_every_offered_snapshot_is_accounted_for(stage: Stage) -> None:
    upbit = stage.exchange("upbit")
    feed = stage.feed(upbit, ["KRW-BTC", "KRW-ETH"])
    market = stage.market(feeds=[feed], capacity={BTC: 3}, restarts=AT_ONCE)
    play = Play(stage, upbit, market)
    market.subscribe(BTC, fail_on(500))
    numbers = play.diary(ETH)
    play.open()
    for number in range(1, 501):
        play.say(BTC, number)
        play.say(ETH, number)
    play.until(lambda: 500 in numbers)
    market.stop()
    totals = market.metrics().totals

    assert totals.offered == 1000
    assert totals.offered == (
        totals.handled
        + totals.failed
        + totals.dropped
        + totals.conflated
        + totals.expired
        + totals.rejected
        + totals.depth
    )
    assert totals.failed == 1


def test_metrics_tell_of_every_queue_every_feed_and_the_totals(play: Play) -> None:
    play.open()
    play.say(BTC, 1)
    play.market.wait_for(BTC, 10.0)
    play.market.stop()
    sample = play.market.metrics()

    assert list(sample.queues) == [BTC, ETH]
    assert [(feed.name, feed.snapshots) for feed in sample.feeds] == [("upbit", 1)]
    assert (sample.totals.offered, sample.totals.handled) == (1, 1)


## Subscriptions


def test_a_cancelled_subscription_gets_nothing_more(play: Play) -> None:
    left: list[Snapshot] = []
    subscription = play.market.subscribe(BTC, left.append)
    stayed = play.diary(BTC)
    play.open()
    play.say(BTC, 1)
    play.until(lambda: 1 in stayed)
    subscription.cancel()
    play.say(BTC, 2)
    play.until(lambda: 2 in stayed)

    assert [each.exchange_time_ms for each in left] == [1]


def test_what_happens_to_the_feed_is_told_in_band(play: Play) -> None:
    play.market.subscribe(BTC, play.stage.note, on_event=play.stage.note)
    play.open()
    play.say(BTC, 1)
    play.until(lambda: len(play.stage.notes) == 2)
    play.upbit.disconnect()
    play.until(lambda: len(play.stage.notes) == 4)
    play.say(BTC, 2)
    play.until(lambda: len(play.stage.notes) == 5)

    assert [type(each) for each in play.stage.notes] == [
        FeedConnected,
        Snapshot,
        FeedLost,
        FeedConnected,
        Snapshot,
    ]


def test_wait_for_returns_at_once_what_is_there(play: Play) -> None:
    play.market.offer(book(1))

    assert play.market.wait_for(BTC, timeout=0.0) == book(1)


def test_wait_for_waits_for_the_first_book(play: Play) -> None:
    play.open()
    play.stage.dispatcher.call_later(0.02, lambda: play.say(BTC, 1))

    assert play.market.wait_for(BTC, 10.0).exchange_time_ms == 1


def test_wait_for_says_what_did_not_come_and_leaves_no_subscription(play: Play) -> None:
    play.open()

    with pytest.raises(WaitTimeout, match=r"no snapshot of upbit:KRW-BTC within 0\.01 s"):
        play.market.wait_for(BTC, 0.01)
    assert play.market._symbols.audience(BTC)._subscriptions == ()


## Snapshots the host brings itself


def test_what_the_host_offers_goes_the_same_way(play: Play) -> None:
    numbers = play.diary(BTC)
    play.market.start()
    outcomes = [play.market.offer(book(number)) for number in (1, 2, 2, 1, 3)]
    play.until(lambda: 3 in numbers)

    assert outcomes == [
        Outcome.ACCEPTED,
        Outcome.ACCEPTED,
        Outcome.REJECTED,
        Outcome.REJECTED,
        Outcome.ACCEPTED,
    ]
    assert numbers == [1, 2, 3]


def test_the_first_snapshot_of_a_new_key_makes_its_actor(play: Play) -> None:
    play.market.start()
    play.market.offer(book(1, "kraken:XBTUSD"))
    numbers = play.diary("kraken:XBTUSD")
    play.market.offer(book(2, "kraken:XBTUSD"))
    play.until(lambda: 2 in numbers)

    assert play.market.queue("kraken:XBTUSD").status == "running"


def test_what_is_offered_before_the_start_is_handled_after_it(play: Play) -> None:
    numbers = play.diary(BTC)
    for number in (1, 2, 3):
        play.market.offer(book(number))
    before = [*numbers]
    play.market.start()
    play.until(lambda: 3 in numbers)

    assert (before, numbers) == ([], [1, 2, 3])


@pytest.mark.parametrize(
    ("overflow", "outcome", "left"),
    [
        ("drop_oldest", Outcome.DISPLACED, [3, 4]),
        ("drop_newest", Outcome.DROPPED, [1, 2]),
        ("conflate", Outcome.CONFLATED, [4]),
    ],
)
def test_a_full_mailbox_sheds_as_its_policy_says(
    stage: Stage, overflow: str, outcome: Outcome, left: list[int]
) -> None:
    market = stage.market(symbols=[BTC], capacity=2, overflow=overflow)
    numbers = Play(stage, None, market).diary(BTC)
    *_, last = [market.offer(book(number)) for number in (1, 2, 3, 4)]
    market.start()
    stage.until(lambda: left[-1] in numbers)

    assert last is outcome
    assert numbers == left


def test_a_snapshot_told_or_asked_by_reference_lands_under_the_same_rules(stage: Stage) -> None:
    market = stage.market(symbols=[BTC])
    numbers = Play(stage, None, market).diary(BTC)
    market.start()
    market.offer(book(1))
    stage.until(lambda: 1 in numbers)
    (ref,) = pykka.ActorRegistry.get_by_class(SymbolActor)
    ref.tell(book(2))
    outcomes = [ref.ask(book(number), timeout=10.0) for number in (1, 3)]
    stage.until(lambda: 3 in numbers)
    queue = market.queue(BTC)

    assert outcomes == [Outcome.REJECTED, Outcome.ACCEPTED]
    assert numbers == [1, 2, 3]
    assert (queue.offered, queue.rejected) == (4, 1)


## Handlers that raise


def test_a_symbol_whose_handler_raises_comes_back_with_its_mailbox(play: Play) -> None:
    numbers = play.diary(BTC)
    play.market.subscribe(BTC, fail_on(1))
    play.open()
    play.say(BTC, 1, 2, 3)
    play.until(lambda: 3 in numbers)
    queue = play.market.queue(BTC)

    assert numbers == [1, 2, 3]
    assert (queue.failed, queue.restarts, queue.status) == (1, 1, "running")


def test_the_other_symbols_do_not_notice(play: Play) -> None:
    numbers = play.diary(ETH)
    play.market.subscribe(BTC, fail_on(1))
    play.open()
    play.say(BTC, 1)
    play.say(ETH, *range(1, 11))
    play.until(lambda: 10 in numbers)
    queue, feed = play.market.queue(ETH), play.market.metrics().feeds[0]

    assert numbers == list(range(1, 11))
    assert (queue.failed, queue.restarts, feed.reconnects) == (0, 0, 0)


def test_a_handler_that_raises_keeps_no_book_from_the_others_and_counts_once(play: Play) -> None:
    play.market.subscribe(BTC, fail_on(1))
    numbers = play.diary(BTC)
    play.market.subscribe(BTC, fail_on(1))
    play.open()
    play.say(BTC, 1, 2)
    play.until(lambda: 2 in numbers)
    queue = play.market.queue(BTC)

    assert numbers == [1, 2]
    assert (queue.failed, queue.restarts) == (1, 1)


@pytest.fixture
def quarantined(play: Play) -> list[AnomalyAlert]:
    """Let a handler fail until its symbol is given up; return what was told."""
    told: list[AnomalyAlert] = []
    play.market.on_anomaly(told.append)
    play.market.subscribe(BTC, fail_on(*range(1, 11)))
    play.open()
    play.say(BTC, *range(1, 11))
    play.until(lambda: any(each.kind == "QUARANTINED" for each in told))
    return told


def test_a_symbol_that_fails_too_often_is_given_up_and_that_is_told_once(
    play: Play, quarantined: list[AnomalyAlert]
) -> None:
    play.market.stop()
    told = [each for each in quarantined if each.kind == "QUARANTINED"]

    assert [(each.key, each.severity, each.state) for each in told] == [
        (BTC, Severity.ERROR, AnomalyState.RAISED)
    ]
    assert "ValueError('boom')" in told[0].message


@pytest.mark.usefixtures("quarantined")
def test_a_symbol_given_up_is_known_as_such(play: Play) -> None:
    queue = play.market.queue(BTC)

    assert (queue.status, queue.restarts, queue.failed) == ("quarantined", 3, 4)
    assert [each.kind for each in play.market.anomalies() if each.key == BTC] == ["QUARANTINED"]


@pytest.mark.usefixtures("quarantined")
def test_latest_of_a_symbol_given_up_is_as_new_as_ever(play: Play) -> None:
    numbers = play.diary(ETH)
    play.say(BTC, 11)
    play.say(ETH, 1)
    play.until(lambda: 1 in numbers)
    latest = play.market.latest(BTC)

    assert latest is not None
    assert latest.exchange_time_ms == 11


## Stopping


def test_what_was_known_before_stop_is_known_after_it(play: Play) -> None:
    play.open()
    play.say(BTC, 1)
    play.market.wait_for(BTC, 10.0)
    play.market.stop()
    queue = play.market.queue(BTC)

    assert play.market.latest(BTC) == play.market.latest_all()[BTC]
    assert (queue.handled, queue.status) == (1, "stopped")


def test_a_symbol_that_waits_for_its_restart_is_stopped_at_once(stage: Stage) -> None:
    def handler(_: Snapshot) -> None:
        stage.note("failed")
        raise ValueError

    market = stage.market(symbols=[BTC], restarts=RestartPolicy(backoff_first_s=30.0))
    market.subscribe(BTC, handler)
    market.start()
    market.offer(book(1))
    stage.until(lambda: "failed" in stage.notes)
    begun_ns = stage.dispatcher.clock.now_ns()
    market.stop()

    assert stage.dispatcher.clock.now_ns() - begun_ns < 2e9
    assert market.queue(BTC).status == "stopped"
