"""What a run log comes to."""

from __future__ import annotations

import json
import operator
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from .anomaly_spans import AnomalySpan, AnomalySpans
from .lag_sum import LagSum, SpreadLags, spread_lags
from .longrun import LongrunAnalyzer
from .longrun_tally import LongrunTally, parse_field
from .time_line import TimeLine, TimePoint

if TYPE_CHECKING:
    from ..messages import Rollup, RunEvent, RunSecond
    from .longrun_report import LongrunReport

__all__ = ["RunReport", "RunTally", "SymbolReport"]

MS = 1e6
_SUMS = ("offered", "handled", "failed", "dropped", "conflated", "expired", "rejected", "restarts")
_counts = operator.attrgetter(*_SUMS)
_FEED_EVENTS = {"feed_connected", "feed_lost", "feed_gap"}
_SHED = ("dropped", "conflated", "expired", "rejected")


@attrs.frozen(kw_only=True)
class SymbolReport:
    """What one mailbox did in the whole run."""

    key: str
    offered: int
    handled: int
    failed: int
    dropped: int
    conflated: int
    expired: int
    rejected: int
    restarts: int
    depth_max: int
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float

    @property
    def shed(self) -> int:
        """Not handled on purpose, for whichever reason."""
        return self.dropped + self.conflated + self.expired + self.rejected


@attrs.frozen(kw_only=True)
class RunReport:
    """What was measured in a run, what was wrong with it, and the verdict."""

    longrun: LongrunReport
    """With the verdict and its reasons: what is over the scenario's limits, and what was raised."""
    stopped: bool | None
    """Whether the log's writer stopped it; None where the log does not tell."""
    symbols: tuple[SymbolReport, ...]
    """The latest first: those with the greatest 99th percentile."""
    over_time: tuple[TimePoint, ...]
    anomalies: tuple[AnomalySpan, ...]
    """By start."""
    feeds: tuple[tuple[str, dict[str, int]], ...]
    """By connection: `feed_connected`, `feed_lost`, `feed_gap`, and how often."""

    @property
    def totals(self) -> dict[str, int]:
        """The sum over all symbols of each count."""
        return {name: sum(getattr(each, name) for each in self.symbols) for name in _SUMS}

    @property
    def shed(self) -> dict[str, int]:
        """What was not handled on purpose, by reason."""
        return {name: count for name, count in self.totals.items() if name in _SHED}


@attrs.define
class _SymbolTally:
    sums: tuple[int, ...] = (0,) * len(_SUMS)
    depth_max: int = 0
    lags: LagSum = attrs.field(factory=LagSum)

    def add(self, row: Rollup, lags: SpreadLags) -> None:
        self.sums = tuple(map(operator.add, self.sums, _counts(row)))
        self.depth_max = max(self.depth_max, row.depth_max)
        self.lags.add(lags)

    def report(self, key: str) -> SymbolReport:
        lags = self.lags.histogram()
        p50, p99 = lags.quantiles(0.5, 0.99)
        return SymbolReport(
            key=key,
            **dict(zip(_SUMS, self.sums, strict=True)),
            depth_max=self.depth_max,
            lag_p50_ms=p50 / MS,
            lag_p99_ms=p99 / MS,
            lag_max_ms=lags.greatest / MS,
        )


@attrs.define
class RunTally:
    """Add up a run log row by row: first all events, then the rest in any order."""

    _longrun: LongrunTally = attrs.field(init=False, factory=LongrunTally)
    _entries: TimeLine = attrs.field(init=False, factory=TimeLine)
    _line: TimeLine = attrs.field(init=False, factory=TimeLine)
    _symbols: defaultdict[str, _SymbolTally] = attrs.field(
        init=False, factory=lambda: defaultdict(_SymbolTally)
    )
    _spans: AnomalySpans = attrs.field(init=False, factory=AnomalySpans)
    _feeds: dict[str, Counter[str]] = attrs.field(init=False, factory=dict)
    _stopped: bool | None = attrs.field(init=False, default=None)

    def add_event(self, event: RunEvent) -> None:
        """Take in what happened."""
        if event.kind == "anomaly":
            self._spans.add(event)
        elif event.kind in _FEED_EVENTS and event.key is not None:
            times = json.loads(event.detail).get("times", 1)
            self._feeds.setdefault(event.key, Counter())[event.kind] += times
        elif event.kind in {"started", "stopped"}:
            self._stopped = event.kind == "stopped"
            self._spans.end_all(event.at_unix_s)

    def add_rollup(self, row: Rollup) -> None:
        """Take in what a symbol did in ten seconds."""
        lags = spread_lags(row.lags)
        self._symbols[row.key].add(row, lags)
        self._line.add_rollup(row, lags)
        self._spans.peak(row)

    def add_second(self, row: RunSecond) -> None:
        """Take in what a symbol did in one interval near an anomaly."""
        self._spans.peak(row)

    def add_entry(self, entry: object) -> None:
        """Take in an entry as a metrics log has it (`LongrunTally`)."""
        self._longrun.add(entry)
        if not isinstance(entry, Mapping):
            return
        at_unix_s = parse_field(entry, "timestamp")
        depth = parse_field(entry, "ws_queue_depth")
        lag_ms = parse_field(entry, "ws_queue_lag_ms")
        if at_unix_s is not None and depth is not None and lag_ms is not None:
            self._entries.add_entry(at_unix_s, int(depth), lag_ms)

    def report(self, scenario: str = "S1") -> RunReport:
        """Return what was added so far, judged by the scenario's limits."""
        longrun = LongrunAnalyzer(scenario).judge(self._longrun)
        symbols = [tally.report(key) for key, tally in self._symbols.items()]
        return RunReport(
            longrun=attrs.evolve(longrun, anomalies=(*longrun.anomalies, *self._spans.alerts())),
            stopped=self._stopped,
            symbols=tuple(sorted(symbols, key=lambda each: (-each.lag_p99_ms, each.key))),
            over_time=(self._line if self._symbols else self._entries).points(),
            anomalies=self._spans.all(),
            feeds=tuple((name, dict(counts)) for name, counts in sorted(self._feeds.items())),
        )
