"""Hold every mailbox and every connection against the rules."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..messages import AnomalyAlert, MetricsSample, QueueTick
from .feed_rules import FeedRules
from .queue_rules import QueueRules

__all__ = ["Watch"]

_NOTHING = QueueTick(0.0, 0.0, 0, 0, 0.0)


def _check_thresholds(_: object, __: object, thresholds: Mapping[str, int]) -> None:
    QueueRules("", **thresholds)


@attrs.define
class Watch:
    """Judge all mailboxes and feeds, sample by sample; one thread at a time.

    `thresholds`: `ws_queue_lag_warn_max` (10) and `ws_queue_depth_max` (100), see
    `QueueDetector`.
    """

    thresholds: Mapping[str, int] = attrs.field(factory=dict, validator=_check_thresholds)
    _rules: dict[str, QueueRules] = attrs.field(init=False, factory=dict)
    _feeds: dict[str, FeedRules] = attrs.field(init=False, factory=dict)

    def judge(self, sample: MetricsSample) -> tuple[AnomalyAlert, ...]:
        """Return what this sample raises, changes and clears."""
        return (*self._judge_queues(sample), *self._judge_feeds(sample))

    def threshold_ms(self, key: str) -> float | None:
        """Return the lag that is unusual for a symbol now, as learnt; None before its first tick.

        Any thread may ask.
        """
        rules = self._rules.get(key)
        return None if rules is None else rules.detector.threshold_ms

    def _judge_queues(self, sample: MetricsSample) -> list[AnomalyAlert]:
        known, at_unix_s = self._rules, sample.at_unix_s
        alerts: list[AnomalyAlert] = []
        for key, tick in sample.ticks.items():
            rules = known.get(key)
            if rules is None:
                if not (tick.handled or tick.depth_max or tick.failed):
                    continue
                rules = known[key] = QueueRules(key, **self.thresholds)
            if tick.depth_max or tick.lag_max_ms or not rules.detector.resting:
                alerts += rules.update(tick, at_unix_s)
            elif tick.handled:
                rules.detector.ease(tick.interval_s)
        for key in known.keys() - sample.ticks.keys():
            alerts += self._see_off(key, at_unix_s)
        return alerts

    def _see_off(self, key: str, at_unix_s: float) -> tuple[AnomalyAlert, ...]:
        # A symbol that was removed does nothing: what was wrong with it ends like any other.
        alerts = self._rules[key].update(_NOTHING, at_unix_s)
        if self._rules[key].detector.resting:
            del self._rules[key]
        return alerts

    def _judge_feeds(self, sample: MetricsSample) -> list[AnomalyAlert]:
        alerts: list[AnomalyAlert] = []
        for feed in sample.feeds:
            if feed.name not in self._feeds:
                self._feeds[feed.name] = FeedRules(feed.name)
            alerts += self._feeds[feed.name].update(feed, sample.interval_s, sample.at_unix_s)
        for name in self._feeds.keys() - {feed.name for feed in sample.feeds}:
            alerts += self._feeds.pop(name).end()
        return alerts
