"""How lags are distributed, exactly mergeable and at most 1.6 % off."""

from __future__ import annotations

from collections import defaultdict

__all__ = ["LagHistogram"]

_HALF = 5
"""Each octave is cut into 2**5 = 32 buckets: a bucket's middle is at most 1/64 from any value."""


class LagHistogram:
    """Count durations in log-linear integer buckets.

    Durations are whole nanoseconds, 0 and up. Below 64 ns each has a bucket of its own; above, each
    octave has 32. One thread records; any thread may `copy` at any time without stopping it.
    The bucketing is HdrHistogram's (Tene, https://hdrhistogram.org) without a range to set.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)

    def record(self, ns: int) -> None:
        """Count one duration."""
        shift = ns.bit_length() - 6
        self.counts[(shift << _HALF) + (ns >> shift) if shift > 0 else ns] += 1

    def copy(self) -> LagHistogram:
        """Return what is counted so far, from any thread."""
        other = LagHistogram()
        other.counts = self.counts.copy()
        return other

    def add(self, other: LagHistogram) -> None:
        """Count all that `other` counted, too."""
        for bucket, count in other.counts.items():
            self.counts[bucket] += count

    def since(self, earlier: LagHistogram) -> LagHistogram:
        """Return what was counted after `earlier`, a copy of this one."""
        other, before = LagHistogram(), earlier.counts.get
        for bucket, count in self.counts.items():
            if count != (old := before(bucket, 0)):
                other.counts[bucket] = count - old
        return other

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts.values())

    @property
    def least(self) -> int:
        """The least duration, in ns, to its bucket's middle; 0 when nothing was counted."""
        return _middle(min(self.counts)) if self.counts else 0

    @property
    def greatest(self) -> int:
        """The greatest duration, in ns, to its bucket's middle; 0 when nothing was counted."""
        return _middle(max(self.counts)) if self.counts else 0

    def quantiles(self, *shares: float) -> tuple[int, ...]:
        """Return, for each share in rising order, what that share of durations did not exceed (ns).

        `quantiles(0.5, 0.99)`: median and 99th percentile; zeros when nothing was counted.
        """
        ranked = sorted(self.counts.items())
        total = sum(count for _, count in ranked)
        found: list[int] = []
        seen = 0
        for bucket, count in ranked:
            seen += count
            while len(found) < len(shares) and seen >= shares[len(found)] * total:
                found.append(_middle(bucket))
        return tuple(found) if found else (0,) * len(shares)


def _middle(bucket: int) -> int:
    shift = (bucket >> _HALF) - 1
    if shift <= 0:
        return bucket
    return ((bucket - (shift << _HALF)) << shift) + (1 << shift >> 1)
