"""Anomalies from start to end."""

import json

import attrs

from ticklane.analysis import AnomalySpans
from ticklane.messages import RunEvent, RunSecond, Severity

KEY = "upbit:KRW-BTC"


def event(
    second: int, state: str, *, kind: str = "QUEUE_STALL", key: str | None = KEY, **more: object
) -> RunEvent:
    detail = {"kind": kind, "severity": "WARN", "message": "look", "state": state, **more}
    return RunEvent(float(second), "anomaly", key, json.dumps(detail))


def second(at: int, lag_max_ms: float, depth_max: int, key: str = KEY) -> RunSecond:
    return RunSecond(float(at), key, 1, 0, 0, depth_max, 0.0, 0.0, 0.0, 0.0, lag_max_ms)


def spans(*events: RunEvent) -> AnomalySpans:
    found = AnomalySpans()
    for each in events:
        found.add(each)
    return found


def test_one_goes_from_its_raise_to_its_clear() -> None:
    (span,) = spans(event(5, "raised"), event(9, "cleared")).all()

    assert (span.kind, span.key, span.start_unix_s, span.end_unix_s) == ("QUEUE_STALL", KEY, 5, 9)


def test_one_that_was_not_cleared_has_no_end() -> None:
    (span,) = spans(event(5, "raised")).all()

    assert span.end_unix_s is None
    assert span.covers(1e12)


def test_one_raised_twice_is_two() -> None:
    told = spans(event(5, "raised"), event(9, "cleared"), event(20, "raised")).all()

    assert [span.start_unix_s for span in told] == [5, 20]


def test_changes_keep_the_greatest_value() -> None:
    told = spans(*(event(5 + i, "changed", value=value) for i, value in enumerate((3, 9, 4))))
    (span,) = told.all()

    assert span.value == 9


def test_a_clear_without_a_raise_is_nothing() -> None:
    assert spans(event(5, "cleared")).all() == ()


def test_what_a_killed_process_left_open_ends_when_the_next_begins() -> None:
    told = spans(event(5, "raised"))
    told.end_all(30.0)
    told.add(event(40, "raised"))

    assert [(span.start_unix_s, span.end_unix_s) for span in told.all()] == [(5, 30), (40, None)]


def test_peaks_are_those_of_its_symbol_while_it_went_on() -> None:
    told = spans(event(5, "raised"), event(9, "cleared"))
    for row in (
        second(4, 900.0, 90),
        second(7, 50.0, 5),
        second(8, 40.0, 6),
        second(10, 800.0, 80),
    ):
        told.peak(row)
    told.peak(second(7, 700.0, 70, key="upbit:KRW-ETH"))
    (span,) = told.all()

    assert (span.lag_peak_ms, span.depth_peak) == (50.0, 6)


def test_each_kind_is_summed_up_by_its_worst() -> None:
    told = spans(
        event(5, "raised"),
        event(6, "raised", key="upbit:KRW-ETH", severity="ERROR", message="worse"),
        event(7, "raised", kind="RUN_LOG", key=None),
    )
    alerts = [(each.kind, each.severity, each.message) for each in told.alerts()]

    assert alerts == [
        ("QUEUE_STALL", Severity.ERROR, "raised 2 times, the worst: worse"),
        ("RUN_LOG", Severity.WARN, "raised once: look"),
    ]
    assert attrs.asdict(told.alerts()[1])["since_unix_s"] == 7.0
