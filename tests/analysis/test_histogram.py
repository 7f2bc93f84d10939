"""The lag histogram against the exact values and against HdrHistogram."""

from math import ceil

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LagHistogram

DAY_NS = 86_400 * 10**9
OFF = 0.016

durations = st.one_of(st.integers(0, 1000), st.integers(0, DAY_NS))
samples = st.lists(durations, min_size=1)
shares = st.floats(0, 1)


def counted(values: list[int]) -> LagHistogram:
    histogram = LagHistogram()
    for value in values:
        histogram.record(value)
    return histogram


def exact(values: list[int], share: float) -> int:
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


@given(samples, shares)
def test_every_quantile_is_within_1_6_percent_of_the_exact_one(
    values: list[int], share: float
) -> None:
    (found,) = counted(values).quantiles(share)

    assert found == pytest.approx(exact(values, share), rel=OFF)


@given(samples, st.lists(shares))
def test_several_quantiles_are_each_as_asked_for_alone(
    values: list[int], several: list[float]
) -> None:
    histogram = counted(values)
    rising = sorted(several)

    assert histogram.quantiles(*rising) == tuple(histogram.quantiles(share)[0] for share in rising)


@given(samples, st.data())
def test_quantiles_agree_with_hdrhistogram(values: list[int], data: st.DataObject) -> None:
    reference = HdrHistogram(1, 2 * DAY_NS, 3)
    for value in values:
        reference.record_value(value)
    # HdrHistogram rounds to the nearest rank: just below the rank both mean the same one.
    share = (data.draw(st.integers(1, len(values))) - 0.25) / len(values)
    (found,) = counted(values).quantiles(share)

    assert found == pytest.approx(reference.get_value_at_percentile(100 * share), rel=OFF + 0.001)


@given(samples)
def test_the_least_and_the_greatest_are_within_1_6_percent(values: list[int]) -> None:
    histogram = counted(values)

    assert (histogram.least, histogram.greatest) == pytest.approx(
        (min(values), max(values)), rel=OFF
    )


@given(st.integers(0, 63))
def test_the_smallest_durations_are_exact(value: int) -> None:
    assert counted([value]).quantiles(0.5) == (value,)


@given(st.lists(durations))
def test_the_total_is_how_many_were_recorded(values: list[int]) -> None:
    assert counted(values).total == len(values)


@given(st.lists(durations), st.lists(durations))
def test_adding_another_counts_the_union(one: list[int], other: list[int]) -> None:
    histogram = counted(one)
    histogram.add(counted(other))

    assert histogram.counts == counted(one + other).counts


@given(st.lists(durations), st.lists(durations))
def test_what_was_counted_since_a_copy_is_the_difference(
    before: list[int], after: list[int]
) -> None:
    histogram = counted(before)
    earlier = histogram.copy()
    for value in after:
        histogram.record(value)

    assert histogram.since(earlier).counts == counted(after).counts


@given(st.lists(durations))
def test_a_summary_is_made_of_quantiles(values: list[int]) -> None:
    histogram = counted(values)

    assert histogram.summary() == histogram.quantiles(0.0, 0.5, 0.99, 1.0)


def test_a_copy_does_not_see_what_comes_later() -> None:
    histogram = counted([5])
    copy = histogram.copy()
    histogram.record(6)

    assert copy.total == 1


def test_a_difference_leaves_both_as_they_were() -> None:
    histogram = counted([5, 6])
    earlier = counted([5])
    histogram.since(earlier)

    assert (histogram.total, earlier.total) == (2, 1)


def test_an_empty_one_is_all_zeros() -> None:
    empty = LagHistogram()

    assert (empty.quantiles(0.5, 0.99), empty.least, empty.greatest) == ((0, 0), 0, 0)
