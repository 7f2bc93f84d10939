"""A run's samples added up."""

from typing import Any

import attrs
import pytest

from ticklane.analysis import LongrunAnalyzer, RunSummary
from ticklane.messages import FeedMetrics, MetricsSample, QueueTick, Totals

CALM = QueueTick(lag_min_ms=1, lag_max_ms=2, depth_max=3, handled=4, oldest_age_ms=0)


def feed(reconnects: int) -> FeedMetrics:
    return FeedMetrics(
        name="upbit",
        exchange="upbit",
        state="streaming",
        frames=1,
        snapshots=1,
        reconnects=reconnects,
        bad_frames={},
        silence_s=0.0,
    )


def sample(
    *ticks: QueueTick,
    reconnects: tuple[int, ...] = (),
    missing: int = 0,
    at_unix_s: float = 1_700_000_000.0,
) -> MetricsSample:
    return MetricsSample(
        at_unix_s=at_unix_s,
        queues={},
        ticks={f"upbit:{number}": tick for number, tick in enumerate(ticks)},
        feeds=tuple(feed(each) for each in reconnects),
        totals=Totals(),
        missing=missing,
    )


def entry(*ticks: QueueTick, **parts: Any) -> dict[str, Any]:
    return RunSummary(LongrunAnalyzer()).add(sample(*ticks, **parts))


def test_an_entry_carries_the_samples_time() -> None:
    assert entry()["timestamp"] == 1_700_000_000.0


def test_the_deepest_mailbox_counts() -> None:
    assert entry(CALM, attrs.evolve(CALM, depth_max=9))["ws_queue_depth"] == 9


def test_the_latest_mailbox_counts() -> None:
    assert entry(CALM, attrs.evolve(CALM, lag_max_ms=900))["ws_queue_lag_ms"] == 900


def test_a_mailbox_that_stands_still_is_late_by_its_head() -> None:
    assert entry(attrs.evolve(CALM, oldest_age_ms=5000))["ws_queue_lag_ms"] == 5000


def test_without_mailboxes_nothing_is_deep_or_late() -> None:
    assert (entry()["ws_queue_depth"], entry()["ws_queue_lag_ms"]) == (0, 0.0)


def test_failures_are_errors() -> None:
    assert entry(attrs.evolve(CALM, failed=2), attrs.evolve(CALM, failed=1))["error_log"] == 3


def test_each_mailbox_that_shed_is_one_warning() -> None:
    ticks = (attrs.evolve(CALM, shed=500), attrs.evolve(CALM, shed=1), CALM)

    assert entry(*ticks)["warning_log"] == 2


def test_symbols_without_a_snapshot_are_missing() -> None:
    assert entry(missing=2)["snapshot_none"] == 2


def test_reconnects_are_those_since_the_sample_before() -> None:
    summary = RunSummary(LongrunAnalyzer())
    entries = [summary.add(sample(reconnects=each)) for each in ((1, 0), (1, 2), (1, 2))]

    assert [each["ws_reconnect"] for each in entries] == [1, 2, 0]


def test_a_run_without_samples_is_ok() -> None:
    assert RunSummary(LongrunAnalyzer()).report().overall_status == "OK"


def test_the_report_adds_up_what_was_seen() -> None:
    summary = RunSummary(LongrunAnalyzer("S2"))
    for second in range(3):
        summary.add(sample(attrs.evolve(CALM, depth_max=second), at_unix_s=1e9 + 60 * second))
    report = summary.report()

    assert (report.scenario, report.entries, report.duration_minutes) == ("S2", 3, 2.0)
    assert (report.ws_queue_depth_max, report.ws_queue_lag_ms_max) == (2, 2)


@pytest.mark.parametrize(("failed", "status"), [(10, "OK"), (11, "FAIL")])
def test_the_report_is_judged_by_the_scenarios_limits(failed: int, status: str) -> None:
    summary = RunSummary(LongrunAnalyzer("S1"))
    summary.add(sample(attrs.evolve(CALM, failed=failed)))

    assert summary.report().overall_status == status


def test_a_report_does_not_change_afterwards() -> None:
    summary = RunSummary(LongrunAnalyzer())
    before = summary.report()
    summary.add(sample(CALM))

    assert (before.entries, summary.report().entries) == (0, 1)


def test_gaps_are_those_since_the_sample_before() -> None:
    summary = RunSummary(LongrunAnalyzer())
    samples = [sample(reconnects=(0, 0)) for _ in range(3)]
    counted = [
        attrs.evolve(each, feeds=tuple(attrs.evolve(feed, gaps=gaps) for feed in each.feeds))
        for each, gaps in zip(samples, (1, 3, 3), strict=True)
    ]

    assert [summary.add(each)["ws_message_gap"] for each in counted] == [2, 4, 0]
