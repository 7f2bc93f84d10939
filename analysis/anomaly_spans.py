"""Anomalies of a run from start to end, put together from what was logged of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from ..messages import AnomalyAlert, AnomalyState, Severity

if TYPE_CHECKING:
    from ..messages import Rollup, RunEvent, RunSecond

__all__ = ["AnomalySpan", "AnomalySpans"]

_WORST_FIRST = (Severity.ERROR, Severity.WARN, Severity.INFO)


@attrs.define(kw_only=True)
class AnomalySpan:
    """One anomaly, from its start to its end."""

    kind: str
    key: str | None
    severity: str
    message: str
    start_unix_s: float
    end_unix_s: float | None = None
    """None while it goes on, and where the log ends before it."""
    value: float | None = None
    """The greatest that was measured while it went on."""
    threshold: float | None = None
    lag_peak_ms: float = 0.0
    """The symbol's greatest lag, or age of its head, while it went on."""
    depth_peak: int = 0

    def covers(self, at_unix_s: float) -> bool:
        """Say whether it went on at this time."""
        end_unix_s = self.end_unix_s
        return self.start_unix_s <= at_unix_s and (end_unix_s is None or at_unix_s <= end_unix_s)


@attrs.define
class AnomalySpans:
    """Put together what was raised, changed and cleared, in the order it was logged."""

    _spans: list[AnomalySpan] = attrs.field(init=False, factory=list)
    _open: dict[tuple[str, str | None], AnomalySpan] = attrs.field(init=False, factory=dict)
    _by_key: dict[str, list[AnomalySpan]] = attrs.field(init=False, factory=dict)

    def add(self, event: RunEvent) -> None:
        """Take in an event of the kind `anomaly`."""
        detail = json.loads(event.detail)
        span = self._open.get((detail["kind"], event.key))
        if detail["state"] == AnomalyState.CLEARED:
            if span is not None:
                self._end(span, event.at_unix_s)
            return
        if span is None:
            span = self._begin(event, detail)
        if (value := detail.get("value")) is not None:
            span.value = value if span.value is None else max(span.value, value)

    def end_all(self, at_unix_s: float) -> None:
        """End what goes on: its process stopped, or another one began."""
        for span in [*self._open.values()]:
            self._end(span, at_unix_s)

    def peak(self, row: Rollup | RunSecond) -> None:
        """Take in how late and how deep a symbol was."""
        for span in self._by_key.get(row.key, ()):
            if span.covers(row.at_unix_s):
                span.lag_peak_ms = max(span.lag_peak_ms, row.lag_max_ms, row.oldest_age_ms)
                span.depth_peak = max(span.depth_peak, row.depth_max)

    def all(self) -> tuple[AnomalySpan, ...]:
        """Return all of them by start."""
        return tuple(sorted(self._spans, key=lambda each: each.start_unix_s))

    def alerts(self) -> list[AnomalyAlert]:
        """Return one alert for each kind."""
        kinds: dict[str, list[AnomalySpan]] = {}
        for span in self._spans:
            kinds.setdefault(span.kind, []).append(span)
        return [_sum_up(kind, spans) for kind, spans in kinds.items()]

    def _begin(self, event: RunEvent, detail: dict[str, Any]) -> AnomalySpan:
        span = AnomalySpan(
            kind=detail["kind"],
            key=event.key,
            severity=detail["severity"],
            message=detail["message"],
            start_unix_s=detail.get("since_unix_s", event.at_unix_s),
            threshold=detail.get("threshold"),
        )
        self._spans.append(span)
        self._open[span.kind, span.key] = span
        if span.key is not None:
            self._by_key.setdefault(span.key, []).append(span)
        return span

    def _end(self, span: AnomalySpan, at_unix_s: float) -> None:
        del self._open[span.kind, span.key]
        span.end_unix_s = at_unix_s


def _sum_up(kind: str, spans: list[AnomalySpan]) -> AnomalyAlert:
    worst = min(spans, key=lambda each: _WORST_FIRST.index(Severity(each.severity)))
    times = "once" if len(spans) == 1 else f"{len(spans)} times, the worst"
    return AnomalyAlert(
        kind=kind,
        severity=Severity(worst.severity),
        message=f"raised {times}: {worst.message}",
        key=worst.key,
        value=worst.value,
        threshold=worst.threshold,
        since_unix_s=worst.start_unix_s,
    )
