"""Adding up packed lag histograms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LagHistogram, LagSum, pack_lags, spread_lags
from ticklane.messages import InvalidOption

COUNTS = st.integers(1, 2**9) | st.integers(1, 2**64 - 1)
HISTOGRAMS = st.lists(st.dictionaries(st.integers(0, 2**16 - 1), COUNTS))


def packed(counts: dict[int, int]) -> bytes:
    lags = LagHistogram()
    lags.counts.update(counts)
    return pack_lags(lags)


def summed(*histograms: dict[int, int]) -> LagSum:
    result = LagSum()
    for each in histograms:
        result.add(spread_lags(packed(each)))
    return result


def plain_sum(histograms: list[dict[int, int]]) -> dict[int, int]:
    lags = LagHistogram()
    for each in histograms:
        for bucket, count in each.items():
            lags.counts[bucket] += count
    return lags.counts


@given(HISTOGRAMS)
def test_a_sum_is_that_of_each_bucket(histograms: list[dict[int, int]]) -> None:
    assert summed(*histograms).histogram().counts == plain_sum(histograms)


@given(HISTOGRAMS, HISTOGRAMS)
def test_sums_that_are_joined_are_the_sum_of_all(
    first: list[dict[int, int]], second: list[dict[int, int]]
) -> None:
    whole = summed(*first)
    whole.join(summed(*second))

    assert whole.histogram().counts == plain_sum(first + second)


@pytest.mark.parametrize("times", [256, 257, 258, 1000])
@pytest.mark.parametrize("count", [255, 65_535, 2**64 - 1])
def test_the_greatest_counts_add_up_however_many_they_are(times: int, count: int) -> None:
    neighbours = {511: count, 512: count, 513: 1}
    lags = summed(*[neighbours] * times).histogram()

    assert lags.counts == {511: count * times, 512: count * times, 513: times}


def test_it_goes_on_after_it_was_asked() -> None:
    lags = summed({700: 3})
    lags.histogram()
    lags.add(spread_lags(packed({700: 4})))

    assert lags.histogram().counts == {700: 7}


def test_nothing_counted_adds_nothing() -> None:
    assert summed({}).histogram().counts == {}


@pytest.mark.parametrize("given_bytes", [b"B\x00\x00", b"X\x00\x00\x00", b"{}"])
def test_other_bytes_are_a_clear_error(given_bytes: bytes) -> None:
    with pytest.raises(InvalidOption, match="what pack_lags returns"):
        spread_lags(given_bytes)
