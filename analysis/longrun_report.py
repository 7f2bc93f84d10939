"""What a long run came to, and how to read it."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs

from ..messages import AnomalyAlert, Severity
from .metric_stats import MetricStats

__all__ = ["LongrunReport", "render_report"]


@attrs.frozen(kw_only=True)
class LongrunReport:
    """What was measured in a run, what is wrong with it, and the verdict.

    Times are unix seconds and None where no entry had a time stamp; `duration_minutes` is 0 then.
    """

    scenario: str
    duration_minutes: float = 0.0
    start_time: float | None = None
    end_time: float | None = None
    loop_time_stats: MetricStats = attrs.field(factory=MetricStats)
    """ms"""
    trades_opened_stats: MetricStats = attrs.field(factory=MetricStats)
    """Trades opened per entry."""
    trades_opened_total: int | None = None
    """Trades opened in the whole run; None when no entry tells."""
    spread_bps_stats: MetricStats = attrs.field(factory=MetricStats)
    """Basis points."""
    ws_latency_stats: MetricStats = attrs.field(factory=MetricStats)
    """ms"""
    ws_queue_lag_stats: MetricStats = attrs.field(factory=MetricStats)
    """ms"""
    snapshot_none_count: int = 0
    guard_rejected_count: int = 0
    guard_stop_count: int = 0
    error_log_count: int = 0
    warning_log_count: int = 0
    ws_reconnect_count: int = 0
    ws_message_gap_count: int = 0
    ws_latency_warn_count: int = 0
    """Latencies over 500 ms, up to 2000 ms."""
    ws_latency_error_count: int = 0
    """Latencies over 2000 ms."""
    ws_queue_depth_max: int = 0
    ws_queue_lag_ms_max: float = 0.0
    ws_queue_lag_warn_count: int = 0
    """Queue lags over 1000 ms."""
    memory_increase_mb: float | None = None
    """Greatest `memory_mb` less the first; None when no entry tells."""
    entries: int = 0
    broken_entries: int = 0
    """Lines of the log that are no JSON object, skipped."""
    ignored_values: int = 0
    """Values of a wrong type, None, NaN and the like, skipped."""
    anomalies: tuple[AnomalyAlert, ...] = ()

    @property
    def overall_status(self) -> str:
        """`FAIL` with any anomaly of severity ERROR, else `WARN` with any of WARN, else `OK`."""
        severities = {anomaly.severity for anomaly in self.anomalies}
        if Severity.ERROR in severities:
            return "FAIL"
        return "WARN" if Severity.WARN in severities else "OK"


def render_report(report: LongrunReport) -> str:
    """Return the report as lines of plain text, the verdict first."""
    return "\n".join(
        (
            f"Long run {report.scenario}: {report.overall_status}",
            _period(report),
            "",
            *_stats_lines(report),
            "",
            *_count_lines(report),
            "",
            *_anomaly_lines(report),
        )
    )


def _stats_lines(report: LongrunReport) -> list[str]:
    rows = (
        ("loop time, ms", report.loop_time_stats),
        ("trades opened", report.trades_opened_stats),
        ("spread, bps", report.spread_bps_stats),
        ("ws latency, ms", report.ws_latency_stats),
        ("ws queue lag, ms", report.ws_queue_lag_stats),
    )
    heads = "".join(f"{head:>10}" for head in ("count", "mean", "min", "max", "stddev"))
    return [f"{'':20}{heads}", *(f"{name:20}{_numbers(stats)}" for name, stats in rows)]


def _numbers(stats: MetricStats) -> str:
    if not stats.count:
        return f"{0:>10}" + f"{'-':>10}" * 4
    numbers = (stats.mean, stats.min, stats.max, stats.stddev)
    return f"{stats.count:>10}" + "".join(f" {number:>9.2f}" for number in numbers)


def _count_lines(report: LongrunReport) -> list[str]:
    counts = {
        "trades opened in all": report.trades_opened_total,
        "snapshots missing": report.snapshot_none_count,
        "guard rejected": report.guard_rejected_count,
        "guard stopped": report.guard_stop_count,
        "errors logged": report.error_log_count,
        "warnings logged": report.warning_log_count,
        "ws reconnects": report.ws_reconnect_count,
        "ws message gaps": report.ws_message_gap_count,
        "ws latency over 500 ms": report.ws_latency_warn_count,
        "ws latency over 2000 ms": report.ws_latency_error_count,
        "ws queue depth, greatest": report.ws_queue_depth_max,
        "ws queue lag, greatest, ms": round(report.ws_queue_lag_ms_max, 2),
        "ws queue lag over 1000 ms": report.ws_queue_lag_warn_count,
        "memory increase, MB": report.memory_increase_mb,
        "broken entries skipped": report.broken_entries,
        "values ignored": report.ignored_values,
    }
    return [f"{name:30}{'-' if count is None else count:>10}" for name, count in counts.items()]


def _anomaly_lines(report: LongrunReport) -> list[str]:
    if not report.anomalies:
        return ["no anomalies"]
    return [f"{each.severity:6}{each.kind:16}{each.message}" for each in report.anomalies]


def _period(report: LongrunReport) -> str:
    times = f"{_time(report.start_time)} to {_time(report.end_time)}"
    return f"{times}, {report.duration_minutes:.1f} minutes, {report.entries} entries"


def _time(unix_s: float | None) -> str:
    if unix_s is None:
        return "unknown time"
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
