import math
import random
from collections.abc import Callable, Iterator
from itertools import accumulate, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Rhythm
from ticklane.messages import InvalidOption

HOUR_S = 3600


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def learnt(gaps_s: list[float], floor_s: float = 10.0) -> tuple[Rhythm, float]:
    """Return a rhythm that was told of all gaps one by one, and when the last ended."""
    rhythm, now_s = Rhythm(floor_s=floor_s), 0.0
    rhythm.note(0)
    for gap_s in gaps_s:
        now_s += gap_s
        rhythm.note(ns(now_s))
    return rhythm, now_s


def known_limit_s(rhythm: Rhythm) -> float:
    assert rhythm.limit_s is not None
    return rhythm.limit_s


def test_nothing_is_overdue_before_anything_arrived() -> None:
    assert not Rhythm().overdue(ns(1e6))


def test_nothing_is_said_before_enough_was_learnt() -> None:
    rhythm, now_s = learnt([1.0] * 31)

    assert rhythm.limit_s is None
    assert not rhythm.overdue(ns(now_s + 1e6))


def test_a_silence_is_strange_once_it_is_longer_than_the_limit() -> None:
    rhythm, now_s = learnt([10.0] * 640)
    limit_s = known_limit_s(rhythm)

    assert not rhythm.overdue(ns(now_s + limit_s))
    assert rhythm.overdue(ns(now_s + limit_s) + 1)


def test_the_limit_is_four_times_the_largest_gap_of_a_steady_market() -> None:
    rhythm, _ = learnt([10.0] * 640)

    assert rhythm.limit_s == pytest.approx(4 * 10.0 * 1.2)


def test_no_silence_shorter_than_the_floor_is_strange() -> None:
    rhythm, now_s = learnt([0.01] * 1000, floor_s=5.0)

    assert rhythm.limit_s == 5.0
    assert not rhythm.overdue(ns(now_s + 5.0))


def test_the_time_of_the_same_arrival_again_changes_nothing() -> None:
    rhythm, now_s = learnt([10.0] * 100)
    before = rhythm.limit_s
    rhythm.note(ns(now_s))
    rhythm.note(ns(now_s - 1.0))

    assert rhythm.limit_s == before


def test_an_outage_hardly_moves_the_limit() -> None:
    rhythm, now_s = learnt([10.0] * 640)
    before_s = known_limit_s(rhythm)
    rhythm.note(ns(now_s + 8 * HOUR_S))

    assert before_s < known_limit_s(rhythm) < 1.6 * before_s


def test_the_gap_of_a_lost_connection_is_not_learnt() -> None:
    rhythm, now_s = learnt([10.0] * 640)
    before_s = known_limit_s(rhythm)
    rhythm.resume(ns(now_s + 35.0))
    rhythm.note(ns(now_s + 36.0))

    assert known_limit_s(rhythm) == pytest.approx(before_s, rel=0.01)


def test_the_silence_counts_from_the_new_connection_on() -> None:
    rhythm, now_s = learnt([10.0] * 640)
    rhythm.resume(ns(now_s + HOUR_S))

    assert not rhythm.overdue(ns(now_s + HOUR_S + 10.0))
    assert rhythm.overdue(ns(now_s + HOUR_S + 60.0))


def test_a_market_that_became_ten_times_slower_is_learnt() -> None:
    rhythm, now_s = learnt([10.0] * 640)
    for _ in range(20):
        now_s += 100.0
        rhythm.note(ns(now_s))

    assert known_limit_s(rhythm) > 200.0


def test_a_long_gap_is_forgotten_in_the_hours_after_it() -> None:
    rhythm, now_s = learnt([1.0] * 640, floor_s=100.0)
    rhythm.note(ns(now_s := now_s + 99.0))
    after_s = known_limit_s(rhythm)
    for _ in range(3 * HOUR_S):
        rhythm.note(ns(now_s := now_s + 1.0))

    assert known_limit_s(rhythm) < after_s / 5


@pytest.mark.parametrize("floor_s", [0.0, -1.0])
def test_a_floor_that_is_not_above_0_is_an_error(floor_s: float) -> None:
    with pytest.raises(InvalidOption, match="floor_s"):
        Rhythm(floor_s=floor_s)


@given(
    st.lists(st.floats(0.5, 2.0), min_size=40, max_size=200),
    st.sampled_from([0.01, 1.0, 1000.0]),
)
def test_gaps_of_a_market_whose_pace_varies_fourfold_are_never_strange(
    gaps: list[float], unit_s: float
) -> None:
    rhythm = Rhythm(floor_s=0.001)
    for now_s in accumulate(gap * unit_s for gap in gaps):
        assert not rhythm.overdue(ns(now_s))

        rhythm.note(ns(now_s))


@given(st.lists(st.floats(1e-9, 1e5), min_size=1, max_size=100), st.floats(0.1, 100.0))
def test_whatever_the_gaps_the_limit_is_at_least_the_floor(gaps: list[float], floor: float) -> None:
    rhythm, _ = learnt(gaps, floor)

    assert rhythm.limit_s is None or floor <= rhythm.limit_s < math.inf


@given(st.lists(st.floats(0.01, 1000.0), min_size=64, max_size=200))
def test_a_total_stop_is_found_within_the_limit_of_what_was_learnt(gaps: list[float]) -> None:
    rhythm, now_s = learnt(gaps)

    assert rhythm.overdue(ns(now_s + known_limit_s(rhythm) + 0.001))


def exponential(rng: random.Random, rate: float) -> float:
    return rng.expovariate(rate)


def lognormal(rng: random.Random, rate: float) -> float:
    return rng.lognormvariate(-math.log(rate) - 0.5, 1.0)


def an_hour(gap: Callable[[random.Random, float], float], rate: float, seed: int) -> Iterator[int]:
    """Yield when each arrived, as a look every second finds it: the last one of each second."""
    rng, now_s = random.Random(seed), 0.0
    arrivals = []
    while (now_s := now_s + gap(rng, rate)) < HOUR_S:
        arrivals.append(now_s)
    for _, of_one_second in groupby(arrivals, int):
        yield ns([*of_one_second][-1])


def false_alarms(arrivals: Iterator[int]) -> int:
    rhythm, alarms = Rhythm(), 0
    for arrived_ns in arrivals:
        alarms += rhythm.overdue(arrived_ns)
        rhythm.note(arrived_ns)
    return alarms


@pytest.mark.parametrize("gap", [exponential, lognormal])
@pytest.mark.parametrize(
    ("rate", "hours"), [(0.02, 100), (0.1, 50), (0.5, 20), (2.0, 8), (20.0, 2), (200.0, 1)]
)
def test_an_hour_of_a_live_market_raises_no_alarm(
    gap: Callable[[random.Random, float], float], rate: float, hours: int
) -> None:
    assert sum(false_alarms(an_hour(gap, rate, seed)) for seed in range(hours)) == 0


def test_a_market_whose_rate_drifts_tenfold_through_a_day_raises_no_alarm() -> None:
    rng, now_s, rhythm, alarms = random.Random(1), 0.0, Rhythm(), 0
    while now_s < 24 * HOUR_S:
        rate = 0.1 * 10 ** (0.5 * math.sin(2 * math.pi * now_s / (24 * HOUR_S)))
        now_s += exponential(rng, rate)
        alarms += rhythm.overdue(ns(now_s))
        rhythm.note(ns(now_s))

    assert alarms == 0
