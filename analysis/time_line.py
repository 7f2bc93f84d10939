"""What a run was like over time, in a few hundred points whatever its length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from .histogram import LagHistogram

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
    begin_unix_s: float
    end_unix_s: float
    handled: int = 0
    shed: int = 0
    depth_max: int = 0
    lag_max_ms: float = 0.0
    lags: LagHistogram = attrs.field(factory=LagHistogram)

    def join(self, other: _Stretch) -> None:
        self.begin_unix_s = min(self.begin_unix_s, other.begin_unix_s)
        self.end_unix_s = max(self.end_unix_s, other.end_unix_s)
        self.handled += other.handled
        self.shed += other.shed
        self.depth_max = max(self.depth_max, other.depth_max)
        self.lag_max_ms = max(self.lag_max_ms, other.lag_max_ms)
        self.lags.add(other.lags)


@attrs.define
class TimeLine:
    """Add up rows by time; stretches of ten seconds at first, twice as long whenever too many."""

    seconds: int = attrs.field(init=False, default=10)
    """How long a stretch is."""
    _stretches: dict[int, _Stretch] = attrs.field(init=False, factory=dict)
    _has_rollups: bool = attrs.field(init=False, default=False)

    def add_rollup(self, row: Rollup, lags: LagHistogram) -> None:
        """Take in what one symbol did in some seconds; `lags` is what is in the row."""
        self._has_rollups = True
        # A row tells of the time before it.
        self._join(
            row.at_unix_s - row.seconds / 2,
            _Stretch(
                row.at_unix_s - row.seconds,
                row.at_unix_s,
                row.handled,
                row.dropped + row.conflated + row.expired,
                row.depth_max,
                max(row.lag_max_ms, row.oldest_age_ms),
                lags,
            ),
        )

    def add_entry(self, at_unix_s: float, depth: int, lag_ms: float) -> None:
        """Take in what a metrics log says of one interval."""
        stretch = _Stretch(at_unix_s, at_unix_s, depth_max=depth, lag_max_ms=lag_ms)
        self._join(at_unix_s, stretch)

    def points(self) -> tuple[TimePoint, ...]:
        """Return the points so far, in order."""
        return tuple(
            self._point(number * self.seconds, stretch)
            for number, stretch in sorted(self._stretches.items())
        )

    def _join(self, unix_s: float, part: _Stretch) -> None:
        # Joined to an empty one: the part's histogram may be somebody else's.
        empty = _Stretch(part.begin_unix_s, part.end_unix_s)
        # What is told on the stroke is of the stretch before it.
        number = math.ceil(unix_s / self.seconds) - 1
        self._stretches.setdefault(number, empty).join(part)
        while len(self._stretches) > MOST_POINTS:
            self._halve()

    def _halve(self) -> None:
        before, self._stretches = self._stretches, {}
        self.seconds *= 2
        for number, stretch in before.items():
            self._join((number // 2 + 0.5) * self.seconds, stretch)

    def _point(self, at_unix_s: float, stretch: _Stretch) -> TimePoint:
        point = TimePoint(
            at_unix_s=at_unix_s, depth_max=stretch.depth_max, lag_max_ms=stretch.lag_max_ms
        )
        if not self._has_rollups:
            return point
        p50, p99 = stretch.lags.quantiles(0.5, 0.99)
        # The first and the last may be shorter.
        seconds = max(min(stretch.end_unix_s - stretch.begin_unix_s, self.seconds), 1.0)
        return attrs.evolve(
            point,
            lag_p50_ms=p50 / MS,
            lag_p99_ms=p99 / MS,
            handled_per_s=stretch.handled / seconds,
            shed_per_s=stretch.shed / seconds,
        )
