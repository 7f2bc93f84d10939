"""Each invariant holds where all is well, and says what is wrong where it is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ticklane import Snapshot
from ticklane.messages import SequenceReset
from ticklane.simulation import Stall, World
from ticklane.simulation import invariants as of
from ticklane.simulation.expectations import Expectations
from ticklane.supervisors import MarketData

KEY = "binance:A"


def book(number: int, price: float = 1.0) -> Snapshot:
    return Snapshot("binance", "A", ((price, 1.0),), ((price + 1, 1.0),), sequence=number)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def market(world: World) -> Iterator[MarketData]:
    with MarketData(symbols=[KEY], dispatcher=world, capacity=3) as market:
        yield market


@pytest.fixture
def watched(market: MarketData) -> of.Watched:
    watched = of.Watched(KEY, market.vitals().mailboxes[KEY])
    market.subscribe(KEY, watched.handle, on_event=watched.on_event)
    return watched


def a_box(**fields: Any) -> of.Watched:
    """Return a watched mailbox in a state that no real one should ever be in."""
    names = ("offered", "accepted", "handled", "failed", "lost", "rejected", "depth")
    counts = dict.fromkeys(names, 0)
    rest = {"capacity": 1, "status": "running", "actor": object(), "latest": None}
    return of.Watched(KEY, SimpleNamespace(**(counts | rest | fields)))  # type: ignore[arg-type]


def all_wrong(watched: of.Watched) -> list[str | None]:
    return [invariant(watched) for invariant in of.SYMBOL_INVARIANTS]


def scenery(watched: of.Watched, now_s: float = 0.0) -> of.Scenery:
    return of.Scenery([watched], Expectations(()), now_s=now_s)


def test_all_hold_in_a_market_that_works(
    world: World, market: MarketData, watched: of.Watched
) -> None:
    for number in (1, 2, 3, 4, 5, 5, 2):
        market.offer(book(number))
        assert all_wrong(watched) == [None] * 4
    world.run_for(1.0)

    assert all_wrong(watched) == [None] * 4
    assert [what for each in of.INVARIANTS for what in each(scenery(watched))] == []


def test_a_snapshot_not_accounted_for_is_told() -> None:
    assert of.counts_add_up(a_box(offered=3, handled=1, depth=1)) == (
        "3 offered to binance:A, and 2 accounted for"
    )


def test_a_mailbox_that_is_too_full_is_told() -> None:
    assert of.depth_is_bounded(a_box(depth=2)) == "2 wait for binance:A, over 1"


@pytest.mark.parametrize("second", [book(1, 5.0), book(2)])
def test_a_snapshot_out_of_order_is_told(second: Snapshot) -> None:
    watched = a_box()
    for each in (book(2), second):
        watched.handle(each)

    assert "was handled after number 2" in str(of.snapshots_come_in_order(watched))


def test_another_book_of_the_same_number_is_in_order() -> None:
    watched = a_box()
    for each in (book(2), book(2, 5.0)):
        watched.handle(each)

    assert of.snapshots_come_in_order(watched) is None


def test_after_a_reset_a_snapshot_may_be_older_once() -> None:
    watched = a_box()
    watched.handle(book(9))
    watched.on_event(SequenceReset(key=KEY))
    watched.handle(book(1))
    assert of.snapshots_come_in_order(watched) is None
    watched.handle(book(1))

    assert of.snapshots_come_in_order(watched) is not None


def test_a_latest_that_is_gone_is_told() -> None:
    watched = a_box(latest=book(1))
    assert of.latest_never_goes_back(watched) is None
    box: Any = watched.mailbox
    box.latest = None

    assert "has none" in str(of.latest_never_goes_back(watched))


def test_a_latest_that_goes_back_must_be_told_as_a_reset() -> None:
    watched = a_box(latest=book(9))
    of.latest_never_goes_back(watched)
    box: Any = watched.mailbox
    box.latest = book(1)
    of.latest_never_goes_back(watched)
    assert [*of.resets_are_told(scenery(watched, 1.0))] == []
    assert len([*of.resets_are_told(scenery(watched, 62.0))]) == 1
    watched.on_event(SequenceReset(key=KEY))

    assert [*of.resets_are_told(scenery(watched, 63.0))] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "restarting"}, "binance:A is restarting for long"),
        ({"actor": None}, "binance:A is running for long"),
        ({"status": "quarantined"}, "binance:A is quarantined, and that was not reported"),
    ],
)
def test_a_crash_that_nobody_answers_is_told(fields: dict[str, Any], said: str) -> None:
    watched = a_box(**fields)

    assert [*of.crashes_are_answered(scenery(watched, 1.0))] == []
    assert [*of.crashes_are_answered(scenery(watched, 60.0))] == []
    assert [*of.crashes_are_answered(scenery(watched, 62.0))] == [said]


def test_a_symbol_given_up_and_reported_is_an_answer() -> None:
    watched, seen = a_box(status="quarantined"), scenery(a_box())
    seen.watched, seen.reported = [watched], {KEY}
    for seen.now_s in (1.0, 100.0):
        assert [*of.crashes_are_answered(seen)] == []


def stuck(watched: of.Watched, *at_s: float) -> list[str]:
    return [what for now_s in at_s for what in of.what_waits_is_handled(scenery(watched, now_s))]


def test_what_waits_for_ever_is_told() -> None:
    watched = a_box(accepted=5, depth=2)

    assert stuck(watched, 0.0, 1.0, 11.0) == []
    assert stuck(watched, 11.1) == ["snapshots wait for binance:A, and its handler is given none"]


@pytest.mark.parametrize(
    "fields", [{"status": "quarantined"}, {"status": "restarting"}, {"actor": None}, {"depth": 0}]
)
def test_it_may_wait_where_no_actor_runs(fields: dict[str, Any]) -> None:
    assert stuck(a_box(**{"accepted": 5, "depth": 2, **fields}), *range(100)) == []


def test_it_may_wait_for_a_handler_that_is_busy() -> None:
    watched = a_box(accepted=5, depth=2)
    watched.busy = True

    assert stuck(watched, *range(100)) == []


def test_it_may_wait_as_long_as_those_before_it_are_handled() -> None:
    watched = a_box(depth=2)
    box: Any = watched.mailbox
    for now_s in range(0, 100, 9):
        box.accepted += 1

        assert stuck(watched, now_s) == []


def test_a_fault_not_noticed_is_told() -> None:
    plan = [Stall(1.0, "binance", seconds=60.0)]
    seen = of.Scenery([], Expectations(plan), now_s=100.0)
    seen.expectations.begun(plan[0], 1.0)

    assert len([*of.faults_are_noticed(seen)]) == 1


def test_what_is_left_after_the_stop_is_told() -> None:
    actor: Any = "SymbolActor"
    remains = of.Remains(
        threads=[threading.current_thread()],
        actors=[actor],
        connections={"upbit": 2, "bybit": 0},
        timers=3,
    )

    assert [what for each in of.LEFTOVERS for what in each(remains)] == [
        f"thread {threading.current_thread().name}",
        "actor SymbolActor",
        "2 connections to upbit",
        "3 timers",
    ]
