"""Raise and clear the anomalies of one feed's connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import AnomalyAlert, Severity
from .anomaly_kind import AnomalyKind, OpenAnomalies
from .feed_detectors import FeedDetector

if TYPE_CHECKING:
    from ..messages import FeedMetrics

__all__ = ["FeedRules"]

_KINDS = {
    "lost": AnomalyKind(
        "FEED_LOST",
        "lost",
        "{key} has had no connection for {value:.0f} s: look at the network and at the feed's last "
        "error",
        "{key} is connected again",
        Severity.ERROR,
    ),
    "silent": AnomalyKind(
        "FEED_SILENT",
        "silent",
        "{key} is connected and silent for {value:.0f} s, over {threshold:.0f} s: look at the "
        "exchange's status page and at the subscription",
        "{key} speaks again",
    ),
    "flapping": AnomalyKind(
        "FEED_FLAPPING",
        "flapping",
        "{key} was lost {value:.0f} times in ten minutes: look at the network and at the feed's "
        "last error",
        "{key} has been steady again: lost {value:.0f} times in ten minutes",
    ),
    "backlog": AnomalyKind(
        "SOCKET_BACKLOG",
        "backlog",
        "{key} has {value:.0f} bytes waiting at its socket, over {threshold:.0f} for seconds: look "
        "for a handler that keeps the processor busy, or spread the symbols over more feeds",
        "{key} is read as it comes again",
    ),
    "delay": AnomalyKind(
        "FEED_DELAY",
        "delay",
        "{key} is {value:.0f} ms later than at its best in ten minutes, over {threshold:.0f} ms: "
        "look at the network and at this machine's clock",
        "{key} is {value:.0f} ms later than at its best again",
    ),
    "gaps": AnomalyKind(
        "FEED_GAPS",
        "gaps",
        "{key} had {value:.0f} gaps in the exchange's numbers in a minute: look at the network and "
        "at the socket's backlog",
        "{key} had {value:.0f} gaps in the last minute",
    ),
}


class FeedRules:
    """Judge one feed's connection, interval by interval, and tell what is raised and cleared.

    `FEED_LOST` (severity ERROR), `FEED_SILENT`, `FEED_FLAPPING`, `SOCKET_BACKLOG`, `FEED_DELAY` and
    `FEED_GAPS` (WARN): what a `FeedDetector` finds. The key is the feed's name. One thread at a
    time.
    """

    __slots__ = ("_anomalies", "_detector")

    def __init__(self, name: str) -> None:
        self._detector = FeedDetector()
        self._anomalies = OpenAnomalies(name, _KINDS)

    def update(
        self, feed: FeedMetrics, interval_s: float, at_unix_s: float
    ) -> tuple[AnomalyAlert, ...]:
        """Return the alerts raised or cleared by what happened to the feed in an interval."""
        verdicts = self._detector.update(feed, interval_s)
        values = {kind: each.value for kind, each in self._detector.readings.items()}
        return self._anomalies.settle(verdicts, values, at_unix_s)

    def end(self) -> tuple[AnomalyAlert, ...]:
        """Return the alerts cleared, now that the feed has been removed."""
        return self._anomalies.end()
