"""Virtual time: who runs, when, and that it is always the same."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from ticklane import MarketData, Snapshot
from ticklane.messages import Deadlock, InvalidOption
from ticklane.runtime import Actor, Dispatching, Inbox
from ticklane.simulation import World

SCRIPT = """
from ticklane import MarketData, Snapshot
from ticklane.simulation import World

world = World(seed={seed})
market = MarketData(symbols=["x:A", "x:B", "x:C"], dispatcher=world)
def fail_now_and_then(snapshot):
    if snapshot.sequence % 7 == 0:
        raise ValueError
market.subscribe("x:A", lambda _: world.spend(0.02))
market.subscribe("x:B", fail_now_and_then)
with market:
    for number in range(1, 51):
        for symbol in "ABC":
            market.offer(Snapshot("x", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=number))
        world.run_for(0.01)
print(world.trace_hash)
"""


def trace(seed: int) -> str:
    command = [sys.executable, "-c", SCRIPT.format(seed=seed)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


class Echo(Actor):
    """Answers what it is asked; asks somebody else first, if told to."""

    def __init__(self, *, dispatcher: Dispatching, key: str = "echo") -> None:
        super().__init__(dispatcher=dispatcher, key=key)
        self.friend: Any = None

    def on_receive(self, message: Any) -> Any:
        if message == "ask your friend":
            return self.friend.ask("hello")
        return message

    def know(self, friend: Any) -> None:
        self.friend = friend


class Noting(Actor):
    """Writes its name into a list, once for each message."""

    def __init__(self, notes: list[str], *, dispatcher: Dispatching, key: str) -> None:
        super().__init__(dispatcher=dispatcher, key=key)
        self.notes = notes

    def on_receive(self, message: Any) -> Any:
        del message
        self.notes.append(self.key)


def order(world: World) -> str:
    """Return in which order three actors are run that become ready at once."""
    notes: list[str] = []
    refs = [Noting.start(notes, dispatcher=world, key=key) for key in "ABC"]
    for ref in refs:
        ref.tell("go")
    world.run_for(0.0)
    return "".join(notes)


def test_the_same_seed_gives_the_same_trace_in_two_processes() -> None:
    assert trace(1) == trace(1)


def test_another_seed_gives_another_trace() -> None:
    assert trace(1) != trace(2)


def test_nothing_happens_by_itself() -> None:
    world = World()
    notes: list[str] = []
    Noting.start(notes, dispatcher=world, key="A").tell("go")

    assert notes == []


def test_the_order_of_those_ready_depends_on_the_seed() -> None:
    assert {order(World(seed)) for seed in range(50)} == {
        "ABC", "ACB", "BAC", "BCA", "CAB", "CBA",
    }  # fmt: skip


@given(st.data())
def test_hypothesis_may_decide_who_is_next(data: st.DataObject) -> None:
    world = World(choose=lambda n: data.draw(st.integers(0, n - 1)))

    assert sorted(order(world)) == ["A", "B", "C"]


def test_an_interleaving_that_fails_shrinks() -> None:
    def out_of_order(choices: list[int]) -> bool:
        left = iter(choices)
        return order(World(choose=lambda n: next(left, 0) % n)) != "ABC"

    assert find(st.lists(st.integers(0, 5)), out_of_order) == [1]


def test_the_clock_jumps_from_timer_to_timer() -> None:
    world = World()
    start = world.clock.now_ns()
    seen: list[int] = []
    for delay_s in (3.0, 1.0, 2.0):
        world.call_later(delay_s, lambda: seen.append(world.clock.now_ns() - start))
    world.run_for(10.0)

    assert seen == [1_000_000_000, 2_000_000_000, 3_000_000_000]
    assert world.clock.now_ns() - start == 10_000_000_000


def test_timers_due_together_fire_in_the_order_they_were_made() -> None:
    world, seen = World(), list[int]()
    for number in range(5):
        world.call_later(1.0, lambda number=number: seen.append(number))  # type: ignore[misc]
    world.run_for(1.0)

    assert seen == [0, 1, 2, 3, 4]


def test_a_handler_that_spends_time_lets_the_others_go_on() -> None:
    world, seen = World(), list[str]()
    market = MarketData(symbols=["x:A", "x:B"], dispatcher=world)

    def slow(_: Snapshot) -> None:
        seen.append("A")
        world.spend(1.0)

    market.subscribe("x:A", slow)
    market.subscribe("x:B", lambda _: seen.append("B"))
    with market:
        for number in (1, 2):
            for symbol in "AB":
                book = Snapshot("x", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)
                market.offer(book)
        world.run_for(0.5)
        half_way = sorted(seen)
        world.run_for(1.0)
        lag_ms = market.queue("x:A").lag_ms

    assert half_way == ["A", "B", "B"]
    assert sorted(seen) == ["A", "A", "B", "B"]
    assert lag_ms == pytest.approx(1000.0)


def test_spending_outside_a_handler_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="called by a handler"):
        World().spend(1.0)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, None, "1"])
def test_a_time_that_is_no_number_is_an_error_that_names_it(seconds: Any) -> None:
    world = World()
    calls: list[Callable[[], object]] = [
        lambda: world.run_for(seconds),
        lambda: world.run_until(lambda: True, timeout=seconds),
        lambda: world.slow("upbit:KRW-BTC", seconds),
    ]

    for call in calls:
        with pytest.raises(InvalidOption, match=f"be a finite number of seconds, not {seconds!r}"):
            call()


def test_asking_runs_the_world_until_the_answer_is_there() -> None:
    world = World()
    one, other = Echo.start(dispatcher=world), Echo.start(dispatcher=world)
    one.proxy().know(other)

    assert one.ask("ask your friend") == "hello"


def test_two_that_ask_each_other_are_a_deadlock_that_says_who_waits_for_whom() -> None:
    world = World()
    one = Echo.start(dispatcher=world, key="one")
    other = Echo.start(dispatcher=world, key="other")
    one.proxy().know(other).get()

    class Back(Echo):
        def on_receive(self, message: Any) -> Any:
            return one.ask(message)

    back = Back.start(dispatcher=world, key="back")
    one.proxy().know(back).get()

    with pytest.raises(Deadlock) as caught:
        one.ask("ask your friend")
    assert str(caught.value) == (
        "deadlock: the caller waits for one, and one waits for back, and back waits for one"
    )


def test_an_answer_that_nobody_will_give_is_a_deadlock() -> None:
    world = World()
    forgotten = Inbox(world)
    echo = Echo.start(dispatcher=world)
    echo.actor_inbox = forgotten

    with pytest.raises(Deadlock, match="the caller waits for a dead actor"):
        echo.ask("hello")


def test_a_time_limit_is_virtual() -> None:
    world = World()
    echo = Echo.start(dispatcher=world)
    echo.actor_inbox = Inbox(world)
    start = world.clock.now_ns()
    world.call_later(1000.0, lambda: None)

    with pytest.raises(pykka.Timeout):
        echo.ask("hello", timeout=500.0)
    assert world.clock.now_ns() - start <= 500_000_000_000


def test_a_million_virtual_seconds_pass_at_once() -> None:
    world = World()
    with MarketData(symbols=["x:A"], dispatcher=world, interval_s=1000.0) as market:
        world.run_for(1e6)

        assert market.report().entries == 1000


def test_what_is_due_at_one_moment_is_there_to_choose_from() -> None:
    def order_of_timers(seed: int) -> str:
        world, notes = World(seed), list[str]()
        refs = [Noting.start(notes, dispatcher=world, key=key) for key in "AB"]
        world.run_for(0.0)
        for ref in refs:
            world.call_later(1.0, lambda ref=ref: ref.tell("go"))  # type: ignore[misc]
        world.run_for(1.0)
        return "".join(notes)

    assert {order_of_timers(seed) for seed in range(20)} == {"AB", "BA"}


def test_an_actor_that_is_made_slow_spends_time_on_each_message() -> None:
    world, notes = World(), list[str]()
    ref = Noting.start(notes, dispatcher=world, key="A")
    world.run_for(0.0)
    world.slow("A", 1.0)
    for _ in range(3):
        ref.tell("go")
    world.run_for(1.5)
    slow = len(notes)
    world.slow("A", 0.0)
    world.run_for(1.0)

    assert (slow, len(notes)) == (2, 3)


def test_a_call_that_raises_ends_the_run_only_where_it_is_simulated() -> None:
    world = World()
    world.call_later(1.0, lambda: 1 / 0)
    world.run_for(2.0)
    world.call_at(world.clock.now_ns(), lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        world.run_for(1.0)
