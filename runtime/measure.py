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
        lag_ms=mailbox.lag_ns / MS,
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

    __slots__ = ("_at_once", "_failed", "_handled", "_lost", "_mailbox", "_queued")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._at_once = self._failed = self._handled = self._lost = self._queued = 0

    def take(self, now_ns: int, interval_s: float) -> QueueTick:
        """Return what was done since this was last asked, `interval_s` ago."""
        mailbox = self._mailbox
        before, self._handled = self._handled, mailbox.handled
        handled = self._handled - before
        if mailbox.idle and mailbox.queued == self._queued and mailbox.failed == self._failed:
            # Most symbols of a large market wait for nothing in most seconds.
            self._at_once = mailbox.at_once
            return _at_ease(handled, interval_s)
        return self._take(handled, now_ns, interval_s)

    def _take(self, handled: int, now_ns: int, interval_s: float) -> QueueTick:
        mailbox = self._mailbox
        queued, at_once = mailbox.queued, mailbox.at_once
        failed, lost = mailbox.failed, mailbox.lost
        depth_max, lags = mailbox.cut()
        if at_once > self._at_once:
            lags.counts[0] += at_once - self._at_once
        least, p50, p99, greatest = lags.summary()
        tick = QueueTick(
            least / MS,
            greatest / MS,
            depth_max,
            handled,
            mailbox.oldest_age_ns(now_ns) / MS,
            interval_s,
            p50 / MS,
            p99 / MS,
            lost - self._lost,
            failed - self._failed,
        )
        self._queued, self._at_once, self._failed, self._lost = queued, at_once, failed, lost
        return tick


@lru_cache(maxsize=1024)
def _at_ease(handled: int, interval_s: float) -> QueueTick:
    """Return the tick of a mailbox in which nothing waited: the same for all that did as much."""
    return QueueTick(0.0, 0.0, 0, handled, 0.0, interval_s)
