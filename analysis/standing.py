"""Whether a queue stands, or a burst is draining."""

from __future__ import annotations

import attrs

__all__ = ["StandingQueue"]

WARM_UP_S = 60.0
"""How long it only learns; so many intervals at least."""
FACTOR = 4.0
"""How many times the usual lag is unusual."""
FLOOR_MS = 2.0
"""No lag up to this is unusual, whatever was usual."""
LONG_S = 5.0
"""How long even the least lag must be unusual."""
DRAINED_S = 12.0
"""A burst has drained by then, or it is none."""

_LEAST_MS = 1e-3
_STEP = 0.01
_FALLING = 0.8
_BEYOND_S = 3.0
_FORGET = 0.9998


@attrs.define
class StandingQueue:
    """Learn how late a mailbox's most punctual snapshots are, and say when even they stay late.

    The least lag of an interval tells a queue that stands from a burst that drains (RFC 8289).
    Usual is its median, learnt in steps of one per cent; unusual is over `FACTOR` times that and
    over `FLOOR_MS`. The queue stands when it was unusual for `LONG_S`. A mailbox that has come back
    by itself before must go beyond that: be later than it was then, or so for three seconds longer.
    While the lag falls from its peak it gets `DRAINED_S` seconds. Excursions are half forgotten
    after 3,500 ticks, about an hour.

    Nothing is said in the first `WARM_UP_S` seconds. Lags are in ms. One thread at a time.
    """

    threshold_ms: float = FLOOR_MS
    """Above this is unusual now."""
    _usual_ms: float = 0.0
    _warm_up_s: float = WARM_UP_S
    _step: float = 1.0
    _unusual_s: float = 0.0
    _peak_ms: float = 0.0
    _excursion_s: float = 0.0
    _excursion_ms: float = 0.0

    @property
    def unusual(self) -> bool:
        """Whether it was unusual when something was last handled."""
        return self._unusual_s > 0

    def update(self, least_ms: float, interval_s: float, *, learns: bool) -> bool:
        """Return whether the queue stands, by the least lag of what an interval has handled.

        `learns`: whether this is a time to learn from.
        """
        if self._warm_up_s > 0:
            self._warm_up(least_ms, interval_s)
        elif least_ms > self.threshold_ms:
            self._unusual_s += interval_s
            self._peak_ms = max(self._peak_ms, least_ms)
            return self._stands(least_ms, self._unusual_s + interval_s / 2)
        elif self._unusual_s:
            self.end(learns=learns)
        elif learns:
            self._learn(least_ms, _STEP)
        return False

    def end(self, *, learns: bool) -> None:
        """Note that it is as usual, or that nothing waits any more."""
        if learns:
            self._excursion_s = max(self._excursion_s, min(self._unusual_s, DRAINED_S))
            self._excursion_ms = max(self._excursion_ms, self._peak_ms)
        self._unusual_s = self._peak_ms = 0.0

    def _stands(self, least_ms: float, lasted_s: float) -> bool:
        if least_ms < _FALLING * self._peak_ms:
            return lasted_s >= DRAINED_S
        if least_ms > self._excursion_ms:
            return lasted_s >= LONG_S
        return lasted_s >= max(LONG_S, self._excursion_s + _BEYOND_S)

    def _warm_up(self, least_ms: float, interval_s: float) -> None:
        if not self._usual_ms:
            self._usual_ms = max(least_ms, _LEAST_MS)
        # In large steps at first: what comes first may be far from usual.
        self._step = max(_STEP, self._step * 0.9)
        self._learn(least_ms, self._step)
        self._warm_up_s -= min(interval_s, 1.0)

    def _learn(self, least_ms: float, step: float) -> None:
        usual_ms = self._usual_ms
        if least_ms > usual_ms:
            usual_ms *= 1 + step
        elif usual_ms > _LEAST_MS:
            usual_ms *= 1 - step
        self._usual_ms = usual_ms
        threshold_ms = FACTOR * usual_ms
        self.threshold_ms = threshold_ms if threshold_ms > FLOOR_MS else FLOOR_MS  # noqa: FURB136
        if self._excursion_s:
            self._excursion_s *= _FORGET
            self._excursion_ms *= _FORGET
