"""What a mailbox has done, read from outside without stopping anybody."""

from __future__ import annotations

from ..analysis import LagHistogram
from ..messages import QueueMetrics, QueueTick
from .mailbox import Mailbox

__all__ = ["TickTaker", "queue_metrics"]

MS = 1e6


def queue_metrics(mailbox: Mailbox, now_ns: int) -> QueueMetrics:
    """Return what waits now and everything since the start; from any thread."""
    lags = mailbox.lags.copy()
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
    """Cut what one mailbox does into intervals; one thread at a time."""

    __slots__ = ("_failed", "_handled", "_lags", "_mailbox", "_shed")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lags = LagHistogram()
        self._handled = self._failed = self._shed = 0

    def take(self, now_ns: int, interval_s: float) -> QueueTick:
        """Return what was done since this was last asked, `interval_s` ago."""
        mailbox = self._mailbox
        handled, failed, shed = mailbox.handled, mailbox.failed, _shed(mailbox)
        new = self._new_lags(handled + failed > self._handled + self._failed)
        p50, p99 = new.quantiles(0.5, 0.99)
        tick = QueueTick(
            lag_min_ms=new.least / MS,
            lag_max_ms=new.greatest / MS,
            depth_max=mailbox.take_peak(),
            handled=handled - self._handled,
            oldest_age_ms=mailbox.oldest_age_ns(now_ns) / MS,
            interval_s=interval_s,
            lag_p50_ms=p50 / MS,
            lag_p99_ms=p99 / MS,
            shed=shed - self._shed,
            failed=failed - self._failed,
        )
        self._handled, self._failed, self._shed = handled, failed, shed
        return tick

    def _new_lags(self, some: bool) -> LagHistogram:
        if not some:
            return _NO_LAGS
        lags, before = self._mailbox.lags.copy(), self._lags
        self._lags = lags
        return lags.since(before)


_NO_LAGS = LagHistogram()


def _shed(mailbox: Mailbox) -> int:
    return mailbox.dropped + mailbox.conflated + mailbox.expired
