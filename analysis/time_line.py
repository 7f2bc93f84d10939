"""What a run was like over time, in a few hundred points whatever its length."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from .lag_sum import LagSum, SpreadLags

if TYPE_CHECKING:
    from ..messages import Rollup

__all__ = ["TimeLine", "TimePoint"]

MOST_POINTS = 360
MS = 1e6


@attrs.frozen(kw_only=True)
class TimePoint:
    """All symbols in one stretch of time. None where the log does not tell."""

    at_unix_s: float
    """When it began."""
    depth_max: int
    """The deepest mailbox."""
    lag_max_ms: float
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None
    handled_per_s: float | None = None
    shed_per_s: float | None = None


@attrs.define
class _Stretch:
    begin_unix_s: float = math.inf
    end_unix_s: float = -math.inf
    handled: int = 0
    shed: int = 0
    depth_max: int = 0
    lag_max_ms: float = 0.0
    lags: LagSum = attrs.field(factory=LagSum)

    def add(self, row: Rollup, lags: SpreadLags) -> None:
        self.begin_unix_s = min(self.begin_unix_s, row.at_unix_s - row.seconds)
        self.end_unix_s = max(self.end_unix_s, row.at_unix_s)
        self.handled += row.handled
        self.shed += row.dropped + row.conflated + row.expired
        self.note(row.depth_max, max(row.lag_max_ms, row.oldest_age_ms))
        self.lags.add(lags)

    def note(self, depth: int, lag_ms: float) -> None:
        self.depth_max = max(self.depth_max, depth)
        self.lag_max_ms = max(self.lag_max_ms, lag_ms)

    def join(self, other: _Stretch) -> None:
        self.begin_unix_s = min(self.begin_unix_s, other.begin_unix_s)
        self.end_unix_s = max(self.end_unix_s, other.end_unix_s)
        self.handled += other.handled
        self.shed += other.shed
        self.note(other.depth_max, other.lag_max_ms)
        self.lags.join(other.lags)


@attrs.define
class TimeLine:
    """Add up rows by time; stretches of ten seconds at first, twice as long whenever too many."""

    seconds: int = attrs.field(init=False, default=10)
    """How long a stretch is."""
    _stretches: defaultdict[int, _Stretch] = attrs.field(
        init=False, factory=lambda: defaultdict(_Stretch)
    )
    _has_rollups: bool = attrs.field(init=False, default=False)

    def add_rollup(self, row: Rollup, lags: SpreadLags) -> None:
        """Take in what one symbol did in some seconds; `lags` is the row's, spread."""
        self._has_rollups = True
        # A row tells of the time before it.
        self._at(row.at_unix_s - row.seconds / 2).add(row, lags)

    def add_entry(self, at_unix_s: float, depth: int, lag_ms: float) -> None:
        """Take in what a metrics log says of one interval."""
        self._at(at_unix_s).note(depth, lag_ms)

    def points(self) -> tuple[TimePoint, ...]:
        """Return the points so far, in order."""
        return tuple(
            self._point(number * self.seconds, stretch)
            for number, stretch in sorted(self._stretches.items())
        )

    def _at(self, unix_s: float) -> _Stretch:
        # What is told on the stroke is of the stretch before it.
        stretch = self._stretches[math.ceil(unix_s / self.seconds) - 1]
        if len(self._stretches) <= MOST_POINTS:
            return stretch
        self._halve()
        return self._at(unix_s)

    def _halve(self) -> None:
        before = [*self._stretches.items()]
        self._stretches.clear()
        self.seconds *= 2
        for number, stretch in before:
            self._stretches[number // 2].join(stretch)

    def _point(self, at_unix_s: float, stretch: _Stretch) -> TimePoint:
        point = TimePoint(
            at_unix_s=at_unix_s, depth_max=stretch.depth_max, lag_max_ms=stretch.lag_max_ms
        )
        if not self._has_rollups:
            return point
        p50, p99 = stretch.lags.histogram().quantiles(0.5, 0.99)
        # The first and the last may be shorter.
        seconds = max(min(stretch.end_unix_s - stretch.begin_unix_s, self.seconds), 1.0)
        return attrs.evolve(
            point,
            lag_p50_ms=p50 / MS,
            lag_p99_ms=p99 / MS,
            handled_per_s=stretch.handled / seconds,
            shed_per_s=stretch.shed / seconds,
        )
