"""The statistics of one metric, in constant memory."""

from __future__ import annotations

import math

import attrs

__all__ = ["MetricStats"]


@attrs.define
class MetricStats:
    """Count, mean, least, greatest and standard deviation of the values added so far.

    All are 0 before the first value. `add` finite numbers only. Welford's method ("Note on a method
    for calculating corrected sums of squares and products", 1962): no value is kept, and a mean
    far from zero costs no accuracy.
    """

    count: int = 0
    mean: float = 0.0
    min: float = 0.0
    max: float = 0.0
    _squares: float = attrs.field(default=0.0, repr=False)
    """Sum of squared distances from the mean."""

    def add(self, value: float) -> None:
        """Count one more value."""
        self.min = min(self.min, value) if self.count else value
        self.max = max(self.max, value) if self.count else value
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self._squares += distance * (value - self.mean)

    @property
    def stddev(self) -> float:
        """The standard deviation of the whole population."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0
