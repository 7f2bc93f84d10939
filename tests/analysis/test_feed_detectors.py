"""What is found wrong with a feed's connection, by what it has come to interval by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.analysis import FeedDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ticklane.messages import FeedMetrics

    Change = dict[str, Any]
    Seconds = Callable[[Iterable[Change]], list[FeedMetrics]]
    Told = Callable[[FeedDetector, Iterable[Change]], list[set[str | None]]]
    First = Callable[[str, Iterable[Change]], int | None]


@pytest.fixture(scope="session")
def told(feed_seconds: Seconds) -> Told:
    """Return what a detector finds, second by second."""

    def told(detector: FeedDetector, changes: Iterable[Change]) -> list[set[str | None]]:
        return [
            {verdict.kind for verdict in detector.update(each)} for each in feed_seconds(changes)
        ]

    return told


@pytest.fixture(scope="session")
def first(told: Told) -> First:
    """Return after how many seconds a kind is found, and nothing else before it."""

    def first(kind: str, changes: Iterable[Change]) -> int | None:
        for second, found in enumerate(told(FeedDetector(), changes), 1):
            if found:
                assert found == {kind}
                return second
        return None

    return first


def test_a_feed_that_streams_is_well(first: First) -> None:
    assert first("", [{}] * 1000) is None


@pytest.mark.parametrize("state", ["connecting", "backoff", "stalled"])
def test_a_feed_without_a_connection_for_over_ten_seconds_is_lost(first: First, state: str) -> None:
    assert first("lost", [{"state": state}] * 20) == 11


def test_a_loss_of_ten_seconds_is_normal_life(first: First) -> None:
    assert first("lost", ([{"state": "backoff"}] * 10 + [{}]) * 5) is None


def test_a_feed_that_is_refused_again_and_again_is_lost(first: First) -> None:
    refused = [{"state": "connecting"}, {"state": "subscribing"}, {"state": "backoff"}] * 10

    assert first("lost", refused) is not None


@pytest.mark.parametrize("state", ["idle", "stopped"])
def test_a_feed_that_is_not_to_be_connected_is_not_lost(first: First, state: str) -> None:
    assert first("lost", [{"state": state}] * 100) is None


def test_a_subscription_that_brings_nothing_for_half_a_minute_is_silent(first: First) -> None:
    quiet = {"state": "subscribing", "silence_s": None, "snapshots": 0}

    assert first("silent", [quiet] * 40) == 31


def test_a_connection_whose_rhythm_is_not_known_may_be_silent_for_half_a_minute(
    first: First,
) -> None:
    silent = [{"silence_s": float(n), "snapshots": 1} for n in range(40)]

    assert first("silent", silent) == 32


def test_one_that_spoke_every_second_may_not(first: First) -> None:
    silent: list[Change] = [{}] * 200 + [
        {"silence_s": float(n), "snapshots": 2000} for n in range(1, 40)
    ]
    found = first("silent", silent)

    assert found is not None
    assert 205 < found < 220


def test_it_is_silent_no_more_when_it_speaks(told: Told) -> None:
    detector = FeedDetector()
    told(detector, [{"silence_s": float(n), "snapshots": 1} for n in range(40)])

    assert told(detector, [{}]) == [set()]


def test_the_fourth_reconnect_in_ten_minutes_is_flapping(first: First) -> None:
    assert first("flapping", [{"reconnects": n // 100} for n in range(500)]) == 401


def test_three_reconnects_in_ten_minutes_are_allowed(first: First) -> None:
    assert first("flapping", [{"reconnects": n // 200} for n in range(2000)]) is None


def test_the_third_gap_in_a_minute_is_too_many(first: First) -> None:
    assert first("gaps", [{"gaps": n // 10} for n in range(100)]) == 31


def test_two_gaps_a_minute_are_allowed(first: First) -> None:
    assert first("gaps", [{"gaps": n // 30} for n in range(300)]) is None


def test_a_backlog_of_five_seconds_is_told(first: First) -> None:
    assert first("backlog", [{"backlog_bytes": 0}] * 9 + [{"backlog_bytes": 70_000}] * 9) == 14


def test_a_backlog_that_is_read_within_five_seconds_is_none(first: First) -> None:
    bursts = ([{"backlog_bytes": 900_000}] * 4 + [{"backlog_bytes": 0}]) * 10

    assert first("backlog", bursts) is None


def test_a_delay_half_a_second_above_its_least_for_five_seconds_is_told(first: First) -> None:
    assert first("delay", [{}] * 9 + [{"delay_ms": 541.0}] * 9) == 14


@pytest.mark.parametrize("delay_ms", [-90_000.0, 0.0, 90_000.0])
def test_how_far_the_clocks_differ_does_not_matter(first: First, delay_ms: float) -> None:
    changes = [{"delay_ms": delay_ms + add} for add in [0.0] * 9 + [400.0] * 99 + [501.0] * 9]

    assert first("delay", changes) == 113


def test_a_delay_that_has_grown_for_good_is_the_new_least_after_ten_minutes(told: Told) -> None:
    found = told(FeedDetector(), [{}] + [{"delay_ms": 900.0}] * 610)

    assert (found[590], found[-1]) == ({"delay"}, set())


def test_a_late_snapshot_that_nothing_follows_is_no_growing_delay(first: First) -> None:
    late: list[Change] = [{}] * 9 + [{"delay_ms": 5000.0, "snapshots": 100}] * 20

    assert first("delay", late) is None


def test_nor_is_one_after_a_silence(first: First) -> None:
    silence = [{"snapshots": 90}] * 20

    assert first("delay", [{}] * 9 + silence + [{"delay_ms": 5000.0, "snapshots": 91}]) is None


def test_an_exchange_without_time_stamps_has_no_delay(first: First) -> None:
    assert first("delay", [{"delay_ms": None}] * 30) is None


def test_one_long_interval_is_no_fault_by_itself(feed_seconds: Seconds) -> None:
    (streaming,) = feed_seconds([{}])

    assert FeedDetector().update(streaming, 60.0) == ()


def test_a_verdict_says_what_was_measured_and_what_it_is_held_against(told: Told) -> None:
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
def test_whatever_happened_eleven_calm_minutes_end_it(told: Told, happened: list[Change]) -> None:
    detector = FeedDetector()
    told(detector, happened)
    last = {"reconnects": 9, "gaps": 9}

    # A least delay as it was long ago is forgotten in ten minutes, too.
    assert told(detector, [last] * 660)[-1] == set()
