"""The verdict on a long run."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from ..messages import AnomalyAlert, Severity
from .longrun_report import render_report
from .longrun_tally import LongrunTally
from .queue_rules import LOOK_AT_BACKLOG, LOOK_AT_HANDLER
from .scenarios import ScenarioLimits, limits_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .longrun_report import LongrunReport

__all__ = ["LongrunAnalyzer"]


@attrs.frozen
class _Rule:
    """One line of the table: a measured value must not be over (or under) a limit."""

    kind: str
    severity: Severity
    value: str
    """Where the report has it; None there is not judged."""
    limit: str
    """Where the scenario has it; a name that ends in `_min` is a minimum."""
    message: str

    def judge(self, report: LongrunReport, limits: ScenarioLimits) -> AnomalyAlert | None:
        value, limit = attrgetter(self.value)(report), getattr(limits, self.limit)
        if value is None or not (value < limit if self.limit.endswith("_min") else value > limit):
            return None
        return AnomalyAlert(
            kind=self.kind,
            severity=self.severity,
            message=self.message.format(value=value, limit=limit),
            value=value,
            threshold=limit,
            since_unix_s=report.start_time,
        )


_WARN, _ERROR = Severity.WARN, Severity.ERROR
_RULES = (
    _Rule(
        "LOOP_TIME", _WARN, "loop_time_stats.mean", "loop_time_mean_max_ms",
        "a loop took {value:.0f} ms on average, over {limit:g} ms: look at what every loop does",
    ),
    _Rule(
        "LOOP_TIME", _WARN, "loop_time_stats.max", "loop_time_max_ms",
        "one loop took {value:.0f} ms, over {limit:g} ms: look at what it waited for",
    ),
    _Rule(
        "SNAPSHOT", _WARN, "snapshot_none_count", "snapshot_none_max",
        "a snapshot was missing {value} times, over {limit}: look at the feeds' connections",
    ),
    _Rule(
        "ERROR_LOG", _ERROR, "error_log_count", "error_log_max",
        "{value} errors were logged, over {limit}: look at the log",
    ),
    _Rule(
        "WARNING_LOG", _WARN, "warning_log_count", "warning_log_max",
        "{value} warnings were logged, over {limit}: look at the log",
    ),
    _Rule(
        "TRADES", _WARN, "trades_opened_total", "trades_opened_min",
        "{value} trades were opened, fewer than {limit}: look at the strategy's signals",
    ),
    _Rule(
        "GUARD", _WARN, "guard_rejected_count", "guard_rejected_max",
        "the guard rejected {value} trades, over {limit}: look at what it guards",
    ),
    _Rule(
        "GUARD", _ERROR, "guard_stop_count", "guard_stop_max",
        "the guard stopped the session {value} times: look at what it guards",
    ),
    _Rule(
        "MEMORY", _ERROR, "memory_increase_mb", "memory_increase_max_mb",
        "memory grew by {value:.0f} MB, over {limit:g} MB: look for what is kept for ever",
    ),
    _Rule(
        "WS_LATENCY", _WARN, "ws_latency_warn_count", "ws_latency_warn_max",
        "latency was over 500 ms {value} times, over {limit}: look at the network and the clock",
    ),
    _Rule(
        "WS_LATENCY", _ERROR, "ws_latency_error_count", "ws_latency_error_max",
        "latency was over 2000 ms {value} times: look at the network and the clock",
    ),
    _Rule(
        "WS_RECONNECT", _WARN, "ws_reconnect_count", "ws_reconnect_max",
        "feeds reconnected {value} times, over {limit}: look at the network and the exchange",
    ),
    _Rule(
        "WS_MESSAGE_GAP", _WARN, "ws_message_gap_count", "ws_message_gap_max",
        "{value} gaps in the exchange's numbers, over {limit}: look at the network",
    ),
    _Rule(
        "WS_QUEUE_LAG", _WARN, "ws_queue_lag_warn_count", "ws_queue_lag_warn_max",
        "queue lag was over 1000 ms {value} times, over {limit}: " + LOOK_AT_HANDLER,
    ),
    _Rule(
        "WS_QUEUE_DEPTH", _WARN, "ws_queue_depth_max", "ws_queue_depth_max",
        "{value} snapshots waited at one time, over {limit}: " + LOOK_AT_BACKLOG,
    ),
)  # fmt: skip


@attrs.frozen
class LongrunAnalyzer:
    """Hold a run's metrics against the limits of a scenario: `S1`, `S2` or `S3`.

    The verdict is `FAIL` with any anomaly of severity ERROR, else `WARN` with any of WARN, else
    `OK`. ERROR: too many errors logged, a session the guard stopped, a latency over 2000 ms, memory
    that grew too much. WARN: everything else that is over (or under) its limit in `SCENARIOS`. What
    no entry tells of is not judged.

    Raises InvalidOption for an unknown scenario or a threshold that is no whole number from 0.
    """

    scenario: str = "S1"
    ws_queue_lag_warn_max: int = attrs.field(default=10, kw_only=True)
    """Queue lags over 1000 ms a run may have."""
    ws_queue_depth_max: int = attrs.field(default=100, kw_only=True)
    """Snapshots that may wait at one time."""
    limits: ScenarioLimits = attrs.field(init=False)

    @limits.default
    def _limits(self) -> ScenarioLimits:
        return attrs.evolve(
            limits_of(self.scenario),
            ws_queue_lag_warn_max=self.ws_queue_lag_warn_max,
            ws_queue_depth_max=self.ws_queue_depth_max,
        )

    def analyze_metrics_log(self, entries: Iterable[object]) -> LongrunReport:
        """Return the report on these entries, read once and one at a time.

        `LongrunTally` says what an entry may hold.
        """
        tally = LongrunTally()
        for entry in entries:
            tally.add(entry)
        return self.judge(tally)

    def judge(self, tally: LongrunTally) -> LongrunReport:
        """Return the report on what was tallied so far: for a run that still goes on."""
        report = tally.report(self.scenario)
        alerts = (rule.judge(report, self.limits) for rule in _RULES)
        return attrs.evolve(report, anomalies=tuple(alert for alert in alerts if alert))

    def generate_report(self, report: LongrunReport) -> str:
        """Return the report as plain text."""
        return render_report(report)
