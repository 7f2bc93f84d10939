"""What happened to the feeds from one sample to the next."""

from __future__ import annotations

import json

import attrs

from ..messages import FeedMetrics, MetricsSample, RunEvent

__all__ = ["FeedHistory"]


@attrs.define
class FeedHistory:
    """Tell connections made and lost, and gaps, by comparing samples; one thread at a time."""

    _before: dict[str, FeedMetrics] = attrs.field(init=False, factory=dict)

    def add(self, sample: MetricsSample) -> list[RunEvent]:
        """Return what happened to the feeds since the sample before."""
        events = [
            RunEvent(sample.at_unix_s, kind, feed.name, json.dumps(detail))
            for feed in sample.feeds
            for kind, detail in _changes(self._before.get(feed.name), feed)
        ]
        self._before = {feed.name: feed for feed in sample.feeds}
        return events


def _changes(before: FeedMetrics | None, now: FeedMetrics) -> list[tuple[str, dict[str, object]]]:
    changes: list[tuple[str, dict[str, object]]] = []
    if lost := now.reconnects - (before.reconnects if before else 0):
        changes.append(("feed_lost", {"times": lost, "reason": now.last_error}))
    if gaps := now.gaps - (before.gaps if before else 0):
        changes.append(("feed_gap", {"times": gaps}))
    # A connection that was lost and made again between two samples was connected all the same.
    if now.state == "streaming" and (lost or before is None or before.state != "streaming"):
        changes.append(("feed_connected", {"exchange": now.exchange}))
    return changes
