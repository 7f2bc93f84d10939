"""A book kept in step with its differences: the rules, and any disorder against the true book."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges import Base, BookRequest, BookSync, Brought, Diff
from ticklane.exchanges.book_sync import MOST_REPEATED, MOST_WAITING, SETTLED
from ticklane.messages import BadFrame, BookResynced, GapDetected, Level, Snapshot

KEY = "binance:BTCUSDT"
REQUEST = BookRequest("BTCUSDT", "/depth", 50)
BIDS = ((10.0, 1.0), (9.0, 2.0))
ASKS = ((11.0, 1.0), (12.0, 2.0))


def sync(limit: int = 1000) -> BookSync:
    return BookSync("binance", REQUEST, limit=limit)


def diff(first: int, last: int, *bids: Level, prior: int | None = None) -> Diff:
    return Diff(first, last, list(bids), [], time_ms=last * 1000, prior=prior)


def base(number: int) -> Base:
    return Base(number, BIDS, ASKS)


def live(number: int = 10) -> BookSync:
    book = sync()
    book.missing()
    book.rebase(base(number), 0)
    return book


def kinds(brought: Sequence[Brought]) -> list[str]:
    return [type(each).__name__ for each in brought]


def numbers(brought: Sequence[Brought]) -> list[int | None]:
    return [each.sequence for each in brought if isinstance(each, Snapshot)]


## The base


def test_a_new_book_asks_for_its_base_once() -> None:
    book = sync()

    assert book.missing() == (REQUEST,)
    assert book.missing() == ()


def test_a_difference_asks_for_the_base_where_nobody_has() -> None:
    assert sync().take(diff(1, 2), 0) == (REQUEST,)


def test_a_base_alone_is_a_book() -> None:
    book = sync()
    book.missing()

    assert book.rebase(base(10), 77) == (Snapshot("binance", "BTCUSDT", BIDS, ASKS, None, 10, 77),)


def test_what_waited_is_applied_to_the_base_and_leaves_as_one_book() -> None:
    book = sync()
    book.take(diff(9, 10, (10.0, 7.0)), 0)
    book.take(diff(11, 12, (10.0, 5.0)), 0)
    book.take(diff(13, 14, (8.0, 6.0)), 0)

    assert book.rebase(base(10), 77) == (
        Snapshot("binance", "BTCUSDT", ((10.0, 5.0), (9.0, 2.0), (8.0, 6.0)), ASKS, 14000, 14, 77),
    )


def test_a_base_older_than_the_first_that_waits_is_asked_for_again() -> None:
    book = sync()
    book.take(diff(12, 13), 0)

    assert book.rebase(base(10), 0) == (attrs.evolve(REQUEST, attempt=1),)
    assert numbers(book.rebase(base(11), 0)) == [13]


def test_a_base_in_the_midst_of_the_first_that_waits_will_do() -> None:
    book = sync()
    book.take(diff(12, 15), 0)

    assert numbers(book.rebase(base(13), 0)) == [15]


def test_of_what_waits_the_oldest_is_dropped_and_an_older_base_will_not_do() -> None:
    book = sync()
    for number in range(1, MOST_WAITING + 2):
        book.take(diff(number, number), 0)

    assert kinds(book.rebase(base(0), 0)) == ["BookRequest"]
    assert numbers(book.rebase(base(1), 0)) == [MOST_WAITING + 1]


def test_a_gap_in_what_waits_wants_a_base_from_behind_it() -> None:
    book = sync()
    book.take(diff(1, 2), 0)
    book.take(diff(5, 6), 0)

    assert kinds(book.rebase(base(2), 0)) == ["BookRequest"]
    assert numbers(book.rebase(base(4), 0)) == [6]


def test_an_unsound_base_is_told_and_asked_for_again() -> None:
    book = sync()
    book.missing()
    crossed = Base(10, BIDS, BIDS)

    assert kinds(book.rebase(crossed, 0)) == ["BadFrame", "BookRequest"]


def test_a_base_nobody_asked_for_is_taken_where_it_is_newer_than_all_that_came() -> None:
    book = live(10)

    assert numbers(book.rebase(base(20), 0)) == [20]
    assert numbers(book.take(diff(15, 19), 0)) == []
    assert numbers(book.take(diff(20, 21), 0)) == [21]


def test_a_base_nobody_asked_for_changes_nothing() -> None:
    book = live(10)

    assert book.rebase(base(5), 0) == ()
    assert numbers(book.take(diff(11, 11), 0)) == [11]


def test_an_empty_base_is_no_book_until_a_level_comes() -> None:
    book = sync()
    book.missing()

    assert book.rebase(Base(10, (), ()), 0) == ()
    assert numbers(book.take(diff(11, 11, (9.0, 1.0)), 0)) == [11]


## Differences


def test_each_difference_brings_a_book_with_its_number_and_time() -> None:
    assert live(10).take(diff(11, 12, (9.0, 0.0)), 77) == (
        Snapshot("binance", "BTCUSDT", ((10.0, 1.0),), ASKS, 12000, 12, 77),
    )


def test_one_that_changes_none_of_the_best_levels_brings_a_book_too() -> None:
    assert numbers(live(10).take(diff(11, 12, (1.0, 0.0)), 0)) == [12]


@pytest.mark.parametrize("late", [diff(9, 10), diff(5, 6)])
def test_one_older_than_the_base_is_ignored(late: Diff) -> None:
    book = live(10)

    assert book.take(late, 0) == ()
    assert numbers(book.take(diff(11, 12), 0)) == [12]


def test_one_that_overlaps_the_base_is_applied() -> None:
    assert numbers(live(10).take(diff(8, 12), 0)) == [12]


def test_a_copy_is_ignored() -> None:
    book = live(10)
    book.take(diff(11, 12), 0)

    assert book.take(diff(11, 12), 0) == ()


def test_a_gap_is_told_and_a_base_asked_for() -> None:
    assert live(10).take(diff(14, 15), 0) == (
        GapDetected(key=KEY, missed=3),
        attrs.evolve(REQUEST, attempt=1),
    )


def test_after_a_gap_nothing_leaves_until_the_book_is_whole_again() -> None:
    book = live(10)
    book.take(diff(14, 15), 0)
    meanwhile = book.take(diff(16, 17, (9.5, 1.0)), 0)
    whole = book.rebase(base(15), 0)

    assert meanwhile == ()
    assert whole[0] == BookResynced(key=KEY)
    assert numbers(whole) == [17]


def test_resynced_is_told_once() -> None:
    book = live(10)
    book.take(diff(14, 15), 0)
    book.rebase(base(15), 0)

    assert kinds(book.take(diff(16, 16), 0)) == ["Snapshot"]


def test_a_difference_that_cannot_be_read_loses_the_book() -> None:
    bad = BadFrame("type")
    brought = live(10).spoil(bad)

    assert brought[0] is bad
    assert kinds(brought) == ["BadFrame", "GapDetected", "BookRequest"]


def test_one_that_cannot_be_read_while_the_base_is_on_its_way_is_only_told() -> None:
    book = sync()
    book.missing()

    assert kinds(book.spoil(BadFrame("type"))) == ["BadFrame"]


@pytest.mark.parametrize("level", [(11.0, 1.0), (9.0, -1.0), (float("nan"), 1.0)])
def test_a_bad_level_and_a_crossed_book_lose_the_book(level: Level) -> None:
    brought = live(10).take(diff(11, 13, level), 0)

    assert kinds(brought) == ["BadFrame", "GapDetected", "BookRequest"]
    assert brought[1] == GapDetected(key=KEY, missed=3)


def test_what_lost_the_book_is_not_applied_to_the_next_base() -> None:
    book = live(10)
    book.take(diff(11, 13, (11.0, 1.0)), 0)

    assert kinds(book.rebase(base(12), 0)) == ["BadFrame", "BookRequest"]
    assert kinds(book.rebase(base(13), 0)) == ["BookResynced", "Snapshot"]


def test_numbers_that_begin_again_lose_the_book_and_are_followed() -> None:
    book = live(1000)
    book.take(diff(1001, 1001), 0)
    brought = [book.take(diff(number, number), 0) for number in range(1, MOST_REPEATED + 1)]
    following = book.take(diff(MOST_REPEATED + 1, MOST_REPEATED + 1), 0)

    assert not any(brought[:-1])
    assert kinds(brought[-1]) == ["GapDetected", "BookRequest"]
    assert following == ()
    assert numbers(book.rebase(base(MOST_REPEATED), 0)) == [MOST_REPEATED + 1]


def test_a_base_far_ahead_of_the_stream_is_waited_for() -> None:
    book = live(10 * MOST_REPEATED)
    late = [book.take(diff(number, number), 0) for number in range(1, 10 * MOST_REPEATED + 1)]

    assert not any(late)


## How often it failed


def test_each_base_that_does_not_help_counts_as_an_attempt() -> None:
    book = sync()
    book.take(diff(12, 13), 0)
    asked = [book.rebase(base(number), 0)[0] for number in (1, 2, 3)]

    assert [request.attempt for request in asked if isinstance(request, BookRequest)] == [1, 2, 3]


def test_a_base_that_has_proven_good_ends_the_count() -> None:
    book = live(10)
    book.take(diff(14, 15), 0)
    book.rebase(base(15), 0)
    for number in range(16, 16 + SETTLED):
        book.take(diff(number, number), 0)

    assert book.take(diff(1000, 1000), 0)[-1] == REQUEST


## Where the levels known run short


def test_a_thin_book_goes_on_and_asks_for_a_new_base() -> None:
    book = sync(limit=2)
    book.missing()
    book.rebase(base(10), 0)
    brought = book.take(diff(11, 11, (10.0, 3.0)), 0)
    again = book.take(diff(12, 12, (10.0, 4.0)), 0)
    rebased = book.rebase(Base(11, ((10.0, 3.0), (9.0, 2.0), (8.0, 1.0)), ASKS), 0)

    assert kinds(brought) == ["Snapshot", "BookRequest"]
    assert kinds(again) == ["Snapshot"]
    assert kinds(rebased) == ["Snapshot"]
    assert numbers(rebased) == [12]


## Futures: `pu` in place of numbers that count one by one


def test_futures_numbers_have_holes_and_the_prior_one_must_fit() -> None:
    book = live(10)
    first = book.take(diff(8, 15, prior=7), 0)
    second = book.take(diff(30, 40, prior=15), 0)

    assert (numbers(first), numbers(second)) == ([15], [40])


@pytest.mark.parametrize(("prior", "missed"), [(20, 5), (12, 1)])
def test_a_prior_number_that_does_not_fit_is_a_gap(prior: int, missed: int) -> None:
    book = live(10)
    book.take(diff(8, 15, prior=7), 0)

    assert book.take(diff(21, 40, prior=prior), 0)[0] == GapDetected(key=KEY, missed=missed)


def test_the_first_after_a_futures_base_must_reach_it() -> None:
    book = sync()
    book.take(diff(12, 15, prior=11), 0)

    assert kinds(book.rebase(base(9), 0)) == ["BookRequest"]
    assert numbers(book.rebase(base(12), 0)) == [15]


## Any disorder


@attrs.frozen
class Market:
    """A true book at each update, and the differences between them."""

    books: dict[int, tuple[tuple[Level, ...], tuple[Level, ...]]]
    diffs: list[Diff]

    def base(self, number: int, limit: int) -> Base:
        bids, asks = self.books[number]
        return Base(number, bids[:limit], asks[:limit])


PRICES = range(1, 25)
changes = st.lists(
    st.tuples(st.sampled_from(PRICES), st.sampled_from([0.0, 0.0, 1.0, 2.0])),
    min_size=5,
    max_size=40,
)


def market(updates: list[tuple[int, float]], cuts: set[int], step: int) -> Market:
    """Each update sets one level: a bid up to price 12, else an ask. `step` leaves holes."""
    levels = dict.fromkeys(map(float, PRICES), 1.0)
    books = {}
    for number, (price, size) in enumerate([(1, 1.0), *updates]):
        levels[float(price)] = size
        there = [level for level in sorted(levels.items()) if level[1]]
        bids = tuple(level for level in reversed(there) if level[0] <= 12)
        asks = tuple(level for level in there if level[0] > 12)
        for hole in range(step):
            books[number * step + hole] = (bids, asks)
    ends = sorted({0, len(updates)} | {cut for cut in cuts if cut < len(updates)})
    return Market(books, [_between(updates, before, end, step) for before, end in pairwise(ends)])


def _between(updates: list[tuple[int, float]], before: int, end: int, step: int) -> Diff:
    changed = {float(price): size for price, size in updates[before:end]}
    bids = [level for level in changed.items() if level[0] <= 12]
    asks = [level for level in changed.items() if level[0] > 12]
    prior = before * step if step > 1 else None
    return Diff((before + 1) * step, end * step, bids, asks, prior=prior)


@given(data=st.data(), updates=changes, step=st.sampled_from([1, 3]))
@pytest.mark.parametrize("limit", [1000, 5])
def test_whatever_comes_in_whatever_order_each_book_is_the_true_one(
    limit: int, data: st.DataObject, updates: list[tuple[int, float]], step: int
) -> None:
    true = market(updates, data.draw(st.sets(st.integers(1, 40))), step)
    steps: Any = st.lists(
        st.one_of(
            # In order, mostly; what is left out is a gap, what comes again a copy or too late.
            st.just("next"),
            st.just("next"),
            st.just("skip"),
            st.integers(0, len(true.diffs) - 1),
            st.sampled_from(sorted(true.books)).map(lambda number: ("base", number)),
        ),
        max_size=80,
    )
    book = sync(limit)
    place = 0
    brought: list[Brought] = []
    for each in data.draw(steps):
        if isinstance(each, tuple):
            brought.extend(book.rebase(true.base(each[1], limit), 0))
        elif isinstance(each, int):
            brought.extend(book.take(true.diffs[each], 0))
        elif place < len(true.diffs):
            if each == "next":
                brought.extend(book.take(true.diffs[place], 0))
            place += 1

    for snapshot in brought:
        if isinstance(snapshot, Snapshot):
            assert snapshot.sequence is not None
            bids, asks = true.books[snapshot.sequence]
            assert snapshot.bids == bids[: len(snapshot.bids)]
            assert snapshot.asks == asks[: len(snapshot.asks)]
            assert limit < 1000 or (snapshot.bids, snapshot.asks) == (bids[:20], asks[:20])
    told = [each for each in brought if isinstance(each, GapDetected | BookResynced)]
    assert all(type(one) is not type(other) for one, other in pairwise(told))


@given(updates=changes, cuts=st.sets(st.integers(1, 40)), data=st.data())
def test_without_disorder_every_difference_after_the_base_brings_its_book(
    updates: list[tuple[int, float]], cuts: set[int], data: st.DataObject
) -> None:
    true = market(updates, cuts, 1)
    number = data.draw(st.sampled_from(sorted(true.books)))
    book = sync()
    book.missing()
    first = numbers(book.rebase(true.base(number, 1000), 0))
    brought = [each for diff in true.diffs for each in numbers(book.take(diff, 0))]

    assert first == [number]
    assert brought == [diff.last for diff in true.diffs if diff.last > number]
