from typing import Any

import attrs
import pytest

from ticklane.analysis.feed_rules import FeedRules
from ticklane.messages import AnomalyAlert, FeedMetrics, Severity

STREAMING = FeedMetrics(
    name="upbit#2",
    exchange="upbit",
    state="streaming",
    frames=0,
    snapshots=0,
    reconnects=0,
    bad_frames={},
    silence_s=0.0,
    delay_ms=40.0,
)


def alerts(rules: FeedRules, changes: list[dict[str, Any]]) -> list[AnomalyAlert]:
    return [
        alert
        for second, each in enumerate(changes)
        for alert in rules.update(
            attrs.evolve(STREAMING, snapshots=second + 1, **each), 1.0, 100.0 + second
        )
    ]


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
    kind: str, trouble: list[dict[str, Any]], message: str
) -> None:
    (alert,) = alerts(FeedRules("upbit#2"), trouble)

    assert (alert.kind, alert.key, alert.message) == (kind, "upbit#2", message)


def test_it_is_cleared_once_and_remembers_since_when() -> None:
    rules = FeedRules("upbit#2")
    told = alerts(rules, [{"state": "backoff"}] * 12 + [{}] * 5)

    assert [(each.kind, each.state, each.since_unix_s) for each in told] == [
        ("FEED_LOST", "raised", 110.0),
        ("FEED_LOST", "cleared", 110.0),
    ]
    assert told[1].message == "upbit#2 is connected again"


def test_a_lost_feed_is_an_error() -> None:
    (alert,) = alerts(FeedRules("upbit#2"), [{"state": "backoff"}] * 12)

    assert (alert.severity, alert.value, alert.threshold) == (Severity.ERROR, 11.0, 10.0)
