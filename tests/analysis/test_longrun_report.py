from typing import Any

import pytest

from ticklane.analysis import LongrunAnalyzer, LongrunReport, MetricStats, render_report
from ticklane.messages import AnomalyAlert, Severity


def alert(severity: Severity) -> AnomalyAlert:
    return AnomalyAlert(kind="WS_QUEUE_LAG", severity=severity, message="late: look there")


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        ((), "OK"),
        ((Severity.INFO,), "OK"),
        ((Severity.INFO, Severity.WARN), "WARN"),
        ((Severity.ERROR, Severity.WARN), "FAIL"),
    ],
)
def test_the_worst_severity_is_the_status(severities: tuple[Severity, ...], status: str) -> None:
    report = LongrunReport(scenario="S1", anomalies=tuple(map(alert, severities)))

    assert report.overall_status == status


def test_the_lag_of_a_stall_of_hours_stands_apart_from_the_number_before_it() -> None:
    stats = MetricStats()
    for lag_ms in (0.0, 10_000_000.0):
        stats.add(lag_ms)
    text = render_report(LongrunReport(scenario="S1", ws_queue_lag_stats=stats))
    line = next(line for line in text.splitlines() if line.startswith("ws queue lag, ms"))

    assert line.split()[4:] == ["2", "5000000.00", "0.00", "10000000.00", "5000000.00"]


def test_the_first_line_is_the_verdict() -> None:
    report = LongrunReport(scenario="S3", anomalies=(alert(Severity.WARN),))

    assert render_report(report).splitlines()[0] == "Long run S3: WARN"


def test_the_second_line_says_when() -> None:
    report = LongrunReport(
        scenario="S1", start_time=0, end_time=90, duration_minutes=1.5, entries=90
    )

    assert render_report(report).splitlines()[1] == (
        "1970-01-01T00:00:00+00:00 to 1970-01-01T00:01:30+00:00, 1.5 minutes, 90 entries"
    )


def test_a_run_without_time_stamps_says_so() -> None:
    report = LongrunReport(scenario="S1")

    assert "unknown time to unknown time" in render_report(report)


def test_statistics_stand_in_a_line_each() -> None:
    stats = MetricStats()
    stats.add(1)
    stats.add(2)
    report = LongrunReport(scenario="S1", ws_queue_lag_stats=stats)
    line = next(line for line in render_report(report).splitlines() if "queue lag, ms" in line)

    assert line.split()[-5:] == ["2", "1.50", "1.00", "2.00", "0.50"]


def test_what_was_not_measured_is_a_dash() -> None:
    lines = render_report(LongrunReport(scenario="S1")).splitlines()
    line = next(line for line in lines if line.startswith("loop time"))

    assert line.split()[-5:] == ["0", "-", "-", "-", "-"]


def test_every_count_stands_in_the_text() -> None:
    counts = (
        "trades_opened_total",
        "snapshot_none_count",
        "guard_rejected_count",
        "guard_stop_count",
        "error_log_count",
        "warning_log_count",
        "ws_reconnect_count",
        "ws_message_gap_count",
        "ws_latency_warn_count",
        "ws_latency_error_count",
        "ws_queue_depth_max",
        "ws_queue_lag_ms_max",
        "ws_queue_lag_warn_count",
        "memory_increase_mb",
        "broken_entries",
        "ignored_values",
    )
    values: dict[str, Any] = {name: 7001 + place for place, name in enumerate(counts)}
    text = render_report(LongrunReport(scenario="S1", **values))

    assert [value for value in values.values() if f" {value}\n" not in text + "\n"] == []


def test_anomalies_stand_in_the_text_with_what_to_look_at() -> None:
    text = render_report(LongrunReport(scenario="S1", anomalies=(alert(Severity.WARN),)))

    assert text.splitlines()[-1].split(maxsplit=2) == ["WARN", "WS_QUEUE_LAG", "late: look there"]


def test_a_run_without_anomalies_says_so() -> None:
    assert render_report(LongrunReport(scenario="S1")).endswith("no anomalies")


def test_the_analyzer_renders_the_same_text() -> None:
    report = LongrunReport(scenario="S1")

    assert LongrunAnalyzer().generate_report(report) == render_report(report)
