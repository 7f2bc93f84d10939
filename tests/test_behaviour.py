"""What a host relies on, on real threads and in a world alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ticklane import AnomalyAlert, MarketData, Outcome, RestartPolicy, Snapshot
from ticklane.messages import AnomalyState, FeedConnected, Severity, UnknownKey, WaitTimeout
from ticklane.simulation import World

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stage

A, B = "upbit:A", "upbit:B"
AT_ONCE = RestartPolicy(max_restarts=1000, backoff_first_s=1e-6, backoff_cap_s=1e-6)


def book(symbol: str, number: int) -> Snapshot:
    return Snapshot("upbit", symbol, ((1.0, 1.0),), ((2.0, float(number)),), sequence=number)


def test_every_snapshot_is_handled_once_and_in_order(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence))
        for number in range(1, 201):
            market.offer(book("A", number))
        stage.until(lambda: len(stage.notes) == 200)

    assert stage.notes == list(range(1, 201))


def test_stopping_handles_what_waits(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence))
        for number in range(1, 101):
            market.offer(book("A", number))

    assert stage.notes == list(range(1, 101))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_handler_that_raises_costs_the_message_it_raised_on(
    stage: Stage, error: type[BaseException]
) -> None:
    def handle(snapshot: Snapshot) -> None:
        if snapshot.sequence in {10, 20}:
            raise error
        stage.note(snapshot.sequence)

    with stage.market(symbols=[A], restarts=AT_ONCE) as market:
        market.subscribe(A, handle)
        for number in range(1, 51):
            market.offer(book("A", number))
        stage.until(lambda: len(stage.notes) == 48)
        queue = market.queue(A)

    assert stage.notes == [number for number in range(1, 51) if number not in {10, 20}]
    assert (queue.failed, queue.restarts) == (2, 2)


def test_another_symbol_does_not_notice_a_handler_that_raises(stage: Stage) -> None:
    def fail(_: Snapshot) -> None:
        raise ValueError

    with stage.market(symbols=[A, B]) as market:
        market.subscribe(A, fail)
        market.subscribe(B, lambda snapshot: stage.note(snapshot.sequence))
        for number in range(1, 51):
            market.offer(book("A", number))
            market.offer(book("B", number))
        stage.until(lambda: len(stage.notes) == 50)

        assert market.queue(B).failed == market.queue(B).restarts == 0


def test_a_symbol_that_fails_too_often_is_quarantined_and_told_once(stage: Stage) -> None:
    def fail(_: Snapshot) -> None:
        raise ValueError

    with stage.market(symbols=[A]) as market:
        market.on_anomaly(lambda alert: stage.note((alert.kind, alert.key)))
        market.subscribe(A, fail)
        for number in range(1, 11):
            market.offer(book("A", number))
        stage.until(lambda: ("QUARANTINED", A) in stage.notes)
        queue, latest = market.queue(A), market.latest(A)

    assert (queue.failed, queue.depth, queue.status) == (4, 6, "quarantined")
    assert latest == book("A", 10)
    assert [note for note in stage.notes if note[0] == "QUARANTINED"] == [("QUARANTINED", A)]


def test_an_anomaly_is_raised_and_cleared(stage: Stage) -> None:
    options: dict[str, Any] = {"interval_s": 0.05, "thresholds": {"ws_queue_depth_max": 5}}
    with stage.market(symbols=[A], **options) as market:
        market.on_anomaly(lambda alert: stage.note(alert.state))
        market.subscribe(A, lambda _: stage.spend(0.02))
        for number in range(1, 21):
            market.offer(book("A", number))
        stage.until(lambda: AnomalyState.RAISED in stage.notes)
        raised = market.anomalies()
        stage.until(lambda: AnomalyState.CLEARED in stage.notes)

        assert [alert.kind for alert in raised] == ["WS_QUEUE_DEPTH"]
        assert market.anomalies() == ()


def test_what_happened_to_the_feed_comes_in_its_place(stage: Stage) -> None:
    event = FeedConnected(key=A, url="ws://here")
    market = stage.market(symbols=[A])
    market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence), on_event=stage.note)
    market.offer(book("A", 1))
    market._symbols.mailbox(A).post(event)
    market.offer(book("A", 2))
    with market:
        stage.until(lambda: len(stage.notes) == 3)

    assert stage.notes == [1, event, 2]


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "conflate"])
def test_latest_is_the_newest_of_redundant_producers(stage: Stage, overflow: str) -> None:
    with stage.market(symbols=[A], overflow=overflow) as market:
        market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence))
        for number in range(1, 101):
            market.offer(book("A", number))
            market.offer(book("A", max(1, number - 3)))
            market.offer(book("A", number))

        assert market.latest(A) == book("A", 100)
        stage.until(lambda: market.queue(A).depth == 0 and 100 in stage.notes)
        queue = market.queue(A)

    assert stage.notes == sorted(set(stage.notes))
    assert queue.rejected == 200
    assert queue.offered == 300 == queue.handled + queue.conflated + queue.dropped + 200


def test_waiting_for_the_first_snapshot_returns_it(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        stage.dispatcher.call_later(0.01, lambda: market.offer(book("A", 1)))

        assert market.wait_for(A, timeout=5.0) == book("A", 1)


def test_waiting_for_a_snapshot_that_does_not_come_is_a_clear_timeout(stage: Stage) -> None:
    with (
        stage.market(symbols=[A]) as market,
        pytest.raises(WaitTimeout, match=r"no snapshot of upbit:A within 0\.05 s"),
    ):
        market.wait_for(A, timeout=0.05)


def test_after_the_stop_an_offer_is_a_dead_letter(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        pass

    assert market.offer(book("A", 1)) is Outcome.STOPPED
    assert market.metrics().totals.dead_letters == {"stopped": 1}


# In a world only: on threads nobody knows how long the symbols take to stop.
def test_what_is_offered_while_the_watchers_stop_is_a_dead_letter() -> None:
    world = World()
    market = MarketData(symbols=[A], dispatcher=world)
    outcomes: list[Outcome] = []

    def offer_slowly(_: AnomalyAlert) -> None:
        outcomes.append(market.offer(book("A", len(outcomes))))
        world.spend(1.0)

    market.on_anomaly(offer_slowly)
    with market:
        for kind in ("FIRST", "SECOND"):
            look = AnomalyAlert(kind=kind, severity=Severity.WARN, message="look", key=A)
            market._house.watchers.tell(look)
        world.run_for(0.0)

    assert outcomes == [Outcome.ACCEPTED, Outcome.STOPPED]


def test_an_unknown_key_names_those_near(stage: Stage) -> None:
    market = stage.market(symbols=["upbit:KRW-BTC"])

    with pytest.raises(UnknownKey, match="did you mean upbit:KRW-BTC"):
        market.latest("upbit:KRW-BTX")
