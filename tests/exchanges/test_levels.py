"""What a book must satisfy, against a plain model of it."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges.levels import Side, checked_book
from ticklane.messages import BadFrame

BIDS: Side = ((99.0, 1.0), (98.0, 2.0))
ASKS: Side = ((101.0, 3.0), (102.0, 4.0))


def _reason(bids: Side, asks: Side) -> str:
    with pytest.raises(BadFrame) as caught:
        checked_book(bids, asks)
    return caught.value.reason


def test_a_sound_book_comes_back_as_it_is() -> None:
    bids, asks = checked_book(BIDS, ASKS)

    assert bids is BIDS
    assert asks is ASKS


def test_empty_levels_at_the_end_are_cut_off() -> None:
    padding = ((0.0, 0.0), (0.0, 0.0))

    assert checked_book(BIDS + padding, ASKS + padding) == (BIDS, ASKS)


def test_an_empty_level_between_others_is_a_bad_size() -> None:
    assert _reason(((99.0, 0.0), (98.0, 1.0)), ASKS) == "size"


def test_a_negative_size_is_a_bad_size() -> None:
    assert _reason(BIDS, ((101.0, -1.0),)) == "size"


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_not_finite_is_a_bad_number(strange: float, place: int) -> None:
    level = (strange, 1.0) if place == 0 else (100.0, strange)

    assert _reason((level,), ()) == "number"
    assert _reason((), (level,)) == "number"


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_a_price_that_is_not_positive_is_a_bad_number(price: float) -> None:
    assert _reason(((price, 1.0),), ()) == "number"


def test_prices_out_of_order_are_bad_numbers() -> None:
    assert _reason(BIDS[::-1], ASKS) == "number"
    assert _reason(BIDS, ASKS[::-1]) == "number"


def test_a_price_given_twice_is_a_bad_number() -> None:
    assert _reason(BIDS, ((101.0, 1.0), (101.0, 1.0))) == "number"


def test_a_bid_above_the_best_ask_is_a_crossed_book() -> None:
    assert _reason(((102.0, 1.0),), ASKS) == "crossed"


def test_a_bid_at_the_best_ask_is_a_crossed_book() -> None:
    assert _reason(((101.0, 1.0),), ASKS) == "crossed"


def test_one_side_may_be_empty() -> None:
    assert checked_book((), ASKS) == ((), ASKS)
    assert checked_book(BIDS, ()) == (BIDS, ())


def test_a_book_without_a_level_is_empty() -> None:
    assert _reason((), ()) == "empty"


def test_a_book_of_nothing_but_padding_is_empty() -> None:
    assert _reason(((0.0, 0.0),), ((0.0, 0.0),)) == "empty"


def _is_sound(bids: Side, asks: Side) -> bool:
    """Tell it the slow and plain way."""
    prices = [price for price, _ in reversed(bids)] + [price for price, _ in asks]
    sizes = [size for _, size in bids + asks]
    return (
        bool(prices)
        and all(math.isfinite(number) and number > 0 for number in prices + sizes)
        and all(lower < higher for lower, higher in pairwise(prices))
    )


numbers = st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0]) | st.floats()
sides = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)


@given(sides, sides)
def test_a_book_passes_when_the_model_finds_it_sound_and_only_then(bids: Side, asks: Side) -> None:
    try:
        passed = checked_book(bids, asks)
    except BadFrame:
        assert not _is_sound(bids, asks)
    else:
        assert _is_sound(*passed)
        assert passed == (bids[: len(passed[0])], asks[: len(passed[1])])
        assert not any(size for _, size in bids[len(passed[0]) :] + asks[len(passed[1]) :])
