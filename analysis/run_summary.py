"""What a run's samples come to: entries for a metrics log, and the report on them."""

from __future__ import annotations

import threading
from typing import Any

from ..messages import MetricsSample, QueueTick
from .longrun import LongrunAnalyzer
from .longrun_report import LongrunReport
from .longrun_tally import LongrunTally

__all__ = ["RunSummary"]


class RunSummary:
    """Add up a run sample by sample; any thread may ask for the report so far."""

    def __init__(self, analyzer: LongrunAnalyzer) -> None:
        self._analyzer = analyzer
        self._tally = LongrunTally()
        self._reconnects = self._gaps = 0
        self._lock = threading.Lock()

    def add(self, sample: MetricsSample) -> dict[str, Any]:
        """Count one interval, and return its entry as a metrics log has it."""
        with self._lock:
            entry = self._entry(sample)
            self._tally.add(entry)
        return entry

    def report(self) -> LongrunReport:
        """Return the report on the run so far."""
        with self._lock:
            return self._analyzer.judge(self._tally)

    def _entry(self, sample: MetricsSample) -> dict[str, Any]:
        ticks = sample.ticks.values()
        reconnects, gaps = self._reconnects, self._gaps
        self._reconnects = sum(feed.reconnects for feed in sample.feeds)
        self._gaps = sum(feed.gaps for feed in sample.feeds)
        return {
            "timestamp": sample.at_unix_s,
            "snapshot_none": sample.missing,
            "error_log": sum(tick.failed for tick in ticks),
            "warning_log": sum(tick.shed > 0 for tick in ticks),
            "ws_reconnect": self._reconnects - reconnects,
            "ws_message_gap": self._gaps - gaps,
            "ws_queue_depth": max((tick.depth_max for tick in ticks), default=0),
            "ws_queue_lag_ms": max((_lateness(tick) for tick in ticks), default=0.0),
        }


def _lateness(tick: QueueTick) -> float:
    return max(tick.lag_max_ms, tick.oldest_age_ms)
