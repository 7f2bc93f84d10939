"""A book changed level by level, against a plain dictionary."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges import DiffBook
from ticklane.messages import BadFrame, Level

BIDS = ((10.0, 1.0), (9.0, 2.0), (8.0, 3.0))
ASKS = ((11.0, 1.0), (12.0, 2.0), (13.0, 3.0))


def _reason(book: DiffBook, bids: list[Level], asks: list[Level]) -> str:
    with pytest.raises(BadFrame) as caught:
        book.apply(bids, asks)
    return caught.value.reason


def test_a_new_book_is_its_base() -> None:
    book = DiffBook(BIDS, ASKS)

    assert (book.bids, book.asks) == (BIDS, ASKS)


def test_only_the_best_levels_are_read() -> None:
    book = DiffBook(BIDS, ASKS, depth=2)

    assert (book.bids, book.asks) == (BIDS[:2], ASKS[:2])


def test_a_size_replaces_the_one_before() -> None:
    book = DiffBook(BIDS, ASKS)
    book.apply([(9.0, 7.0)], [(13.0, 8.0)])

    assert book.bids == ((10.0, 1.0), (9.0, 7.0), (8.0, 3.0))
    assert book.asks == ((11.0, 1.0), (12.0, 2.0), (13.0, 8.0))


def test_a_size_of_zero_takes_a_level_out_and_the_next_one_moves_up() -> None:
    book = DiffBook(BIDS, ASKS, depth=2)
    book.apply([(10.0, 0.0)], [(11.0, 0.0)])

    assert (book.bids, book.asks) == (BIDS[1:], ASKS[1:])


def test_a_size_of_zero_at_a_price_that_is_not_there_changes_nothing() -> None:
    book = DiffBook(BIDS, ASKS)
    book.apply([(9.5, 0.0)], [])

    assert book.bids == BIDS


def test_a_new_price_takes_its_place() -> None:
    book = DiffBook(BIDS, ASKS)
    book.apply([(9.5, 4.0)], [(10.5, 5.0)])

    assert book.bids == (BIDS[0], (9.5, 4.0), *BIDS[1:])
    assert book.asks == ((10.5, 5.0), *ASKS)


def test_a_side_that_is_not_changed_is_the_same_object() -> None:
    book = DiffBook(BIDS, ASKS)
    before = book.asks
    book.apply([(10.0, 2.0)], [])

    assert book.asks is before


def test_a_book_may_lose_all_its_levels() -> None:
    book = DiffBook(BIDS[:1], ASKS[:1])
    book.apply([(10.0, 0.0)], [(11.0, 0.0)])

    assert (book.bids, book.asks) == ((), ())


def test_a_base_may_have_no_level_at_all() -> None:
    assert DiffBook((), ()).bids == ()


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        (((10.0, -1.0),), (), "size"),
        (((10.0, 1.0), (11.0, 1.0)), (), "number"),
        (((10.0, 1.0),), ((10.0, 1.0),), "crossed"),
    ],
)
def test_an_unsound_base_is_refused(
    bids: tuple[Level, ...], asks: tuple[Level, ...], reason: str
) -> None:
    with pytest.raises(BadFrame) as caught:
        DiffBook(bids, asks)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("level", "reason"),
    [
        ((9.0, -1.0), "size"),
        ((9.0, math.nan), "number"),
        ((9.0, math.inf), "number"),
        ((9.0, -math.inf), "number"),
        ((math.nan, 1.0), "number"),
        ((math.inf, 1.0), "number"),
        ((-1.0, 1.0), "number"),
        ((0.0, 1.0), "number"),
        ((math.nan, 0.0), "number"),
        ((-1.0, 0.0), "number"),
    ],
)
def test_a_level_that_cannot_be_is_told(level: Level, reason: str) -> None:
    assert _reason(DiffBook(BIDS, ASKS), [level], []) == reason
    assert _reason(DiffBook(BIDS, ASKS), [], [level]) == reason


def test_a_book_that_crosses_is_told() -> None:
    assert _reason(DiffBook(BIDS, ASKS), [(11.0, 1.0)], []) == "crossed"
    assert _reason(DiffBook(BIDS, ASKS), [], [(9.5, 1.0)]) == "crossed"


def test_what_lies_beyond_a_base_that_was_cut_off_is_not_known_and_passed_over() -> None:
    book = DiffBook(BIDS, ASKS, limit=3)
    book.apply([(7.0, 1.0), (8.0, 9.0)], [(14.0, 1.0), (13.0, 9.0)])

    assert book.bids == ((10.0, 1.0), (9.0, 2.0), (8.0, 9.0))
    assert book.asks == ((11.0, 1.0), (12.0, 2.0), (13.0, 9.0))


def test_what_lies_beyond_a_base_that_is_whole_is_taken() -> None:
    book = DiffBook(BIDS, ASKS, limit=4)
    book.apply([(7.0, 1.0)], [(14.0, 1.0)])

    assert (book.bids[-1], book.asks[-1]) == ((7.0, 1.0), (14.0, 1.0))


def test_a_book_is_thin_when_less_is_known_than_is_to_be_read() -> None:
    book = DiffBook(BIDS, ASKS, depth=3, limit=3)
    was_thin = book.thin
    book.apply([(9.0, 0.0)], [])

    assert (was_thin, book.thin) == (False, True)


def test_a_book_known_to_its_end_is_never_thin() -> None:
    book = DiffBook(BIDS, ASKS, depth=3, limit=4)
    book.apply([(9.0, 0.0)], [(11.0, 0.0), (12.0, 0.0)])

    assert not book.thin


sizes = st.sampled_from([0.0, 1.0, 2.0])
changes = st.tuples(
    st.lists(st.tuples(st.integers(1, 20).map(float), sizes), max_size=5),
    st.lists(st.tuples(st.integers(21, 40).map(float), sizes), max_size=5),
)


@given(st.lists(changes, max_size=30), st.integers(1, 8))
def test_any_changes_give_what_a_dictionary_gives(
    rounds: list[tuple[list[Level], list[Level]]], depth: int
) -> None:
    book = DiffBook((), (), depth=depth)
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    for changed_bids, changed_asks in rounds:
        book.apply(changed_bids, changed_asks)
        bids |= dict(changed_bids)
        asks |= dict(changed_asks)
        best_bids = sorted(((p, s) for p, s in bids.items() if s), reverse=True)[:depth]
        best_asks = sorted((p, s) for p, s in asks.items() if s)[:depth]

        assert (book.bids, book.asks) == (tuple(best_bids), tuple(best_asks))
