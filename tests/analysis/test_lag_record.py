"""Lags cut into intervals: nothing is lost, and nothing counted twice."""

from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LagHistogram, LagRecord


def counted(lags: list[int]) -> LagHistogram:
    histogram = LagHistogram()
    for each in lags:
        histogram.record(each)
    return histogram


@given(intervals=st.lists(st.lists(st.integers(0, 10**9), max_size=5), max_size=6))
def test_a_cut_returns_what_was_recorded_since_the_one_before(intervals: list[list[int]]) -> None:
    record = LagRecord()
    for lags in intervals:
        for each in lags:
            record.now.record(each)

        assert record.cut().counts == counted(lags).counts


@given(intervals=st.lists(st.lists(st.integers(0, 10**9), max_size=5), min_size=1, max_size=6))
def test_a_copy_holds_all_of_every_interval(intervals: list[list[int]]) -> None:
    record = LagRecord()
    for lags in intervals[:-1]:
        for each in lags:
            record.now.record(each)
        record.cut()
    for each in intervals[-1]:
        record.now.record(each)

    assert record.copy().counts == counted([each for lags in intervals for each in lags]).counts


def test_what_is_recorded_into_an_interval_just_cut_is_not_lost() -> None:
    record = LagRecord()
    late = record.now
    record.cut()
    late.record(5)
    record.cut()
    record.cut()

    assert record.copy().total == 1


def test_a_copy_is_not_changed_by_what_comes_later() -> None:
    record = LagRecord()
    copy = record.copy()
    record.now.record(5)

    assert (copy.total, record.copy().total) == (0, 1)
