"""The life of a connection: the table, and the actor held against a model of it."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ticklane.actors import CONNECTION_STATES
from ticklane.messages import ConnectionEnding, FeedConnected, FeedLost, FeedStalled, Refusal

OPEN = {"subscribing", "streaming", "rolling", "stalled"}
REFUSALS = [None, Refusal("rate limit"), Refusal("ban", 30.0), Refusal("certificate")]


## The table


def test_every_state_leads_to_states_there_are() -> None:
    reached = {state for row in CONNECTION_STATES.values() for state in row.values()}

    assert reached == CONNECTION_STATES.keys() - {"idle"}


def test_every_state_but_the_last_can_be_stopped() -> None:
    rows = {state: row for state, row in CONNECTION_STATES.items() if state != "stopped"}

    assert {row["stop"] for row in rows.values()} == {"stopped"}
    assert CONNECTION_STATES["stopped"] == {}


def test_from_everywhere_streaming_can_be_reached_again() -> None:
    leads = {"streaming"}
    for _ in CONNECTION_STATES:
        leads |= {state for state, row in CONNECTION_STATES.items() if leads & {*row.values()}}

    assert leads == CONNECTION_STATES.keys() - {"stopped"}


def test_the_documentation_has_the_same_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text("utf-8")
    steps = {
        f"| {state} | {event} | {after} |"
        for state, row in CONNECTION_STATES.items()
        for event, after in row.items()
        if event != "stop"
    }

    assert steps <= set(text.splitlines())
    assert text.count("| backoff |\n") + text.count("| streaming |\n") == sum(
        step.endswith(("| backoff |", "| streaming |")) for step in steps
    )


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_lost_connection_waits_before_the_next_unless_another_takes_over(state: str) -> None:
    assert CONNECTION_STATES[state]["lost"] == "backoff"


## The actor


class Life(RuleBasedStateMachine):
    """One feed with wires that open, bring, fall silent and break in any order.

    What is held: the state is what the wires are, consumers hear connected and lost in turn and
    the last word is right, at most one connection and one successor are there, and whatever
    happened a connection is made again.
    """

    new_playground: Any

    @initialize()
    def start(self) -> None:
        playground = self.new_playground("upbit", ("BTC", "ETH"), url=("ws://a", "ws://b"))
        playground.wires.obedient = True
        self.playground = playground.start()
        self.ended = False

    @property
    def live(self) -> list[Any]:
        return [wire for wire in self.playground.wires.made if not wire.gone]

    def opened(self, wire: Any) -> bool:
        return wire.receiver in self.playground.part._open

    @rule(which=st.integers(0, 3))
    def opens(self, which: int) -> None:
        for wire in self.live[which : which + 1]:
            if not self.opened(wire):
                wire.opens()

    @rule(which=st.integers(0, 3), symbols=st.sampled_from([("BTC",), ("ETH", "BTC")]))
    def brings(self, which: int, symbols: tuple[str, ...]) -> None:
        for wire in self.live[which : which + 1]:
            if self.opened(wire):
                wire.brings(*symbols)

    @rule(which=st.integers(0, 3), answers=st.booleans())
    def answers_pings(self, which: int, *, answers: bool) -> None:
        for wire in self.live[which : which + 1]:
            wire.answers = answers

    @rule(which=st.integers(0, 3), refusal=st.sampled_from(REFUSALS))
    def is_lost(self, which: int, refusal: Refusal | None) -> None:
        for wire in self.live[which : which + 1]:
            wire.is_lost("the cable", None if self.opened(wire) else refusal)

    @precondition(lambda self: not self.ended)
    @rule()
    def is_to_end(self) -> None:
        line = self.playground.inbox.actor._line
        if line is not None and line.connection in self.playground.part._open:
            line.connection._feed.tell(ConnectionEnding(line.connection))
            self.playground.world.run_for(0.0)

    @rule(seconds=st.sampled_from([0.5, 3.0, 12.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.playground.world.run_for(seconds)

    @precondition(lambda self: not self.ended)
    @rule()
    def stops(self) -> None:
        self.ended = True
        self.playground.end()
        self.playground.world.run_for(0.1)

    @invariant()
    def consumers_hear_connected_and_lost_in_turn(self) -> None:
        told = [
            type(event)
            for event in self.playground.events("BTC")
            if not isinstance(event, FeedStalled)
        ]
        assert all(first is not second for first, second in itertools.pairwise(told))
        if any(self.opened(wire) for wire in self.live):
            assert told[-1] is FeedConnected
        elif told:
            assert told[-1] is FeedLost

    @invariant()
    def the_state_is_what_the_wires_are(self) -> None:
        status = self.playground.status
        live = self.live
        assert len(live) <= 2 or status.state in {"rolling", "stalled"}
        if self.ended:
            assert (status.state, live, self.playground.inbox.actor) == ("stopped", [], None)
        elif status.state == "backoff":
            assert status.connection is None
        elif status.state in OPEN:
            assert status.connection in self.playground.part._open

    def teardown(self) -> None:
        if self.ended:
            return
        made = len(self.playground.wires.made)
        for wire in self.live:
            wire.is_lost()
        self.playground.world.run_for(100.0)
        assert len(self.playground.wires.made) > made
        self.playground.end()


def test_whatever_happens_the_actor_lives_by_its_table(new_playground: Any) -> None:
    class Living(Life):
        pass

    Living.new_playground = staticmethod(new_playground)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Living, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )
