"""All mailboxes held against the rules."""

from typing import Any

import pytest

from ticklane.analysis import Watch
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    FeedMetrics,
    InvalidOption,
    MetricsSample,
    QueueTick,
    Severity,
    Totals,
)

CALM = QueueTick(lag_min_ms=1, lag_max_ms=2, depth_max=3, handled=4, oldest_age_ms=0)
DEEP = QueueTick(lag_min_ms=1, lag_max_ms=2, depth_max=101, handled=4, oldest_age_ms=0)


class Watching:
    """A watch, and what is open by what it has told."""

    def __init__(self) -> None:
        self.watch = Watch()
        self._open: dict[tuple[str, str | None], AnomalyAlert] = {}

    def judge(self, sample: MetricsSample) -> tuple[AnomalyAlert, ...]:
        alerts = self.watch.judge(sample)
        for alert in alerts:
            if alert.state is AnomalyState.CLEARED:
                del self._open[alert.kind, alert.key]
            else:
                self._open[alert.kind, alert.key] = alert
        return alerts

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        return tuple(self._open.values())

    def threshold_ms(self, key: str) -> float | None:
        return self.watch.threshold_ms(key)


def sample(**ticks: QueueTick) -> MetricsSample:
    return MetricsSample(at_unix_s=7.0, queues={}, ticks=ticks, feeds=(), totals=Totals())


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
    watch = Watching()
    raised = watch.judge(sample(a=DEEP))
    opened = [watch.open]
    for _ in range(3):
        watch.judge(sample(a=CALM))
        opened.append(watch.open)

    assert opened == [raised, raised, raised, ()]


def test_a_key_without_a_tick_stays_as_it_was() -> None:
    watch = Watching()
    raised = watch.judge(sample(a=DEEP))
    watch.judge(sample(b=CALM))

    assert watch.open == raised


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


IDLE = QueueTick(lag_min_ms=0, lag_max_ms=0, depth_max=0, handled=0, oldest_age_ms=0)
LATE = QueueTick(lag_min_ms=40, lag_max_ms=60, depth_max=3, handled=4, oldest_age_ms=0)


def stuck(after_s: int) -> QueueTick:
    return QueueTick(0, 0, depth_max=3, handled=0, oldest_age_ms=1e3 * after_s)


def told(watch: Watch | Watching, ticks: list[QueueTick]) -> list[str]:
    return [alert.message for tick in ticks for alert in watch.judge(sample(a=tick))]


def test_a_stall_is_told_and_what_to_look_at() -> None:
    assert told(Watch(), [stuck(1), stuck(2), stuck(3), CALM, CALM, CALM]) == [
        (
            "a handles nothing, and what waits has waited for 3000 ms: "
            "look at what its handler waits for"
        ),
        "a handles again what waits",
    ]


def test_a_queue_that_stands_is_told_and_what_to_look_at() -> None:
    watch = Watching()
    threshold_ms = told(watch, [CALM] * 60) or watch.threshold_ms("a")

    assert told(watch, [LATE] * 6 + [CALM] * 3) == [
        (
            f"a is 40.0 ms late at the least, over {threshold_ms:.1f} ms, and does not catch up: "
            "look for a slow handler or a burst from the exchange"
        ),
        "a has caught up: 1.0 ms late at the least",
    ]


def test_spikes_are_told_and_what_to_look_at() -> None:
    spike = QueueTick(lag_min_ms=1, lag_max_ms=300, depth_max=3, handled=4, oldest_age_ms=0)

    assert told(Watch(), [CALM] * 60 + [spike, *[CALM] * 4] * 4 + [CALM] * 30) == [
        (
            "a is late again and again, now by 300 ms, over 20 ms: "
            "look for what holds up its handler every few seconds"
        ),
        "a is as late as usual again: 2 ms at most",
    ]


def test_a_stall_is_an_error_and_the_others_are_warnings() -> None:
    watch = Watching()
    told(watch, [CALM] * 60 + [LATE] * 5 + [stuck(n) for n in range(1, 4)])

    assert {alert.kind: alert.severity for alert in watch.open} == {
        "QUEUE_STALL": Severity.ERROR,
        "QUEUE_STANDING": Severity.WARN,
    }


def test_the_learnt_threshold_can_be_read() -> None:
    watch = Watching()
    told(watch, [LATE] * 60)

    assert watch.threshold_ms("a") == pytest.approx(4 * 40, rel=0.1)


def test_a_symbol_that_has_never_done_anything_has_no_threshold() -> None:
    watch = Watching()
    told(watch, [IDLE] * 3)

    assert watch.threshold_ms("a") is None


def test_a_symbol_that_falls_idle_is_cleared() -> None:
    watch = Watching()
    told(watch, [stuck(n) for n in range(1, 4)])
    opened = len(watch.open)
    told(watch, [IDLE] * 3)

    assert (opened, watch.open) == (1, ())


def test_a_symbol_that_was_removed_is_cleared_and_forgotten() -> None:
    watch = Watching()
    told(watch, [stuck(n) for n in range(1, 4)])
    cleared = [alert.state for _ in range(4) for alert in watch.judge(sample(b=CALM))]

    assert cleared == [AnomalyState.CLEARED]
    assert (watch.open, watch.threshold_ms("a")) == ((), None)


LOST = FeedMetrics(
    name="upbit#2",
    exchange="upbit",
    state="backoff",
    frames=0,
    snapshots=0,
    reconnects=0,
    bad_frames={},
    silence_s=None,
)


def test_feeds_are_judged_by_their_name() -> None:
    lost = MetricsSample(at_unix_s=7.0, ticks={}, feeds=(LOST,), interval_s=11.0)
    (alert,) = Watch().judge(lost)

    assert (alert.kind, alert.key, alert.since_unix_s) == ("FEED_LOST", "upbit#2", 7.0)


def test_a_feed_that_was_removed_is_cleared_at_once() -> None:
    watch = Watching()
    watch.judge(MetricsSample(at_unix_s=7.0, ticks={}, feeds=(LOST,), interval_s=11.0))
    (cleared,) = watch.judge(MetricsSample(at_unix_s=18.0, ticks={}, feeds=(), interval_s=11.0))

    assert (cleared.kind, cleared.state) == ("FEED_LOST", AnomalyState.CLEARED)
    assert cleared.message == "upbit#2 was removed"
    assert watch.open == ()
