"""The actor that turns samples into anomalies, and where it tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from ticklane.actors import AnalyzerActor
from ticklane.analysis import Anomalies, LongrunAnalyzer, RunSummary, Watch
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    MetricsSample,
    QueueTick,
    Severity,
    Totals,
)
from ticklane.runtime import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pykka
    from loguru import Message

    from ticklane.tests.conftest import Stage

KEY = "upbit:KRW-BTC"
QUIET = QueueTick(lag_min_ms=0.1, lag_max_ms=0.2, depth_max=1, handled=5, oldest_age_ms=0.0)
DEEP = attrs.evolve(QUIET, depth_max=101)


def sample(ticks: Mapping[str, QueueTick], at_unix_s: float = 1_700_000_000.0) -> MetricsSample:
    return MetricsSample(at_unix_s=at_unix_s, queues={}, ticks=ticks, feeds=(), totals=Totals())


@attrs.frozen
class Analyst:
    """An analyzer, whom it tells, and what it keeps."""

    ref: pykka.ActorRef[AnalyzerActor]
    anomalies: Anomalies
    summary: RunSummary
    listeners: tuple[Inbox, Inbox]
    log: Inbox

    def judges(self, *messages: object) -> list[object]:
        """Tell it the messages; return what its first listener was told of them."""
        for message in messages:
            self.ref.tell(message)
        self.ref.stop()
        return _all_in(self.listeners[0])


def _all_in(inbox: Inbox) -> list[object]:
    return [inbox.get().message for _ in range(inbox.backlog)]


@pytest.fixture
def analyst(stage: Stage) -> Iterator[Analyst]:
    """Yield one whose listeners nobody runs: what they are told waits there to be looked at."""
    dispatcher = stage.dispatcher
    anomalies, summary = Anomalies(), RunSummary(LongrunAnalyzer("S1"))
    listeners, log = (Inbox(dispatcher), Inbox(dispatcher)), Inbox(dispatcher)
    ref = AnalyzerActor.start(
        watch=Watch(),
        anomalies=anomalies,
        summary=summary,
        listeners=listeners,
        log=log,
        dispatcher=dispatcher,
        inbox=Inbox(dispatcher),
    )
    yield Analyst(ref, anomalies, summary, listeners, log)
    ref.stop()


def test_nothing_is_told_of_a_quiet_interval(analyst: Analyst) -> None:
    assert analyst.judges(sample({KEY: QUIET})) == []


def test_an_anomaly_is_told_when_it_is_raised_and_when_it_is_cleared(analyst: Analyst) -> None:
    quiet = [sample({KEY: QUIET})] * 3
    alerts = analyst.judges(sample({KEY: DEEP}), sample({KEY: DEEP}), *quiet)

    assert [(each.kind, each.state, each.key) for each in _alerts(alerts)] == [
        ("WS_QUEUE_DEPTH", AnomalyState.RAISED, KEY),
        ("WS_QUEUE_DEPTH", AnomalyState.CLEARED, KEY),
    ]


def _alerts(messages: list[object]) -> list[AnomalyAlert]:
    return [message for message in messages if isinstance(message, AnomalyAlert)]


def test_every_listener_is_told_the_same(analyst: Analyst) -> None:
    first = analyst.judges(sample({KEY: DEEP}))

    assert len(first) == 1
    assert _all_in(analyst.listeners[1]) == first


def test_what_is_open_is_known(analyst: Analyst) -> None:
    alerts = analyst.judges(sample({KEY: DEEP}))

    assert list(analyst.anomalies.open) == alerts


def test_an_anomaly_of_somebody_elses_is_passed_on_and_kept(analyst: Analyst) -> None:
    alert = AnomalyAlert(kind="QUARANTINED", severity=Severity.ERROR, message="look", key=KEY)

    assert analyst.judges(alert) == [alert]
    assert analyst.anomalies.open == (alert,)


def test_every_sample_leaves_an_entry_in_the_log_and_in_the_report(analyst: Analyst) -> None:
    analyst.judges(sample({KEY: DEEP}, 1_700_000_000.0), sample({KEY: QUIET}, 1_700_000_060.0))
    entries = _all_in(analyst.log)

    assert [
        (entry["timestamp"], entry["ws_queue_depth"])
        for entry in entries
        if isinstance(entry, dict)
    ] == [(1_700_000_000.0, 101), (1_700_000_060.0, 1)]
    assert analyst.summary.report().duration_minutes == 1.0


def test_a_raise_is_logged_as_a_warning_and_a_clear_as_information(
    analyst: Analyst, logged: list[Message]
) -> None:
    analyst.judges(sample({KEY: DEEP}), *[sample({KEY: QUIET})] * 3)

    assert [each.record["level"].name for each in logged] == ["WARNING", "INFO"]
    assert all("WS_QUEUE_DEPTH" in each for each in logged)


def test_a_lag_over_100_ms_is_logged_once_an_interval_whoever_is_late(
    analyst: Analyst, logged: list[Message]
) -> None:
    late = {f"upbit:KRW-{i}": attrs.evolve(QUIET, lag_max_ms=101.0 + i) for i in range(5)}
    analyst.judges(sample({KEY: QUIET, **late}))

    assert [each.record["message"] for each in logged] == [
        "5 symbols late, upbit:KRW-4 most: 105 ms"
    ]


def test_a_lag_of_100_ms_is_not_logged(analyst: Analyst, logged: list[Message]) -> None:
    analyst.judges(sample({KEY: attrs.evolve(QUIET, lag_max_ms=100.0)}))

    assert logged == []


def test_what_a_mailbox_shed_is_logged_once_an_interval_with_the_count(
    analyst: Analyst, logged: list[Message]
) -> None:
    analyst.judges(sample({KEY: attrs.evolve(QUIET, shed=1234)}))

    assert [each.record["message"] for each in logged] == [f"{KEY} shed 1234 snapshots"]


def test_without_a_log_it_judges_all_the_same(stage: Stage) -> None:
    listener = Inbox(stage.dispatcher)
    ref = AnalyzerActor.start(
        watch=Watch(),
        anomalies=Anomalies(),
        summary=RunSummary(LongrunAnalyzer("S1")),
        listeners=(listener,),
        log=None,
        dispatcher=stage.dispatcher,
        inbox=Inbox(stage.dispatcher),
    )
    ref.tell(sample({KEY: DEEP}))
    ref.stop()

    assert listener.backlog == 1


def test_another_message_is_a_dead_letter(analyst: Analyst, stage: Stage) -> None:
    analyst.judges("hello")

    assert stage.dispatcher.dead_letters.counts() == {"unhandled": 1}


def test_what_comes_and_goes_too_often_becomes_one_anomaly(analyst: Analyst) -> None:
    up_and_down = [sample({KEY: DEEP}), *[sample({KEY: QUIET})] * 3]
    kinds = [alert.kind for alert in _alerts(analyst.judges(*up_and_down * 10))]

    assert kinds == ["WS_QUEUE_DEPTH"] * 6 + ["FLAPPING"]
    assert [alert.kind for alert in analyst.anomalies.open] == ["FLAPPING"]
