"""What a metrics log holds, added up entry by entry in constant memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from .checks import is_number
from .longrun_report import LongrunReport
from .metric_stats import MetricStats
from .queue_rules import QUEUE_LAG_WARN_MS

__all__ = ["LongrunTally", "parse_field", "parse_unix_s"]

# Squares and sums of smaller numbers cannot overflow.
_LARGEST = 10**15
_YEAR_10000_S = 253_402_300_800


def _measure(value: object) -> float | None:
    return value if is_number(value) and abs(value) <= _LARGEST else None


def _count(value: object) -> int | None:
    if isinstance(value, bool):
        return int(value)
    number = _measure(value)
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def parse_unix_s(value: object) -> float | None:
    """Return a time stamp as unix seconds; None for what is none (`LongrunTally`)."""
    if isinstance(value, str):
        value = _parse_iso(value)
    number = _measure(value)
    return number if number is not None and 0 <= number < _YEAR_10000_S else None


def _parse_iso(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


_FIELDS = {
    "loop_time_ms": _measure,
    "trades_opened": _count,
    "spread_bps": _measure,
    "snapshot_none": _count,
    "guard_rejected": _count,
    "guard_stop": _count,
    "error_log": _count,
    "warning_log": _count,
    "ws_latency_ms": _measure,
    "ws_reconnect": _count,
    "ws_message_gap": _count,
    "ws_queue_depth": _count,
    "ws_queue_lag_ms": _measure,
    "memory_mb": _measure,
    "timestamp": parse_unix_s,
}
"""The fields of an entry, and what makes a number of each; None where it cannot."""


def parse_field(entry: Mapping[str, object], field: str) -> float | None:
    """Return an entry's field as a number; None where it is missing or ignored (`LongrunTally`)."""
    return _FIELDS[field](entry[field]) if field in entry else None


_STEPS = {
    "ws_latency_ms": ((2000, "ws_latency_error_count"), (500, "ws_latency_warn_count")),
    "ws_queue_lag_ms": ((QUEUE_LAG_WARN_MS, "ws_queue_lag_warn_count"),),
}
"""What is counted of values that exceed a step; only the highest step exceeded counts."""


@attrs.define
class LongrunTally:
    """Add up the entries of a metrics log; one thread at a time.

    An entry is a dict with any of `loop_time_ms`, `trades_opened`, `spread_bps`, `snapshot_none`,
    `guard_rejected`, `guard_stop`, `error_log`, `warning_log`, `ws_latency_ms`, `ws_reconnect`,
    `ws_message_gap`, `ws_queue_depth`, `ws_queue_lag_ms`, `memory_mb` and `timestamp`; other fields
    are not looked at. Counts are whole numbers since the entry before; true and false count as 1
    and 0. `timestamp` is unix seconds or ISO 8601, UTC where it names no zone. A value that is
    something else, None, NaN or over 10**15 is ignored and counted; so is an entry that is no dict.
    """

    _entries: int = attrs.field(init=False, default=0)
    _broken: int = attrs.field(init=False, default=0)
    _ignored: int = attrs.field(init=False, default=0)
    _stats: defaultdict[str, MetricStats] = attrs.field(
        init=False, factory=lambda: defaultdict(MetricStats)
    )
    _sums: Counter[str] = attrs.field(init=False, factory=Counter)
    """Of whole numbers: exact, which a mean is not."""
    _steps: Counter[str] = attrs.field(init=False, factory=Counter)
    _first_memory_mb: float | None = attrs.field(init=False, default=None)

    def add(self, entry: object) -> None:
        """Take one more entry into account."""
        if not isinstance(entry, Mapping):
            self._broken += 1
            return
        self._entries += 1
        for field, parse in _FIELDS.items():
            if field in entry:
                self._add_value(field, parse(entry[field]))

    def _add_value(self, field: str, value: float | None) -> None:
        if value is None:
            self._ignored += 1
            return
        self._stats[field].add(value)
        if isinstance(value, int):
            self._sums[field] += value
        if field == "memory_mb" and self._first_memory_mb is None:
            self._first_memory_mb = value
        for step, count in _STEPS.get(field, ()):
            if value > step:
                self._steps[count] += 1
                break

    def report(self, scenario: str) -> LongrunReport:
        """Return what was added so far, not judged yet."""
        sums, times, lags = self._sums, self._stats["timestamp"], self._stats["ws_queue_lag_ms"]
        return LongrunReport(
            scenario=scenario,
            duration_minutes=(times.max - times.min) / 60,
            start_time=times.min if times.count else None,
            end_time=times.max if times.count else None,
            loop_time_stats=self._copy("loop_time_ms"),
            trades_opened_stats=self._copy("trades_opened"),
            trades_opened_total=sums.get("trades_opened"),
            spread_bps_stats=self._copy("spread_bps"),
            ws_latency_stats=self._copy("ws_latency_ms"),
            ws_queue_lag_stats=self._copy("ws_queue_lag_ms"),
            snapshot_none_count=sums["snapshot_none"],
            guard_rejected_count=sums["guard_rejected"],
            guard_stop_count=sums["guard_stop"],
            error_log_count=sums["error_log"],
            warning_log_count=sums["warning_log"],
            ws_reconnect_count=sums["ws_reconnect"],
            ws_message_gap_count=sums["ws_message_gap"],
            ws_latency_warn_count=self._steps["ws_latency_warn_count"],
            ws_latency_error_count=self._steps["ws_latency_error_count"],
            ws_queue_depth_max=int(self._stats["ws_queue_depth"].max),
            ws_queue_lag_ms_max=lags.max,
            ws_queue_lag_warn_count=self._steps["ws_queue_lag_warn_count"],
            memory_increase_mb=self._memory_increase_mb(),
            entries=self._entries,
            broken_entries=self._broken,
            ignored_values=self._ignored,
        )

    def _copy(self, field: str) -> MetricStats:
        return attrs.evolve(self._stats[field])

    def _memory_increase_mb(self) -> float | None:
        if self._first_memory_mb is None:
            return None
        return self._stats["memory_mb"].max - self._first_memory_mb
