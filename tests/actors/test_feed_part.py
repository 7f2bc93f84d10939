"""What consumers hear of the connections that bring their symbols."""

import itertools
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.actors import FeedPart
from ticklane.messages import (
    BookResynced,
    FeedConnected,
    FeedLost,
    FeedStalled,
    GapDetected,
    SequenceReset,
    Snapshot,
)
from ticklane.runtime import Mailbox
from ticklane.simulation import World


@attrs.frozen(eq=False)
class One:
    """A connection, as far as a part looks at it."""

    name: str
    url: str = "ws://somewhere"


def told(part: FeedPart, symbol: str = "BTC") -> list[Any]:
    return [event for _, event in part.mailboxes[symbol]._events]


def kinds(part: FeedPart, symbol: str = "BTC") -> list[str]:
    return [type(event).__name__ for event in told(part, symbol)]


def new_part(redundancy: int = 1) -> FeedPart:
    world = World()
    mailboxes = {name: Mailbox(f"upbit:{name}", world) for name in ("BTC", "ETH")}
    return FeedPart(mailboxes, redundancy)


@pytest.fixture
def part() -> FeedPart:
    return new_part()


@pytest.fixture
def pair() -> FeedPart:
    return new_part(redundancy=2)


def test_every_symbol_hears_of_the_connection_and_of_its_loss(part: FeedPart) -> None:
    only: Any = One("upbit")
    part.opened(only)
    part.closed(only, "the cable")

    assert [told(part, name) for name in ("BTC", "ETH")] == [
        [FeedConnected(key=key, url="ws://somewhere"), FeedLost(key=key, reason="the cable")]
        for key in ("upbit:BTC", "upbit:ETH")
    ]


def test_a_connection_that_cannot_be_made_is_told_once(part: FeedPart) -> None:
    for _ in range(3):
        part.closed(One("upbit"), "refused")  # type: ignore[arg-type]

    assert kinds(part) == ["FeedLost"]


def test_only_the_first_of_a_pair_is_heard_of_and_only_the_last_is_missed(pair: FeedPart) -> None:
    first: Any = One("upbit")
    second: Any = One("upbit#2")
    pair.opened(first)
    pair.opened(second)
    pair.closed(first, "the cable")
    silent = kinds(pair)
    pair.closed(second, "the other cable")

    assert silent == ["FeedConnected"]
    assert told(pair)[-1] == FeedLost(key="upbit:BTC", reason="the other cable")


def test_one_of_a_pair_that_cannot_be_made_is_no_loss_yet(pair: FeedPart) -> None:
    pair.closed(One("upbit"), "refused")  # type: ignore[arg-type]
    before = kinds(pair)
    pair.closed(One("upbit#2"), "refused")  # type: ignore[arg-type]

    assert (before, kinds(pair)) == ([], ["FeedLost"])


def test_a_symbol_added_hears_at_once_that_it_is_connected(part: FeedPart) -> None:
    part.opened(One("upbit"))  # type: ignore[arg-type]
    part.add("XRP", Mailbox("upbit:XRP", World()))

    assert told(part, "XRP") == [FeedConnected(key="upbit:XRP", url="ws://somewhere")]
    assert part.symbols == ("BTC", "ETH", "XRP")


def test_a_symbol_added_to_what_is_lost_hears_nothing_yet(part: FeedPart) -> None:
    part.add("XRP", Mailbox("upbit:XRP", World()))

    assert kinds(part, "XRP") == []


def test_a_symbol_removed_hears_nothing_more(part: FeedPart) -> None:
    mailbox = part.mailboxes["ETH"]
    part.remove("ETH")
    part.remove("ETH")
    part.opened(One("upbit"))  # type: ignore[arg-type]
    part.post("ETH", BookResynced(key="upbit:ETH"))
    part.quiet("ETH", 5.0)

    assert mailbox._events == []
    assert part.symbols == ("BTC",)


def test_a_stall_is_told_where_no_other_connection_is_there(pair: FeedPart) -> None:
    first: Any = One("upbit")
    second: Any = One("upbit#2")
    pair.opened(first)
    pair.opened(second)
    pair.stalled(first, 12.0)
    pair.closed(second, "the cable")
    pair.stalled(first, 13.0)

    assert told(pair)[1:] == [FeedStalled(key="upbit:BTC", silence_s=13.0)]


GAP, END = GapDetected(key="upbit:BTC", missed=1), BookResynced(key="upbit:BTC")


def brings_a_book(part: FeedPart, number: int = 1) -> None:
    book = Snapshot("upbit", "BTC", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)
    part.mailboxes["BTC"].offer(book)


def test_a_gap_that_a_pair_sees_is_told_once_and_so_is_its_end(pair: FeedPart) -> None:
    for event in (GAP, GAP, END, END):
        pair.post("BTC", event)

    assert told(pair) == [GAP, END]


def test_a_gap_ends_when_another_connection_has_brought_a_book(pair: FeedPart) -> None:
    brings_a_book(pair, 1)
    pair.post("BTC", GAP)
    pair.note_filled()
    before = kinds(pair)
    brings_a_book(pair, 2)
    pair.note_filled()
    pair.note_filled()

    assert before == ["GapDetected"]
    assert told(pair) == [GAP, END]


def test_a_gap_that_ends_with_the_connection_has_no_other_end(part: FeedPart) -> None:
    only: Any = One("upbit")
    part.opened(only)
    part.post("BTC", GAP)
    part.closed(only, "the cable")
    brings_a_book(part)
    part.note_filled()

    assert kinds(part) == ["FeedConnected", "GapDetected", "FeedLost"]


def test_a_gap_keeps_nothing_else_from_being_told(part: FeedPart) -> None:
    part.post("BTC", GAP)
    part.post("BTC", SequenceReset(key="upbit:BTC"))

    assert kinds(part) == ["GapDetected", "SequenceReset"]


def test_a_symbol_removed_in_a_gap_begins_without_one(part: FeedPart) -> None:
    part.post("BTC", GAP)
    part.remove("BTC")
    part.note_filled()
    part.add("BTC", Mailbox("upbit:BTC", World()))
    part.post("BTC", GAP)

    assert kinds(part) == ["GapDetected"]


@given(st.lists(st.sampled_from([GAP, END, None]), max_size=30))
def test_consumers_hear_of_gaps_and_of_their_ends_in_turn(steps: list[Any]) -> None:
    part = new_part(redundancy=2)
    model: list[Any] = []
    for number, event in enumerate(steps):
        if event is None:
            brings_a_book(part, number)
            part.note_filled()
        else:
            part.post("BTC", event)
        now, open_ = event or END, model[-1:] == [GAP]
        model += [now] if (now is END) is open_ else []

    assert told(part) == model


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_consumers_know_whether_any_connection_is_there(steps: list[tuple[str, bool]]) -> None:
    part = new_part(redundancy=3)
    there: dict[str, Any] = {}
    for name, opens in steps:
        if opens and name not in there:
            there[name] = One(name)
            part.opened(there[name])
        elif not opens:
            part.closed(there.pop(name, One(name)), "lost")
        heard = kinds(part)
        assert all(first != second for first, second in itertools.pairwise(heard))
        if there:
            assert heard[-1] == "FeedConnected"
        else:
            assert "FeedConnected" not in heard or heard[-1] == "FeedLost"
