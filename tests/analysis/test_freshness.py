"""Which of two snapshots is newer, and when the exchange's numbers began again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Freshness, Verdict
from ticklane.messages import Snapshot

NEWER, STALE, RESET = Verdict.NEWER, Verdict.STALE, Verdict.RESET
SECOND = 1_000_000_000


def book(
    sequence: int | None = None,
    *,
    price: float = 100.0,
    time_ms: int | None = None,
    received_ns: int | None = None,
) -> Snapshot:
    asks = ((price + 1, 1.0),)
    return Snapshot("upbit", "KRW-BTC", ((price, 1.0),), asks, time_ms, sequence, received_ns)


def verdicts(*books: Snapshot) -> list[Verdict]:
    freshness = Freshness()
    return [freshness.judge(each, 0) for each in books]


def test_the_first_snapshot_is_the_latest() -> None:
    freshness = Freshness()

    assert (freshness.latest, freshness.judge(book(5), 0)) == (None, NEWER)


def test_a_greater_sequence_is_newer() -> None:
    assert verdicts(book(5), book(6)) == [NEWER, NEWER]


def test_a_smaller_sequence_is_stale_and_does_not_become_the_latest() -> None:
    freshness = Freshness()
    freshness.judge(book(5), 0)

    assert (freshness.judge(book(4), 0), freshness.latest) == (STALE, book(5))


def test_the_sequence_decides_over_the_time_stamp() -> None:
    assert verdicts(book(5, time_ms=900), book(6, time_ms=100))[1] is NEWER


def test_without_a_sequence_the_time_stamp_decides() -> None:
    assert verdicts(book(time_ms=900, received_ns=1), book(time_ms=100, received_ns=2))[1] is STALE


def test_without_both_the_receive_time_decides() -> None:
    assert verdicts(book(received_ns=9), book(received_ns=8))[1] is STALE


def test_a_stamp_that_only_one_has_does_not_decide() -> None:
    assert verdicts(book(5, time_ms=900), book(time_ms=100))[1] is STALE


def test_without_a_stamp_in_common_what_comes_later_is_newer() -> None:
    assert verdicts(book(5), book(time_ms=1))[1] is NEWER


def test_a_copy_is_stale() -> None:
    assert verdicts(book(5), book(5))[1] is STALE


def test_a_copy_that_was_received_later_is_stale() -> None:
    assert verdicts(book(5, received_ns=1), book(5, received_ns=2))[1] is STALE


def test_another_book_at_the_same_stamp_is_newer() -> None:
    assert verdicts(book(time_ms=5), book(time_ms=5, price=101))[1] is NEWER


def test_every_book_already_seen_at_the_stamp_is_stale() -> None:
    books = [book(time_ms=5, price=price) for price in (100, 101, 102, 100, 101, 102)]

    assert verdicts(*books) == [NEWER] * 3 + [STALE] * 3


def test_the_last_seventeen_books_at_one_stamp_are_remembered() -> None:
    freshness = Freshness()
    for price in range(100, 117):
        freshness.judge(book(time_ms=5, price=price), 0)
    again = [freshness.judge(book(time_ms=5, price=price), 0) for price in range(100, 117)]

    assert again == [STALE] * 17


def test_a_book_seen_at_an_earlier_stamp_is_newer_at_a_later_one() -> None:
    books = [book(time_ms=5), book(time_ms=5, price=101), book(time_ms=6), book(time_ms=6)]

    assert verdicts(*books) == [NEWER, NEWER, NEWER, STALE]


@pytest.mark.parametrize(("after_ns", "verdict"), [(SECOND - 1, STALE), (SECOND, RESET)])
def test_nothing_but_older_ones_for_a_second_is_a_reset(after_ns: int, verdict: Verdict) -> None:
    freshness = Freshness()
    freshness.judge(book(5), 0)
    freshness.judge(book(1), 7)

    assert freshness.judge(book(2), 7 + after_ns) is verdict


def test_a_reset_becomes_the_latest() -> None:
    freshness = Freshness()
    freshness.judge(book(5), 0)
    freshness.judge(book(1), 0)
    freshness.judge(book(2), SECOND)

    assert (freshness.latest, freshness.judge(book(3), SECOND)) == (book(2), NEWER)


def test_one_older_snapshot_after_a_long_silence_is_no_reset() -> None:
    freshness = Freshness()
    freshness.judge(book(5), 0)

    assert freshness.judge(book(4), 100 * SECOND) is STALE


@pytest.mark.parametrize("live", [book(6), book(5), book(5, price=101)])
def test_anything_that_is_not_older_ends_the_count_to_a_reset(live: Snapshot) -> None:
    freshness = Freshness()
    freshness.judge(book(5), 0)
    freshness.judge(book(1), 0)
    freshness.judge(live, SECOND // 2)

    assert freshness.judge(book(2), SECOND) is STALE


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3))))
def test_the_latest_never_goes_back_and_a_book_is_newer_once(
    arrivals: list[tuple[int, int]],
) -> None:
    freshness, newest, seen = Freshness(), -1, set()
    for sequence, price in arrivals:
        expected = sequence > newest or (sequence == newest and (sequence, price) not in seen)
        verdict = freshness.judge(book(sequence, price=price), 0)
        if expected:
            newest = sequence
            seen.add((sequence, price))

        assert (verdict is NEWER) == expected


@given(st.lists(st.integers(0, 9), min_size=1))
def test_the_latest_is_the_newest_of_all(sequences: list[int]) -> None:
    freshness = Freshness()
    for sequence in sequences:
        freshness.judge(book(sequence), 0)

    assert freshness.latest == book(max(sequences))
