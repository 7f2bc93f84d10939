"""Measure all mailboxes and feeds. Outlives the actor that asks every second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ..analysis import LagHistogram
from ..messages import MetricsSample, QueueMetrics, QueueTick, Totals
from ..runtime import Dispatching, Mailbox, TickTaker, queue_metrics
from .feed_status import FeedStatus

__all__ = ["Sampler"]


class Sampler:
    """Measure all mailboxes and feeds.

    `mailboxes` by key and `feeds` are live: what is added to them later is measured, too.
    """

    def __init__(
        self,
        mailboxes: Mapping[str, Mailbox],
        feeds: Iterable[FeedStatus],
        dispatcher: Dispatching,
    ) -> None:
        self._mailboxes = mailboxes
        self._feeds = feeds
        self._dispatcher = dispatcher
        self._takers: dict[Mailbox, TickTaker] = {}
        self._ticks: Mapping[str, QueueTick] = {}
        self._delays: dict[str, LagHistogram] = {}
        self._interval_s = 0.0
        self._last_ns = dispatcher.clock.now_ns()

    def tick(self) -> MetricsSample:
        """End an interval and return the sample of it. Called by the metrics actor."""
        now_ns = self._dispatcher.clock.now_ns()
        self._interval_s = interval_s = (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        mailboxes = [*self._mailboxes.values()]
        # A symbol that was removed takes its taker with it; added again it is another one.
        self._takers = {
            mailbox: self._takers.get(mailbox) or TickTaker(mailbox) for mailbox in mailboxes
        }
        self._ticks = {
            mailbox.key: taker.take(now_ns, interval_s) for mailbox, taker in self._takers.items()
        }
        sample = self._sample(now_ns)
        self._note_delays(sample)
        return sample

    def delays(self) -> dict[str, LagHistogram]:
        """Return, by exchange, how late the newest snapshot of each interval came; any thread."""
        return {exchange: delays.copy() for exchange, delays in [*self._delays.items()]}

    def sample(self) -> MetricsSample:
        """Return what there is now, with the ticks of the last whole interval; any thread."""
        now_ns = self._dispatcher.clock.now_ns()
        queues = {
            mailbox.key: queue_metrics(mailbox, now_ns) for mailbox in [*self._mailboxes.values()]
        }
        totals = _totals(queues.values(), self._dispatcher.dead_letters.counts())
        return attrs.evolve(self._sample(now_ns), queues=queues, totals=totals)

    def _note_delays(self, sample: MetricsSample) -> None:
        for feed in sample.feeds:
            if feed.delay_ms is not None:
                # Where the exchange's clock is ahead of ours there is no telling.
                delay_ns = max(round(feed.delay_ms * 1e6), 0)
                self._delays.setdefault(feed.exchange, LagHistogram()).record(delay_ns)

    def _sample(self, now_ns: int) -> MetricsSample:
        unix_s = self._dispatcher.clock.unix_s()
        return MetricsSample(
            at_unix_s=unix_s,
            ticks=self._ticks,
            feeds=tuple(feed.metrics(now_ns, unix_s) for feed in [*self._feeds]),
            missing=sum(mailbox.latest is None for mailbox in [*self._mailboxes.values()]),
            interval_s=self._interval_s,
        )


def _totals(queues: Iterable[QueueMetrics], dead_letters: Mapping[str, int]) -> Totals:
    queues = [*queues]
    return Totals(
        offered=sum(queue.offered for queue in queues),
        handled=sum(queue.handled for queue in queues),
        failed=sum(queue.failed for queue in queues),
        dropped=sum(queue.dropped for queue in queues),
        conflated=sum(queue.conflated for queue in queues),
        expired=sum(queue.expired for queue in queues),
        rejected=sum(queue.rejected for queue in queues),
        depth=sum(queue.depth for queue in queues),
        restarts=sum(queue.restarts for queue in queues),
        dead_letters=dead_letters,
    )
