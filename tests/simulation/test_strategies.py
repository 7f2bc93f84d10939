"""What Hypothesis is given to draw: books, events and orders as they may really come."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from ticklane import Feed
from ticklane.messages import (
    BookResynced,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedStalled,
    GapDetected,
    InvalidOption,
    Outcome,
    SequenceReset,
    Snapshot,
)
from ticklane.runtime import Inbox, Mailbox
from ticklane.simulation import World
from ticklane.simulation.book_walk import STAMPS
from ticklane.simulation.fault_plan import parse_plan, write_plan
from ticklane.simulation.strategies import (
    fault_plans,
    feed_events,
    interleavings,
    moving_books,
    snapshots,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

KEY = "binance:BTCUSDT"
ALLOWED_AFTER: dict[type | None, set[type]] = {
    None: {FeedConnected},
    FeedConnected: {FeedLost, FeedStalled, GapDetected, SequenceReset},
    FeedLost: {FeedConnected},
    FeedStalled: {FeedLost},
    GapDetected: {BookResynced, FeedLost},
    BookResynced: {FeedLost, FeedStalled, GapDetected, SequenceReset},
    SequenceReset: {FeedLost, FeedStalled, GapDetected, SequenceReset},
}


def stamp(book: Snapshot) -> int:
    number = book.sequence if book.sequence is not None else book.exchange_time_ms
    assert number is not None
    return number


def drawn(strategy: SearchStrategy[T], condition: Callable[[T], bool]) -> T:
    """Return an example, whichever comes first: to find the smallest takes long."""
    return find(strategy, condition, settings=settings(phases=[Phase.generate]))


## Books


@given(snapshots(KEY))
def test_a_book_is_whole_and_of_its_key(book: Snapshot) -> None:
    bids = [price for price, _ in book.bids]
    asks = [price for price, _ in book.asks]

    assert book.key == KEY
    assert bids[-1] > 0
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert book.spread is not None
    assert book.spread > 0
    assert all(size > 0 for _, size in (*book.bids, *book.asks))


@given(snapshots(levels=(2, 3)))
def test_a_side_has_as_many_levels_as_asked_for(book: Snapshot) -> None:
    assert {len(book.bids), len(book.asks)} <= {2, 3}


def test_a_side_may_be_empty_where_that_is_asked_for() -> None:
    book = drawn(snapshots(levels=(0, 2)), lambda book: not book.bids and bool(book.asks))

    assert book.best_bid is None


@pytest.mark.parametrize(
    ("kind", "has"),
    [
        ("time", (True, False)),
        ("sequence", (False, True)),
        ("both", (True, True)),
        ("none", (False, False)),
    ],
)
def test_a_book_says_of_when_it_was_what_is_asked_for(kind: str, has: tuple[bool, bool]) -> None:
    book = drawn(snapshots(stamps=[kind]), lambda _: True)

    assert (book.exchange_time_ms is not None, book.sequence is not None) == has


def test_every_kind_of_stamp_is_drawn() -> None:
    kinds: set[tuple[bool, bool]] = set()

    @given(snapshots())
    def look(book: Snapshot) -> None:
        kinds.add((book.exchange_time_ms is not None, book.sequence is not None))

    look()

    assert len(kinds) == len(STAMPS)


@given(moving_books(KEY, stamps=["sequence"], twins=False))
def test_without_twins_and_resets_every_book_is_newer(books: list[Snapshot]) -> None:
    assert all(stamp(one) < stamp(other) for one, other in pairwise(books))


@given(moving_books(KEY, stamps=["time", "sequence", "both"]))
def test_a_mailbox_takes_each_book_that_is_no_copy(books: list[Snapshot]) -> None:
    mailbox = Mailbox(KEY, World())
    outcomes = [mailbox.offer(book) for book in books]

    for (before, book), outcome in zip(pairwise(books), outcomes[1:], strict=True):
        assert outcome in {Outcome.ACCEPTED, Outcome.REJECTED}
        assert outcome or stamp(before) == stamp(book)


@given(st.data())
def test_a_plan_of_faults_is_of_what_the_feeds_bring_in_order_of_time(data: st.DataObject) -> None:
    feeds = [Feed("upbit", ["KRW-BTC"]), Feed("binance", ["BTCUSDT"])]
    plan = data.draw(fault_plans(feeds, seconds=60))

    assert [each.at_s for each in plan] == sorted(each.at_s for each in plan)
    assert all(0 <= each.at_s <= 60 for each in plan)
    assert {each.place for each in plan} <= {"", "upbit", "binance", "upbit:KRW-BTC", KEY}
    assert parse_plan(write_plan(plan)) == plan


def test_twins_are_drawn_different_ones_and_copies() -> None:
    def has_twin(books: list[Snapshot], copy: bool) -> bool:
        return any(
            stamp(one) == stamp(other) and (one == other) is copy for one, other in pairwise(books)
        )

    for copy in (True, False):
        drawn(moving_books(stamps=["time"]), lambda books, copy=copy: has_twin(books, copy))


def test_numbers_begin_again_where_that_is_asked_for() -> None:
    books = drawn(
        moving_books(KEY, stamps=["sequence"], resets=True),
        lambda books: any(stamp(one) > stamp(other) for one, other in pairwise(books)),
    )

    assert books[0].key == KEY


@given(st.data())
def test_a_walk_goes_on_after_a_book(data: st.DataObject) -> None:
    before = data.draw(snapshots(KEY, stamps=["both"]))
    book, *_ = data.draw(moving_books(KEY, after=before, twins=False, min_size=1))
    assert before.best_bid is not None
    assert book.best_bid is not None

    assert abs(book.best_bid - before.best_bid) <= 0.05 + 1e-9
    assert stamp(book) > stamp(before)
    assert book.exchange_time_ms is not None


def test_a_key_without_an_exchange_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="of the form exchange:SYMBOL"):
        snapshots("KRW-BTC")


def test_an_unknown_kind_of_stamp_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(InvalidOption, match="some of time, sequence, both, none"):
        moving_books(stamps=["clock"])


## Events


@given(feed_events(KEY))
def test_events_come_in_an_order_they_may_have(events: list[FeedEvent]) -> None:
    kinds = [None, *map(type, events)]

    assert all(event.key == KEY for event in events)
    assert all(after in ALLOWED_AFTER[before] for before, after in pairwise(kinds) if after)


@pytest.mark.parametrize(
    "kind",
    [FeedConnected, FeedLost, FeedStalled, GapDetected, BookResynced, SequenceReset],
)
def test_every_kind_of_event_is_drawn(kind: type[FeedEvent]) -> None:
    events = drawn(feed_events(), lambda events: any(isinstance(each, kind) for each in events))

    assert isinstance(events[0], FeedConnected)


## Interleavings


def run_order(choose: Callable[[int], int]) -> list[str]:
    """Return in which order three inboxes that are ready are run."""
    order: list[str] = []

    class Noted(Inbox):
        def __init__(self, world: World, name: str) -> None:
            super().__init__(world)
            self.name = name

        def run(self, throughput: int) -> None:
            assert throughput == 1
            order.append(self.name)

    world = World(choose=choose)
    for name in "abc":
        world.submit(Noted(world, name))
    while world.step():
        pass
    return order


def test_first_come_first_served_is_the_simplest_order() -> None:
    order = find(interleavings().map(run_order), lambda _: True)

    assert order == ["a", "b", "c"]


def test_every_order_is_drawn() -> None:
    for wanted in ("abc", "acb", "bac", "bca", "cab", "cba"):
        drawn(interleavings().map(run_order), lambda order, wanted=wanted: "".join(order) == wanted)


def test_a_choice_is_hypothesis_s_only_so_often() -> None:
    orders: set[str] = set()

    @given(interleavings(1))
    def look(choose: Callable[[int], int]) -> None:
        orders.add("".join(run_order(choose)))

    look()

    assert orders == {"abc", "bac", "cab"}


## The extra


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def test_the_test_kit_does_not_need_hypothesis() -> None:
    code = "import sys, ticklane.simulation; assert 'hypothesis' not in sys.modules"

    run(code)


@pytest.mark.parametrize("module", ["strategies", "market_machine"])
def test_without_hypothesis_the_error_says_what_to_install(module: str) -> None:
    code = (
        "import sys\n"
        "sys.modules['hypothesis'] = None\n"
        "import ticklane.messages\n"
        "try:\n"
        f"    import ticklane.simulation.{module}\n"
        "except ticklane.messages.MissingExtra as error:\n"
        "    print(error)\n"
    )
    told = run(code)

    assert f"ticklane.simulation.{module} needs an extra" in told
    assert "pip install 'ticklane[simulation]'" in told
