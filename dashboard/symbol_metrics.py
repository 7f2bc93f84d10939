"""The metrics that each symbol has: plain numbers read off its mailbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..messages import AnomalyAlert
from ..runtime import Mailbox
from ..supervisors import Vitals
from .families import Family, Labels

__all__ = ["STATUSES", "symbol_families"]

STATUSES = {"QUEUE_STANDING": 2, "QUEUE_STALL": 3, "QUARANTINED": 4}
"""What `ticklane_queue_status` says of these kinds of anomalies; 1 of all others, 0 of none."""

_PLAIN: tuple[tuple[str, str, str, Callable[[Mailbox], float]], ...] = (
    ("messages_received_total", "counter", "Snapshots offered.", lambda box: box.offered),
    ("messages_enqueued_total", "counter", "Snapshots taken.", lambda box: box.accepted),
    ("messages_processed_total", "counter", "Snapshots handled.", lambda box: box.handled),
    ("messages_failed_total", "counter", "Snapshots whose handler raised.", lambda box: box.failed),
    ("mailbox_depth", "gauge", "Snapshots waiting now.", lambda box: box.depth),
    ("mailbox_depth_max", "gauge", "Greatest depth since the start.", lambda box: box.depth_max),
    ("mailbox_capacity", "gauge", "Most snapshots that may wait.", lambda box: box.capacity),
    ("actor_busy_seconds_total", "counter", "Time in handlers.", lambda box: box.busy_ns / 1e9),
)
_REASONS: tuple[tuple[str, Callable[[Mailbox], int]], ...] = (
    ("mailbox_full", lambda box: box.dropped),
    ("conflated", lambda box: box.conflated),
    ("expired", lambda box: box.expired),
)

Row = tuple[Labels, Mailbox]


def symbol_families(rows: Sequence[Row], vitals: Vitals) -> list[Family]:
    """Return a family for each metric, with a sample for each of these symbols."""
    return [
        *(_plain(rows, *metric) for metric in _PLAIN),
        _dropped(rows, vitals),
        _oldest_age(rows, vitals),
        _last_processed(rows, vitals),
        _threshold(rows, vitals),
        _status(rows, vitals.anomalies()),
    ]


def _plain(
    rows: Sequence[Row], name: str, kind: str, told: str, read: Callable[[Mailbox], float]
) -> Family:
    name = f"ticklane_{name}"
    return Family(name, kind, told, [(name, labels, read(box)) for labels, box in rows])


def _dropped(rows: Sequence[Row], vitals: Vitals) -> Family:
    name = "ticklane_messages_dropped_total"
    samples: list[tuple[str, Labels, float]] = [
        (name, labels.because(reason), read(box))
        for labels, box in rows
        for reason, read in _REASONS
    ]
    # Nobody's any more: offered after the stop.
    samples.append((name, Labels(reason="stopped"), vitals.dead_letters().get("stopped", 0)))
    return Family(name, "counter", "Snapshots not handled on purpose, by reason.", samples)


def _oldest_age(rows: Sequence[Row], vitals: Vitals) -> Family:
    name, now_ns = "ticklane_mailbox_oldest_age_seconds", vitals.clock.now_ns()
    samples = [(name, labels, box.oldest_age_ns(now_ns) / 1e9) for labels, box in rows]
    return Family(name, "gauge", "How long the head has waited; what a stall looks like.", samples)


def _last_processed(rows: Sequence[Row], vitals: Vitals) -> Family:
    name = "ticklane_last_processed_timestamp_seconds"
    # The mailbox knows it on the monotonic clock only.
    start_s = vitals.clock.unix_s() - vitals.clock.now_ns() / 1e9
    handled = ((labels, box.handled_ns) for labels, box in rows)
    samples = [(name, labels, start_s + at / 1e9) for labels, at in handled if at is not None]
    return Family(name, "gauge", "When the last snapshot was handled.", samples)


def _threshold(rows: Sequence[Row], vitals: Vitals) -> Family:
    name = "ticklane_mailbox_time_threshold_seconds"
    limits = ((labels, vitals.threshold_ms(box.key)) for labels, box in rows)
    samples = [(name, labels, limit / 1000) for labels, limit in limits if limit is not None]
    return Family(name, "gauge", "Lag from which on a queue counts as standing.", samples)


def _status(rows: Sequence[Row], alerts: Sequence[AnomalyAlert]) -> Family:
    worst: dict[str | None, int] = {}
    for alert in alerts:
        worst[alert.key] = max(worst.get(alert.key, 0), STATUSES.get(alert.kind, 1))
    name = "ticklane_queue_status"
    samples: list[tuple[str, Labels, float]] = [
        (name, labels, worst.get(box.key, 0)) for labels, box in rows
    ]
    return Family(name, "gauge", "0 OK, 1 WARN, 2 STANDING, 3 STALL, 4 STOP.", samples)
