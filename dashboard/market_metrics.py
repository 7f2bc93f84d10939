"""The metrics of a market as a whole: feeds, actors, anomalies, remedies."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from ..messages import AnomalyAlert, FeedMetrics, Severity
from ..runtime import Mailbox
from ..supervisors import Vitals
from .families import Family, Labels

__all__ = ["market_families"]

Sample = tuple[str, Labels, float]
_Values = TypeVar("_Values", bound=tuple[str, ...])
CONNECTED = {"streaming", "rolling"}


def market_families(
    mailboxes: Sequence[Mailbox], vitals: Vitals, raised: Mapping[tuple[str, str], int]
) -> list[Family]:
    """Return the families that have no label for the symbol.

    `raised`: how many anomalies there were, by kind and severity.
    """
    feeds = vitals.feeds()
    return [
        *_feeds(feeds, vitals.clock.unix_s()),
        *_actors(mailboxes, feeds),
        _counted("anomalies", "Anomalies raised.", ("kind", "severity"), raised),
        _counted("recoveries", "Remedies chosen.", ("action", "outcome"), vitals.remedies()),
        _firing(vitals.anomalies()),
        _counted(
            "dead_letters",
            "Messages nobody could take.",
            ("reason",),
            {(reason,): count for reason, count in vitals.dead_letters().items()},
        ),
        _build_info(),
    ]


def _counted(
    name: str, told: str, labels: tuple[str, ...], counts: Mapping[_Values, int]
) -> Family:
    name = f"ticklane_{name}_total"
    samples: list[Sample] = [
        (name, Labels(**dict(zip(labels, values, strict=True))), count)
        for values, count in sorted(counts.items())
    ]
    return Family(name, "counter", told, samples)


def _feeds(feeds: Sequence[FeedMetrics], unix_s: float) -> list[Family]:
    labels = {feed.name: Labels(exchange=feed.exchange, feed=feed.name) for feed in feeds}
    connected, reconnects, last = (
        "ticklane_feed_connected",
        "ticklane_feed_reconnects_total",
        "ticklane_feed_last_message_timestamp_seconds",
    )
    up: list[Sample] = [(connected, labels[f.name], int(f.state in CONNECTED)) for f in feeds]
    again: list[Sample] = [(reconnects, labels[f.name], f.reconnects) for f in feeds]
    heard = [(last, labels[f.name], unix_s - f.silence_s) for f in feeds if f.silence_s is not None]
    return [
        Family(connected, "gauge", "Whether the connection brings order books.", up),
        Family(reconnects, "counter", "Connections lost and made again.", again),
        Family(last, "gauge", "When the last frame came.", heard),
    ]


def _actors(mailboxes: Sequence[Mailbox], feeds: Sequence[FeedMetrics]) -> list[Family]:
    restarts, running = "ticklane_actor_restarts_total", "ticklane_actors_running"
    symbols = Labels(actor_class="SymbolActor")
    alive = sum(mailbox.status == "running" for mailbox in mailboxes)
    receiving = sum(feed.state != "stopped" for feed in feeds)
    return [
        Family(
            restarts,
            "counter",
            "Actors started again after a failure.",
            [(restarts, symbols, sum(mailbox.restarts for mailbox in mailboxes))],
        ),
        Family(
            running,
            "gauge",
            "Actors that run.",
            [(running, symbols, alive), (running, Labels(actor_class="FeedActor"), receiving)],
        ),
    ]


def _firing(alerts: Sequence[AnomalyAlert]) -> Family:
    name, counts = "ticklane_alerts_firing", Counter(alert.severity for alert in alerts)
    samples: list[Sample] = [
        (name, Labels(severity=severity), counts[severity]) for severity in Severity
    ]
    return Family(name, "gauge", "Anomalies that go on.", samples)


def _build_info() -> Family:
    name = "ticklane_build_info"
    labels = Labels(version=_version(), python=platform.python_version())
    return Family(name, "gauge", "1, with the versions as labels.", [(name, labels, 1)])


def _version() -> str:
    # The package above, which is there since this is part of it; a checkout has no metadata.
    version: str = sys.modules[__name__.partition(".")[0]].__version__
    return version
