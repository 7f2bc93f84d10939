"""Market data that tells receivers what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticklane import Snapshot
from ticklane.analysis import AlertSettings
from ticklane.messages import AlertNotice, AlertNotTaken, AnomalyAlert, InvalidOption, Severity
from ticklane.simulation import World
from ticklane.supervisors import MarketData

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stage

A = "upbit:A"
PRIVATE = "hunter2"
AT_ONCE = AlertSettings(for_s=0.0, keep_firing_s=0.0, group_wait_s=0.0, group_interval_s=0.01)
LOOK = AnomalyAlert(kind="QUARANTINED", severity=Severity.ERROR, message="look", key=A)


@pytest.fixture(autouse=True)
def _quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticklane.actors.alerts.TICK_S", 0.01)


class Sink:
    """A receiver that notes what it is sent; it may be slow, or fail."""

    name = "sink"
    resend_s: float | None = None

    def __init__(self, stage: Stage, *, seconds: float = 0.0, failures: int = 0) -> None:
        self.stage = stage
        self.seconds = seconds
        self.failures = failures

    def send(self, notice: AlertNotice) -> None:
        self.stage.spend(self.seconds)
        if self.failures:
            self.failures -= 1
            raise AlertNotTaken("HTTP 500")
        status = "resolved" if notice.resolved else "firing"
        self.stage.note((notice.kind, status))


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)


def test_an_anomaly_goes_to_the_receiver_when_it_comes_and_when_it_goes(stage: Stage) -> None:
    with stage.market(
        symbols=[A],
        alerts=[Sink(stage)],
        alert_settings=AT_ONCE,
        interval_s=0.02,
        thresholds={"ws_queue_depth_max": 5},
    ) as market:
        market.subscribe(A, lambda _: stage.spend(0.01))
        for number in range(1, 21):
            market.offer(book(number))
        stage.until(lambda: ("WS_QUEUE_DEPTH", "resolved") in stage.notes)
        (receiver,) = market.receivers()

    depth = [status for kind, status in stage.notes if kind == "WS_QUEUE_DEPTH"]

    assert depth == ["firing", "resolved"]
    assert receiver.sent >= 2
    assert (receiver.name, receiver.failed, receiver.dropped) == ("sink", 0, 0)


def test_a_slow_receiver_delays_nobody_else(stage: Stage) -> None:
    sinks = [Sink(stage, seconds=0.5), Sink(stage)]
    with stage.market(symbols=[A], alerts=sinks, alert_settings=AT_ONCE) as market:
        market.subscribe(A, lambda snapshot: stage.note(snapshot.sequence))
        market._house.watchers.tell(LOOK)
        for number in range(1, 11):
            market.offer(book(number))
        stage.until(lambda: ("QUARANTINED", "firing") in stage.notes and 10 in stage.notes)
        sent = [receiver.sent for receiver in market.receivers()]
        stage.until(lambda: market.receivers()[0].sent == 1)

    assert sent[1] == 1


def test_what_a_receiver_did_not_take_is_sent_again(stage: Stage) -> None:
    sink = Sink(stage, failures=1)
    with stage.market(symbols=[A], alerts=[sink], alert_settings=AT_ONCE) as market:
        market._house.watchers.tell(LOOK)
        stage.until(lambda: bool(stage.notes))

        assert market.receivers()[0].failed == 1
    assert stage.notes == [("QUARANTINED", "firing")]


def test_what_waits_for_a_good_receiver_is_sent_before_the_stop(stage: Stage) -> None:
    with stage.market(symbols=[A], alerts=[Sink(stage)], alert_settings=AT_ONCE) as market:
        notice = AlertNotice(kind="last", exchange="", alerts=(), at_unix_s=0.0)
        market._house.alerting.receivers[0].outbox.put(notice)

    assert stage.notes == [("last", "resolved")]


def test_without_alerts_nobody_hears_anything(stage: Stage) -> None:
    with stage.market(symbols=[A]) as market:
        market._house.watchers.tell(LOOK)
        stage.until(lambda: market.anomalies() == (LOOK,))

        assert market.receivers() == ()
        assert market._house.alerting.inbox.backlog == 0


def test_one_url_alone_is_an_error_that_shows_no_secret() -> None:
    with pytest.raises(InvalidOption, match="alerts must be several URLs or sinks") as error:
        MarketData(alerts=f"https://host/{PRIVATE}")

    assert PRIVATE not in str(error.value)


def test_in_a_world_a_url_is_an_error_that_shows_no_secret() -> None:
    with pytest.raises(InvalidOption, match="alerts must be sinks of your own") as error:
        MarketData(alerts=[f"https://host/{PRIVATE}"], dispatcher=World())

    assert PRIVATE not in str(error.value)
