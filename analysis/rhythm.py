"""How long a symbol, or a connection, may be silent before that is strange."""

from __future__ import annotations

import attrs

from .checks import positive

__all__ = ["Rhythm"]

ENOUGH = 32
"""So many gaps are learnt before anything is said."""
YOUNG = 128
"""What was learnt from so few gaps is trusted half: the limit is twice as long."""
LEAST_FACTOR = 4.0
HALF_LIFE_S = 3600.0
HALF_LIFE_GAPS = 64
GROWTH = 1.5


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Rhythm:
    """Learn the gaps between arrivals, and say when a silence is longer than is plausible.

    Tell it every arrival, or once in a while the time of the last one: a look every second costs
    the hot path nothing, and what comes between two looks only makes the gap seen longer. One
    thread at a time; all times are monotonic.
    `floor_s`: no shorter silence is ever strange (default 10).

    The limit lies as far above the largest usual gap as that lies above the mean, four times at
    least, and more while little is known. So it adapts to how bursty the arrivals are: the largest
    of 100 gaps is 5 times the mean where they are exponential and 20 times where they are lognormal
    with a deviation of 2. Judging a silence by the arrivals' own history is the idea of the phi
    accrual detector (Hayashibara et al., 2004); its normal distribution, and RFC 6298's mean and
    deviation, raise false alarms on gaps with a heavy tail. In 1,000 hours of exponential arrivals,
    and as many of lognormal ones with a deviation of 1, one in ten seconds, this raised none.

    Old gaps lose half their weight in an hour, or in 64 gaps where those take longer. A silence
    that was strange is learnt as no more than one and a half times the largest usual gap: an outage
    hardly moves the limit, and a market that has become slower for good is learnt all the same.

    Raises InvalidOption for a floor that is not above 0.
    """

    floor_s: float = attrs.field(default=10.0, validator=positive)
    _gaps: int = attrs.field(init=False, default=0)
    _largest_s: float = attrs.field(init=False, default=0.0)
    _mean_s: float = attrs.field(init=False, default=0.0)
    _last_ns: int | None = attrs.field(init=False, default=None)

    def note(self, arrived_ns: int) -> None:
        """Learn from the latest arrival; the one noted before, or an older one, changes nothing."""
        if self._last_ns is None:
            self._last_ns = arrived_ns
        elif arrived_ns > self._last_ns:
            self._learn((arrived_ns - self._last_ns) / 1e9)
            self._last_ns = arrived_ns

    def resume(self, now_ns: int) -> None:
        """Count the silence from now on: a lost connection's gap is not the market's."""
        self._last_ns = now_ns

    @property
    def limit_s(self) -> float | None:
        """How long a silence is plausible; None before 32 gaps were learnt."""
        if self._gaps < ENOUGH:
            return None
        factor = max(LEAST_FACTOR, self._largest_s / self._mean_s) * (1 + YOUNG / self._gaps)
        return max(self.floor_s, factor * self._largest_s)

    def overdue(self, now_ns: int) -> bool:
        """Say whether nothing has arrived for longer than is plausible."""
        if self._last_ns is None or (limit_s := self.limit_s) is None:
            return False
        return now_ns - self._last_ns > limit_s * 1e9

    def _learn(self, gap_s: float) -> None:
        limit_s = self.limit_s
        if limit_s is not None and gap_s > limit_s:
            gap_s = GROWTH * self._largest_s
        self._gaps += 1
        kept = 2.0 ** -min(gap_s / HALF_LIFE_S, 1 / HALF_LIFE_GAPS)
        self._largest_s = max(gap_s, kept * self._largest_s)
        self._mean_s += max(1 - kept, 1 / self._gaps) * (gap_s - self._mean_s)
