"""What happened to the feeds, told by comparing samples."""

import json

from ticklane.analysis import FeedHistory
from ticklane.messages import FeedMetrics, MetricsSample, RunEvent


def sample(second: int, state: str, reconnects: int = 0, gaps: int = 0) -> MetricsSample:
    feed = FeedMetrics(
        name="upbit#2",
        exchange="upbit",
        state=state,
        frames=0,
        snapshots=0,
        reconnects=reconnects,
        bad_frames={},
        silence_s=None,
        last_error="reset by peer",
        gaps=gaps,
    )
    return MetricsSample(at_unix_s=float(second), ticks={}, feeds=(feed,))


def told(*samples: MetricsSample) -> list[tuple[int, str]]:
    history = FeedHistory()
    events = [event for each in samples for event in history.add(each)]
    return [(int(event.at_unix_s), event.kind) for event in events]


def test_a_connection_that_begins_to_stream_is_told_once() -> None:
    samples = (sample(1, "connecting"), sample(2, "streaming"), sample(3, "streaming"))

    assert told(*samples) == [(2, "feed_connected")]


def test_a_loss_is_told_with_its_reason_and_then_the_connection() -> None:
    samples = (sample(1, "streaming"), sample(2, "backoff", 1), sample(3, "streaming", 1))

    assert told(*samples) == [(1, "feed_connected"), (2, "feed_lost"), (3, "feed_connected")]
    history = FeedHistory()
    history.add(sample(1, "streaming"))

    assert history.add(sample(2, "backoff", 1)) == [
        RunEvent(2.0, "feed_lost", "upbit#2", json.dumps({"times": 1, "reason": "reset by peer"}))
    ]


def test_a_loss_between_two_samples_is_told_although_it_streams_again() -> None:
    samples = (sample(1, "streaming"), sample(2, "streaming", 3))

    assert told(*samples) == [(1, "feed_connected"), (2, "feed_lost"), (2, "feed_connected")]


def test_gaps_are_told_with_their_number() -> None:
    history = FeedHistory()
    history.add(sample(1, "streaming", gaps=2))

    assert history.add(sample(2, "streaming", gaps=5)) == [
        RunEvent(2.0, "feed_gap", "upbit#2", '{"times": 3}')
    ]
