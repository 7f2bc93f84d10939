"""All mailboxes held against the rules."""

from typing import Any

import pytest

from ticklane.analysis import Watch
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    InvalidOption,
    MetricsSample,
    QueueTick,
    Severity,
    Totals,
)

CALM = QueueTick(lag_min_ms=1, lag_max_ms=2, depth_max=3, handled=4, oldest_age_ms=0)
DEEP = QueueTick(lag_min_ms=1, lag_max_ms=2, depth_max=101, handled=4, oldest_age_ms=0)
QUARANTINED = AnomalyAlert(
    kind="QUARANTINED", severity=Severity.ERROR, key="upbit:KRW-BTC", message="given up"
)


def sample(**ticks: QueueTick) -> MetricsSample:
    return MetricsSample(at_unix_s=7.0, queues={}, ticks=ticks, feeds=(), totals=Totals())


def test_nothing_is_wrong_at_first() -> None:
    assert Watch().open == ()


def test_a_calm_sample_raises_nothing() -> None:
    assert Watch().judge(sample(a=CALM, b=CALM)) == ()


def test_each_key_is_judged_by_itself() -> None:
    alerts = Watch().judge(sample(a=DEEP, b=CALM, c=DEEP))

    assert [(alert.key, alert.kind) for alert in alerts] == [
        ("a", "WS_QUEUE_DEPTH"),
        ("c", "WS_QUEUE_DEPTH"),
    ]


def test_an_alert_carries_the_samples_time() -> None:
    (alert,) = Watch().judge(sample(a=DEEP))

    assert alert.since_unix_s == 7.0


def test_what_was_raised_is_open_until_it_clears() -> None:
    watch = Watch()
    raised = watch.judge(sample(a=DEEP))
    opened = [watch.open]
    for _ in range(3):
        watch.judge(sample(a=CALM))
        opened.append(watch.open)

    assert opened == [raised, raised, raised, ()]


def test_a_key_without_a_tick_stays_as_it_was() -> None:
    watch = Watch()
    raised = watch.judge(sample(a=DEEP))
    watch.judge(sample(b=CALM))

    assert watch.open == raised


def test_what_somebody_else_has_raised_is_open() -> None:
    watch = Watch()
    watch.note(QUARANTINED)

    assert watch.open == (QUARANTINED,)


def test_what_somebody_else_has_cleared_is_not_open() -> None:
    watch = Watch()
    cleared = AnomalyAlert(
        kind="QUARANTINED",
        severity=Severity.ERROR,
        key="upbit:KRW-BTC",
        message="back",
        state=AnomalyState.CLEARED,
    )
    watch.note(QUARANTINED)
    watch.note(cleared)

    assert watch.open == ()


def test_clearing_what_was_never_raised_changes_nothing() -> None:
    watch = Watch()
    watch.note(
        AnomalyAlert(kind="X", severity=Severity.INFO, message="", state=AnomalyState.CLEARED)
    )

    assert watch.open == ()


def test_thresholds_reach_the_rules() -> None:
    watch = Watch({"ws_queue_depth_max": 2})

    assert [alert.threshold for alert in watch.judge(sample(a=CALM))] == [2]


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"ws_queue_depth": 1}, "named among ws_queue_lag_warn_max, ws_queue_depth_max"),
        ({"ws_queue_depth_max": -1}, "a whole number, at least 0, not -1"),
        ({"ws_queue_lag_warn_max": 1.5}, "a whole number, at least 0, not 1.5"),
    ],
)
def test_a_wrong_threshold_is_an_error_at_once(thresholds: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        Watch(thresholds)
