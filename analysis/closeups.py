"""Which seconds of which symbols are worth keeping: those around anomalies."""

from __future__ import annotations

from collections import deque

import attrs

from ..messages import AnomalyAlert, AnomalyState, MetricsSample, QueueTick, RunSecond

__all__ = ["Closeups"]

BEFORE = 5
AFTER = 5
MOST = 100


@attrs.define
class Closeups:
    """Keep a symbol's intervals from five before an anomaly to five after it; one thread at a time.

    At most 100 symbols are followed at one time, since roll-ups tell what all of them do.
    """

    _recent: deque[MetricsSample] = attrs.field(init=False, factory=lambda: deque(maxlen=BEFORE))
    _open: dict[str, set[str]] = attrs.field(init=False, factory=dict)
    """By symbol: the kinds of its anomalies that go on."""
    _left: dict[str, int] = attrs.field(init=False, factory=dict)
    """By symbol followed: how many more intervals after the last anomaly."""

    def add(self, sample: MetricsSample) -> list[RunSecond]:
        """Return the rows of this interval."""
        self._recent.append(sample)
        rows = _rows(sample, *self._left)
        self._left = {
            key: left if self._open.get(key) else left - 1
            for key, left in self._left.items()
            if left > 1 or self._open.get(key)
        }
        return rows

    def note(self, alert: AnomalyAlert) -> list[RunSecond]:
        """Begin or end to follow a symbol; return the rows from before the anomaly."""
        if (key := alert.key) is None:
            return []
        kinds = self._open.setdefault(key, set())
        if alert.state is AnomalyState.CLEARED:
            kinds.discard(alert.kind)
            if not kinds:
                del self._open[key]
            return []
        kinds.add(alert.kind)
        return self._follow(key)

    def _follow(self, key: str) -> list[RunSecond]:
        known = key in self._left
        if known or len(self._left) < MOST:
            self._left[key] = AFTER
        if known or key not in self._left:
            return []
        return [row for sample in self._recent for row in _rows(sample, key)]


def _rows(sample: MetricsSample, *keys: str) -> list[RunSecond]:
    ticks = ((key, sample.ticks[key]) for key in keys if key in sample.ticks)
    return [_row(sample.at_unix_s, key, tick) for key, tick in ticks]


def _row(at_unix_s: float, key: str, tick: QueueTick) -> RunSecond:
    return RunSecond(
        at_unix_s,
        key,
        tick.handled,
        tick.failed,
        tick.shed,
        tick.depth_max,
        tick.oldest_age_ms,
        tick.lag_min_ms,
        tick.lag_p50_ms,
        tick.lag_p99_ms,
        tick.lag_max_ms,
    )
