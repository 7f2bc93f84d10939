"""Measure all mailboxes and feeds. Outlives the actor that asks every second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

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
        self._takers: dict[str, TickTaker] = {}
        self._ticks: Mapping[str, QueueTick] = {}
        self._last_ns = dispatcher.clock.now_ns()

    def tick(self) -> MetricsSample:
        """End an interval and return the sample of it. Called by the metrics actor."""
        now_ns = self._dispatcher.clock.now_ns()
        interval_s = (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        self._ticks = {
            mailbox.key: self._taker(mailbox).take(now_ns, interval_s)
            for mailbox in [*self._mailboxes.values()]
        }
        return self._sample(now_ns)

    def sample(self) -> MetricsSample:
        """Return what there is now, with the ticks of the last whole interval; any thread."""
        now_ns = self._dispatcher.clock.now_ns()
        queues = {
            mailbox.key: queue_metrics(mailbox, now_ns) for mailbox in [*self._mailboxes.values()]
        }
        totals = _totals(queues.values(), self._dispatcher.dead_letters.counts())
        return attrs.evolve(self._sample(now_ns), queues=queues, totals=totals)

    def _sample(self, now_ns: int) -> MetricsSample:
        return MetricsSample(
            at_unix_s=self._dispatcher.clock.unix_s(),
            ticks=self._ticks,
            feeds=tuple(feed.metrics(now_ns) for feed in [*self._feeds]),
            missing=sum(mailbox.latest is None for mailbox in [*self._mailboxes.values()]),
        )

    def _taker(self, mailbox: Mailbox) -> TickTaker:
        if mailbox.key not in self._takers:
            self._takers[mailbox.key] = TickTaker(mailbox)
        return self._takers[mailbox.key]


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
