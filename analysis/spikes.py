"""Whether a queue is late again and again."""

from __future__ import annotations

import attrs

__all__ = ["Spikes"]

WARM_UP_S = 60.0
"""How long it only learns; so many intervals at least."""
MANY = 4
WITHIN_S = 30.0
FACTOR = 2.0
"""How many times the worst usual lag is a spike."""
FLOOR_MS = 20.0
"""No lag up to this is a spike, whatever was usual."""
HUGE_MS = 2000.0
"""A spike that begins over this counts twice."""

_TAIL = 0.01
_STEP = 0.3
_UP = 1 + _STEP * (1 - _TAIL)
_DOWN = 1 - _STEP * _TAIL


@attrs.define
class Spikes:
    """Learn how late a mailbox's latest snapshots are at worst, and say when worse recurs.

    The worst usual lag is the 0.99 quantile of the intervals' greatest, learnt in steps of its own
    size: 30 % up, 0.3 % down. A spike is over `FACTOR` times that and over `FLOOR_MS`; neighbouring
    intervals are one spike, and one that begins over `HUGE_MS` counts as two. `MANY` of them in
    `WITHIN_S` seconds recur: a handler stuck for a moment again and again, which no lasting lag
    would show. Intervals longer than five seconds are too coarse to see that.

    Nothing is said in the first `WARM_UP_S` seconds. Lags are in ms. One thread at a time.
    """

    threshold_ms: float = FLOOR_MS
    """Above this is a spike now."""
    _worst_ms: float = 0.0
    _warm_up_s: float = WARM_UP_S
    _now_s: float = 0.0
    _up: bool = False
    _began_s: tuple[float, ...] = ()
    """When the last spikes began, at most `MANY`, a huge one twice."""

    def update(self, most_ms: float, interval_s: float, *, learns: bool) -> bool:
        """Return whether spikes recur, by the greatest lag of an interval.

        `learns`: whether this is a time to learn from. Time in which the mailbox does nothing need
        not be told.
        """
        self._now_s += interval_s
        if self._warm_up_s > 0:
            self._warm_up(most_ms, interval_s)
        elif most_ms > self.threshold_ms:
            self._spike(most_ms)
        else:
            self._up = False
        if learns:
            self._learn(most_ms)
        return len(self._began_s) == MANY and self._now_s - self._began_s[0] < WITHIN_S

    def _spike(self, most_ms: float) -> None:
        if not self._up:
            counts = 2 if most_ms > HUGE_MS else 1
            self._began_s = (*self._began_s, *[self._now_s] * counts)[-MANY:]
        self._up = True

    def _warm_up(self, most_ms: float, interval_s: float) -> None:
        self._worst_ms = max(self._worst_ms, most_ms)
        self._warm_up_s -= min(interval_s, 1.0)

    def _learn(self, most_ms: float) -> None:
        worst_ms = self._worst_ms
        worst_ms *= _UP if most_ms > worst_ms else _DOWN
        self._worst_ms = worst_ms
        threshold_ms = FACTOR * worst_ms
        self.threshold_ms = threshold_ms if threshold_ms > FLOOR_MS else FLOOR_MS  # noqa: FURB136
