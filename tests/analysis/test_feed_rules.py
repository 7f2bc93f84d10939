"""What is wrong with a feed's connection, as anomalies that say what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ticklane.analysis.feed_rules import FeedRules
from ticklane.messages import AnomalyAlert, FeedMetrics, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Alerts = Callable[[list[dict[str, Any]]], list[AnomalyAlert]]


@pytest.fixture
def alerts(feed_seconds: Callable[[Iterable[dict[str, Any]]], list[FeedMetrics]]) -> Alerts:
    """Return what a feed's rules tell of what changes about it, second by second."""

    def alerts(changes: list[dict[str, Any]]) -> list[AnomalyAlert]:
        rules = FeedRules("upbit#2")
        return [
            alert
            for second, each in enumerate(feed_seconds(changes))
            for alert in rules.update(each, 1.0, 100.0 + second)
        ]

    return alerts


@pytest.mark.parametrize(
    ("kind", "trouble", "message"),
    [
        (
            "FEED_LOST",
            [{"state": "backoff"}] * 12,
            (
                "upbit#2 has had no connection for 11 s: look at the network and at the feed's "
                "last error"
            ),
        ),
        (
            "FEED_SILENT",
            [{"silence_s": 31.0}],
            (
                "upbit#2 is connected and silent for 31 s, over 30 s: look at the exchange's "
                "status page and at the subscription"
            ),
        ),
        (
            "FEED_FLAPPING",
            [{"reconnects": n} for n in range(5)],
            (
                "upbit#2 was lost 4 times in ten minutes: look at the network and at the feed's "
                "last error"
            ),
        ),
        (
            "SOCKET_BACKLOG",
            [{"backlog_bytes": 70_000}] * 6,
            (
                "upbit#2 has 70000 bytes waiting at its socket, over 65536 for seconds: look for a "
                "handler that keeps the processor busy, or spread the symbols over more feeds"
            ),
        ),
        (
            "FEED_DELAY",
            [{}, *[{"delay_ms": 640.0}] * 6],
            (
                "upbit#2 is 600 ms later than at its best in ten minutes, over 500 ms: look at the "
                "network and at this machine's clock"
            ),
        ),
        (
            "FEED_GAPS",
            [{"gaps": n} for n in range(4)],
            (
                "upbit#2 had 3 gaps in the exchange's numbers in a minute: look at the network and "
                "at the socket's backlog"
            ),
        ),
    ],
)
def test_each_is_raised_once_and_says_what_to_look_at(
    alerts: Alerts, kind: str, trouble: list[dict[str, Any]], message: str
) -> None:
    (alert,) = alerts(trouble)

    assert (alert.kind, alert.key, alert.message) == (kind, "upbit#2", message)


def test_it_is_cleared_once_and_remembers_since_when(alerts: Alerts) -> None:
    told = alerts([{"state": "backoff"}] * 12 + [{}] * 5)

    assert [(each.kind, each.state, each.since_unix_s) for each in told] == [
        ("FEED_LOST", "raised", 110.0),
        ("FEED_LOST", "cleared", 110.0),
    ]
    assert told[1].message == "upbit#2 is connected again"


def test_a_lost_feed_is_an_error(alerts: Alerts) -> None:
    (alert,) = alerts([{"state": "backoff"}] * 12)

    assert (alert.severity, alert.value, alert.threshold) == (Severity.ERROR, 11.0, 10.0)
