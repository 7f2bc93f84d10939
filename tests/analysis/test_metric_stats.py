import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import MetricStats


def stats_of(values: list[float]) -> MetricStats:
    stats = MetricStats()
    for value in values:
        stats.add(value)
    return stats


def test_all_are_zero_before_the_first_value() -> None:
    stats = MetricStats()

    assert (stats.count, stats.mean, stats.min, stats.max, stats.stddev) == (0, 0, 0, 0, 0)


def test_least_and_greatest_of_negative_values_are_not_the_initial_zero() -> None:
    stats = stats_of([-3.0, -2.0])

    assert (stats.min, stats.max) == (-3.0, -2.0)


def test_a_mean_far_from_zero_costs_no_accuracy() -> None:
    stats = stats_of([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])

    assert stats.stddev == pytest.approx(22.5**0.5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_agrees_with_the_statistics_module(values: list[float]) -> None:
    stats = stats_of(values)

    assert stats.count == len(values)
    assert stats.min == min(values)
    assert stats.max == max(values)
    assert stats.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert stats.stddev == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-6)
