"""Raise and clear the anomalies of one mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import AnomalyAlert, Severity
from .anomaly_kind import AnomalyKind, OpenAnomalies
from .queue_detector import QUEUE_LAG_WARN_MS, QueueDetector

if TYPE_CHECKING:
    from ..messages import QueueTick

__all__ = ["LOOK_AT_BACKLOG", "LOOK_AT_HANDLER", "QUEUE_LAG_WARN_MS", "QueueRules"]

LOOK_AT_HANDLER = "look at what its handler waits for"
LOOK_AT_BACKLOG = "look for a slow handler or a burst from the exchange"

_KINDS = {
    "stall": AnomalyKind(
        "QUEUE_STALL",
        "age_ms",
        "{key} handles nothing, and what waits has waited for {value:.0f} ms: " + LOOK_AT_HANDLER,
        "{key} handles again what waits",
        Severity.ERROR,
    ),
    "lag": AnomalyKind(
        "WS_QUEUE_LAG",
        "late_ms",
        "{key} is {value:.0f} ms late, over {threshold:.0f} ms for {late_ticks} ticks in a row: "
        + LOOK_AT_HANDLER,
        "{key} is on time again: {value:.0f} ms late",
    ),
    "depth": AnomalyKind(
        "WS_QUEUE_DEPTH",
        "depth",
        "{key} had {value} snapshots waiting, over {threshold}: " + LOOK_AT_BACKLOG,
        "{key} has few snapshots waiting again: at most {value}",
    ),
    "standing": AnomalyKind(
        "QUEUE_STANDING",
        "least_ms",
        "{key} is {value:.1f} ms late at the least, over {threshold:.1f} ms, and does not catch "
        "up: " + LOOK_AT_BACKLOG,
        "{key} has caught up: {value:.1f} ms late at the least",
    ),
    "spikes": AnomalyKind(
        "QUEUE_SPIKES",
        "late_ms",
        "{key} is late again and again, now by {value:.0f} ms, over {threshold:.0f} ms: look for "
        "what holds up its handler every few seconds",
        "{key} is as late as usual again: {value:.0f} ms at most",
    ),
}


class QueueRules:
    """Judge one mailbox, tick by tick, and tell what is raised and cleared.

    `QUEUE_STALL` (severity ERROR), `WS_QUEUE_LAG`, `WS_QUEUE_DEPTH`, `QUEUE_STANDING` and
    `QUEUE_SPIKES` (WARN): what a `QueueDetector` finds with these `thresholds`. Each is raised
    once, and cleared once when it has ended. One thread at a time.

    Raises InvalidOption for a threshold that is not allowed.
    """

    __slots__ = ("_anomalies", "detector")

    def __init__(self, key: str, **thresholds: int) -> None:
        self.detector = QueueDetector(thresholds=thresholds)
        self._anomalies = OpenAnomalies(key, _KINDS)

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        """The alerts raised and not cleared yet."""
        return self._anomalies.open

    def update(self, tick: QueueTick, at_unix_s: float) -> tuple[AnomalyAlert, ...]:
        """Return the alerts raised or cleared by what the mailbox did in the last interval."""
        detector = self.detector
        before = detector.verdicts
        if detector.update(tick).kind is None and not before:
            return ()
        facts = {
            "age_ms": tick.oldest_age_ms,
            "late_ms": max(tick.lag_max_ms, tick.oldest_age_ms),
            "late_ticks": detector.late_ticks,
            "depth": tick.depth_max,
            "least_ms": tick.lag_min_ms,
        }
        return self._anomalies.settle(detector.verdicts, facts, at_unix_s)
