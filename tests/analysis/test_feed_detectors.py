"""What is found wrong with a feed's connection, by what it has come to interval by interval."""

from collections.abc import Iterable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.analysis import FeedDetector
from ticklane.messages import FeedMetrics

STREAMING = FeedMetrics(
    name="upbit",
    exchange="upbit",
    state="streaming",
    frames=0,
    snapshots=0,
    reconnects=0,
    bad_frames={},
    silence_s=0.0,
    delay_ms=40.0,
)


def told(detector: FeedDetector, changes: Iterable[dict[str, Any]]) -> list[set[str | None]]:
    """Tell a second's metrics each; every second brings ten snapshots unless said otherwise."""
    return [
        {verdict.kind for verdict in detector.update(attrs.evolve(STREAMING, **each))}
        for each in ({"snapshots": 10 * n, **each} for n, each in enumerate(changes, 1))
    ]


def first(kind: str, changes: Iterable[dict[str, Any]]) -> int | None:
    """Return after how many seconds it is found, and nothing else before it."""
    for second, found in enumerate(told(FeedDetector(), changes), 1):
        if found:
            assert found == {kind}
            return second
    return None


def test_a_feed_that_streams_is_well() -> None:
    assert first("", [{}] * 1000) is None


@pytest.mark.parametrize("state", ["connecting", "backoff", "stalled"])
def test_a_feed_without_a_connection_for_over_ten_seconds_is_lost(state: str) -> None:
    assert first("lost", [{"state": state}] * 20) == 11


def test_a_loss_of_ten_seconds_is_normal_life() -> None:
    assert first("lost", ([{"state": "backoff"}] * 10 + [{}]) * 5) is None


def test_a_feed_that_is_refused_again_and_again_is_lost() -> None:
    refused = [{"state": "connecting"}, {"state": "subscribing"}, {"state": "backoff"}] * 10

    assert first("lost", refused) is not None


@pytest.mark.parametrize("state", ["idle", "stopped"])
def test_a_feed_that_is_not_to_be_connected_is_not_lost(state: str) -> None:
    assert first("lost", [{"state": state}] * 100) is None


def test_a_subscription_that_brings_nothing_for_half_a_minute_is_silent() -> None:
    quiet = {"state": "subscribing", "silence_s": None, "snapshots": 0}

    assert first("silent", [quiet] * 40) == 31


def test_a_connection_whose_rhythm_is_not_known_may_be_silent_for_half_a_minute() -> None:
    silent = [{"silence_s": float(n), "snapshots": 1} for n in range(40)]

    assert first("silent", silent) == 32


def test_one_that_spoke_every_second_may_not() -> None:
    silent = [{}] * 200 + [{"silence_s": float(n), "snapshots": 2000} for n in range(1, 40)]
    found = first("silent", silent)

    assert found is not None
    assert 205 < found < 220


def test_it_is_silent_no_more_when_it_speaks() -> None:
    detector = FeedDetector()
    told(detector, [{"silence_s": float(n), "snapshots": 1} for n in range(40)])

    assert told(detector, [{}]) == [set()]


def test_the_fourth_reconnect_in_ten_minutes_is_flapping() -> None:
    assert first("flapping", [{"reconnects": n // 100} for n in range(500)]) == 401


def test_three_reconnects_in_ten_minutes_are_allowed() -> None:
    assert first("flapping", [{"reconnects": n // 200} for n in range(2000)]) is None


def test_the_third_gap_in_a_minute_is_too_many() -> None:
    assert first("gaps", [{"gaps": n // 10} for n in range(100)]) == 31


def test_two_gaps_a_minute_are_allowed() -> None:
    assert first("gaps", [{"gaps": n // 30} for n in range(300)]) is None


def test_a_backlog_of_five_seconds_is_told() -> None:
    assert first("backlog", [{"backlog_bytes": 0}] * 9 + [{"backlog_bytes": 70_000}] * 9) == 14


def test_a_backlog_that_is_read_within_five_seconds_is_none() -> None:
    bursts = ([{"backlog_bytes": 900_000}] * 4 + [{"backlog_bytes": 0}]) * 10

    assert first("backlog", bursts) is None


def test_a_delay_half_a_second_above_its_least_for_five_seconds_is_told() -> None:
    assert first("delay", [{}] * 9 + [{"delay_ms": 541.0}] * 9) == 14


@pytest.mark.parametrize("delay_ms", [-90_000.0, 0.0, 90_000.0])
def test_how_far_the_clocks_differ_does_not_matter(delay_ms: float) -> None:
    changes = [{"delay_ms": delay_ms + add} for add in [0.0] * 9 + [400.0] * 99 + [501.0] * 9]

    assert first("delay", changes) == 113


def test_a_delay_that_has_grown_for_good_is_the_new_least_after_ten_minutes() -> None:
    found = told(FeedDetector(), [{}] + [{"delay_ms": 900.0}] * 610)

    assert (found[590], found[-1]) == ({"delay"}, set())


def test_a_late_snapshot_that_nothing_follows_is_no_growing_delay() -> None:
    late = [{}] * 9 + [{"delay_ms": 5000.0, "snapshots": 100}] * 20

    assert first("delay", late) is None


def test_nor_is_one_after_a_silence() -> None:
    silence = [{"snapshots": 90}] * 20

    assert first("delay", [{}] * 9 + silence + [{"delay_ms": 5000.0, "snapshots": 91}]) is None


def test_an_exchange_without_time_stamps_has_no_delay() -> None:
    assert first("delay", [{"delay_ms": None}] * 30) is None


def test_one_long_interval_is_no_fault_by_itself() -> None:
    assert FeedDetector().update(STREAMING, 60.0) == ()


def test_a_verdict_says_what_was_measured_and_what_it_is_held_against() -> None:
    detector = FeedDetector()
    told(detector, [{"backlog_bytes": 70_000}] * 6)

    assert [(each.kind, each.value, each.threshold) for each in detector.verdicts] == [
        ("backlog", 70_000, 65_536)
    ]
    assert detector.readings["lost"].value == 0


changes = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["streaming", "rolling", "backoff", "connecting", "subscribing"]),
        "silence_s": st.none() | st.floats(0, 100),
        "reconnects": st.integers(0, 9),
        "gaps": st.integers(0, 9),
        "backlog_bytes": st.integers(0, 10**6),
        "delay_ms": st.none() | st.floats(-1e6, 1e6),
    }
)


@settings(max_examples=25)
@given(st.lists(changes, max_size=60))
def test_whatever_happened_eleven_calm_minutes_end_it(happened: list[dict[str, Any]]) -> None:
    detector = FeedDetector()
    told(detector, happened)
    last = {"reconnects": 9, "gaps": 9}

    # A least delay as it was long ago is forgotten in ten minutes, too.
    assert told(detector, [last] * 660)[-1] == set()
