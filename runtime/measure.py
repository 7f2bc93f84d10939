"""What a mailbox has done, read from outside without stopping anybody."""

from __future__ import annotations

from functools import lru_cache

from ..messages import QueueMetrics, QueueTick
from .mailbox import Mailbox

__all__ = ["TickTaker", "queue_metrics"]

MS = 1e6


def queue_metrics(mailbox: Mailbox, now_ns: int) -> QueueMetrics:
    """Return what waits now and everything since the start; from any thread."""
    lags = mailbox.lags
    p50, p99 = lags.quantiles(0.5, 0.99)
    accepted_ns = mailbox.accepted_ns
    return QueueMetrics(
        key=mailbox.key,
        depth=mailbox.depth,
        depth_max=mailbox.depth_max,
        capacity=mailbox.capacity,
        lag_ms=mailbox.lag_us / 1000,
        lag_p50_ms=p50 / MS,
        lag_p99_ms=p99 / MS,
        lag_max_ms=lags.greatest / MS,
        oldest_age_ms=mailbox.oldest_age_ns(now_ns) / MS,
        silence_s=None if accepted_ns is None else max(now_ns - accepted_ns, 0) / 1e9,
        offered=mailbox.offered,
        handled=mailbox.handled,
        failed=mailbox.failed,
        dropped=mailbox.dropped,
        conflated=mailbox.conflated,
        expired=mailbox.expired,
        rejected=mailbox.rejected,
        restarts=mailbox.restarts,
        status=mailbox.status,
    )


class TickTaker:
    """Cut what one mailbox does into intervals; one thread at a time, and one taker a mailbox."""

    __slots__ = ("_done", "_failed", "_lost", "_mailbox")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._done = self._failed = self._lost = 0

    def take(self, now_ns: int, interval_s: float) -> QueueTick:
        """Return what was done since this was last asked, `interval_s` ago."""
        mailbox = self._mailbox
        failed, lost = mailbox.failed, mailbox.lost
        done = mailbox.handled + failed
        if done == self._done and mailbox.idle:
            return _idle(interval_s)
        depth_max, lags = mailbox.cut()
        least, p50, p99, greatest = lags.summary()
        new_failed = failed - self._failed
        tick = QueueTick(
            least / MS,
            greatest / MS,
            depth_max,
            done - self._done - new_failed,
            mailbox.oldest_age_ns(now_ns) / MS,
            interval_s,
            p50 / MS,
            p99 / MS,
            lost - self._lost,
            new_failed,
        )
        self._done, self._failed, self._lost = done, failed, lost
        return tick


@lru_cache(maxsize=1)
def _idle(interval_s: float) -> QueueTick:
    """Return the tick of a mailbox that did nothing, the same for all that did nothing."""
    return QueueTick(0.0, 0.0, 0, 0, 0.0, interval_s)
