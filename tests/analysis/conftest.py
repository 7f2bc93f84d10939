"""What the tests of decisions share: a feed that streams, and what changes about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from ticklane.messages import FeedMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


def seconds(changes: Iterable[dict[str, Any]]) -> list[FeedMetrics]:
    """Return a second's metrics each; every second brings ten snapshots unless said otherwise."""
    return [
        attrs.evolve(STREAMING, **{"snapshots": 10 * n, **each})
        for n, each in enumerate(changes, 1)
    ]


@pytest.fixture(scope="session")
def feed_seconds() -> Callable[[Iterable[dict[str, Any]]], list[FeedMetrics]]:
    """Return how to make a feed's metrics, second by second, of what changes about it."""
    return seconds
