"""A burst brings forward what comes next, and shifts what follows."""

from itertools import count, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.messages import InvalidOption, Snapshot
from ticklane.simulation.timetable import Timetable


def test_without_a_burst_nothing_changes() -> None:
    timed = [(0.5, "a"), (1.0, "b")]

    assert [*Timetable(timed)] == timed


def test_a_burst_brings_the_next_ones_to_the_one_before() -> None:
    timetable = Timetable((float(number), number) for number in count())
    before = [*islice(timetable, 3)]
    timetable.hurry(2)

    assert before[-1] == (2.0, 2)
    assert [*islice(timetable, 4)] == [(2.0, 3), (2.0, 4), (3.0, 5), (4.0, 6)]


def test_a_books_time_stamp_moves_with_it() -> None:
    books = ((1.0 * n, Snapshot("upbit", "KRW-BTC", (), (), 5000 + 1000 * n)) for n in count())
    timetable = Timetable(books)
    next(timetable)
    timetable.hurry(2)
    stamps = [book.exchange_time_ms for _, book in islice(timetable, 4)]

    assert stamps == [5000, 5000, 6000, 7000]


@given(
    gaps=st.lists(st.floats(0.0, 10.0), min_size=20, max_size=20),
    bursts=st.dictionaries(st.integers(0, 19), st.integers(0, 10)),
)
def test_whatever_is_hurried_all_comes_in_order_and_no_stamp_goes_back(
    gaps: list[float], bursts: dict[int, int]
) -> None:
    at_s, books = 0.0, []
    for number, gap in enumerate(gaps):
        at_s += gap
        stamp = 1_000_000 + int(at_s * 1000)
        books.append((at_s, Snapshot("upbit", "KRW-BTC", (), (), stamp, number)))
    timetable, out = Timetable(books), []
    for number in range(20):
        timetable.hurry(bursts.get(number, 0))
        out.append(next(timetable))

    assert [book.sequence for _, book in out] == [*range(20)]
    assert [at_s for at_s, _ in out] == sorted(at_s for at_s, _ in out)
    stamps = [book.exchange_time_ms or 0 for _, book in out]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("number", [-1, 1.5, True, "1"])
def test_what_is_no_number_of_books_is_an_error(number: Any) -> None:
    with pytest.raises(InvalidOption) as caught:
        Timetable([]).hurry(number)

    assert str(caught.value) == f"books must be a whole number, at least 0, not {number!r}"
