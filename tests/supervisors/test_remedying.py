"""Market data that helps itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from ticklane import Snapshot
from ticklane.messages import AnomalyAlert, InvalidOption, Reconnect, Severity
from ticklane.runtime import Inbox
from ticklane.supervisors import MarketData

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stage

A = "upbit:A"


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)


def anomaly(kind: str, key: str = A) -> AnomalyAlert:
    return AnomalyAlert(kind=kind, severity=Severity.ERROR, message="look", key=key)


def done(market: MarketData) -> Any:
    """Return a condition: that the market has tried something."""
    return lambda: sum(market.remedies().values()) > 0


def test_by_default_nothing_is_done(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        market._house.watchers.tell(anomaly("QUEUE_STALL"))
        stage.until(lambda: len(market.anomalies()) == 1)

        assert market.remedies() == {}
        assert market.queue(A).restarts == 0


def test_a_symbol_that_stands_still_is_restarted_and_loses_nothing(stage: Stage) -> None:
    with stage.market(symbols=[A], auto_recover=True) as market:
        market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence))
        market._house.watchers.tell(anomaly("QUEUE_STALL"))
        for number in range(1, 51):
            market.offer(book(number))
        stage.until(lambda: len(stage.notes) == 50 and market.queue(A).restarts == 1)

        assert market.remedies() == {("restart_symbol", "taken"): 1}
        assert market.queue(A).status == "running"
    assert stage.notes == list(range(1, 51))


def test_a_symbol_whose_queue_stands_sheds_from_now_on(stage: Stage) -> None:
    with stage.market(symbols=[A], auto_recover=True) as market:
        market.subscribe(A, lambda _: stage.spend(0.01))
        market._house.watchers.tell(anomaly("QUEUE_STANDING"))
        stage.until(done(market))
        for number in range(1, 101):
            market.offer(book(number))
        stage.until(lambda: market.queue(A).depth == 0)

        assert market.remedies() == {("shed_symbol", "taken"): 1}
        assert market.queue(A).expired > 0


def test_one_that_sheds_already_cannot_do_more(stage: Stage) -> None:
    with stage.market(symbols=[A], auto_recover=True, adaptive=True) as market:
        market._house.watchers.tell(anomaly("QUEUE_STANDING"))
        stage.until(done(market))

        assert market.remedies() == {("shed_symbol", "impossible"): 1}


def test_a_silent_feed_is_told_to_reconnect(stage: Stage) -> None:
    with stage.market(symbols=[A], auto_recover={"reconnect_feed"}) as market:
        inbox = Inbox(stage.dispatcher)
        market._house.feeds.inboxes["upbit#2"] = inbox
        market._house.watchers.tell(anomaly("FEED_SILENT", "upbit#2"))
        stage.until(done(market))

        assert market.remedies() == {("reconnect_feed", "taken"): 1}
        assert isinstance(inbox.get().message, Reconnect)


@pytest.mark.parametrize("kind", ["QUEUE_STALL", "QUEUE_STANDING", "FEED_SILENT"])
def test_what_is_not_there_cannot_be_helped(stage: Stage, kind: str) -> None:
    with stage.market(symbols=[A], auto_recover=True) as market:
        market._house.watchers.tell(anomaly(kind, "upbit:Z"))
        stage.until(done(market))

        assert {outcome for _, outcome in market.remedies()} == {"impossible"}


def test_only_what_is_named_is_done(stage: Stage) -> None:
    with stage.market(symbols=[A], auto_recover=["shed_symbol"]) as market:
        market._house.watchers.tell(anomaly("QUEUE_STALL"))
        market._house.watchers.tell(anomaly("QUEUE_STANDING"))
        stage.until(done(market))

        assert market.remedies() == {("shed_symbol", "taken"): 1}


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="auto_recover must be a bool, or names among"):
        MarketData(auto_recover=["reboot"])


def test_a_handler_that_never_returns_is_left_behind(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticklane.runtime.handling.LEFT_BEHIND_NS", 50_000_000)
    dispatcher = request.getfixturevalue("dispatcher")
    let_go, seen = threading.Event(), list[int | None]()
    nine = threading.Event()

    def handle(snapshot: Snapshot) -> None:
        seen.append(snapshot.sequence)
        if snapshot.sequence == 1:
            let_go.wait(10.0)
        if snapshot.sequence == 10:
            nine.set()

    with MarketData(symbols=[A], auto_recover=True, dispatcher=dispatcher) as market:
        market.subscribe(A, handle)
        for number in range(1, 11):
            market.offer(book(number))
        threading.Event().wait(0.1)
        market._house.watchers.tell(anomaly("QUEUE_STALL"))

        assert nine.wait(10.0)
        let_go.set()
    queue = market.queue(A)

    assert seen == list(range(1, 11))
    assert (queue.handled, queue.failed, queue.restarts) == (9, 1, 1)
