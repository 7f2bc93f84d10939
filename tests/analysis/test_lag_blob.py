"""A lag histogram as bytes, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LagHistogram, pack_lags, unpack_lags
from ticklane.messages import InvalidOption

DURATIONS_NS = st.lists(st.integers(0, 2**50))


def histogram(durations_ns: list[int]) -> LagHistogram:
    lags = LagHistogram()
    for each in durations_ns:
        lags.record(each)
    return lags


@given(DURATIONS_NS)
def test_what_is_packed_comes_out_exactly(durations_ns: list[int]) -> None:
    lags = histogram(durations_ns)

    assert unpack_lags(pack_lags(lags)).counts == lags.counts


@given(DURATIONS_NS, DURATIONS_NS)
def test_what_was_packed_in_parts_merges_exactly(first: list[int], second: list[int]) -> None:
    merged = unpack_lags(pack_lags(histogram(first)))
    merged.add(unpack_lags(pack_lags(histogram(second))))

    assert merged.counts == histogram(first + second).counts


@pytest.mark.parametrize("count", [1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63])
def test_a_count_of_any_size_survives(count: int) -> None:
    lags = LagHistogram()
    lags.counts[700] = count

    assert unpack_lags(pack_lags(lags)).counts == {700: count}


def test_nothing_counted_is_no_bytes() -> None:
    assert pack_lags(LagHistogram()) == b""
    assert unpack_lags(b"").counts == {}


def test_a_bucket_costs_three_bytes_where_counts_are_small() -> None:
    lags = LagHistogram()
    lags.counts.update(dict.fromkeys(range(50), 200))

    assert len(pack_lags(lags)) == 1 + 50 * 3


@pytest.mark.parametrize("packed", [b"B\x00\x00", b"X\x00\x00\x00", b"{}"])
def test_other_bytes_are_a_clear_error(packed: bytes) -> None:
    with pytest.raises(InvalidOption, match="what pack_lags returns"):
        unpack_lags(packed)
