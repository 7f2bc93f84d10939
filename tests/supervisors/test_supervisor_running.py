"""Supervisors on real threads and in a world alike; step by step in test_supervisor.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from ticklane.messages import ChildGivenUp
from ticklane.runtime import Actor, Inbox, Reply
from ticklane.supervisors import ChildSpec, RestartPolicy, StartChild, StopChildren, Supervisor
from ticklane.supervisors.supervisor import RemoveChild

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.tests.conftest import Stage


class Child(Actor):
    """Notes what happens to it; does as it is told."""

    def __init__(self, note: Callable[[tuple[str, Any]], None], **options: Any) -> None:
        super().__init__(**options)
        self.note = note

    def on_start(self) -> None:
        self.note((self.key, "start"))

    def on_stop(self) -> None:
        self.note((self.key, "stop"))

    def on_receive(self, message: Any) -> None:
        self.note((self.key, message))
        if isinstance(message, BaseException):
            raise message


@attrs.define
class Family:
    """A supervisor with children that are brought back at once."""

    stage: Stage
    strategy: str
    children: dict[str, Inbox] = attrs.field(factory=dict)
    specs: dict[str, ChildSpec] = attrs.field(factory=dict)
    given_up: list[ChildGivenUp] = attrs.field(factory=list)
    inbox: Inbox = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.inbox = Inbox(self.stage.dispatcher)
        Supervisor.start(
            strategy=self.strategy,
            policy=RestartPolicy(backoff_first_s=0.001, backoff_cap_s=0.001),
            on_give_up=self.given_up.append,
            dispatcher=self.stage.dispatcher,
            inbox=self.inbox,
        )
        for key in "abc":
            self.add(key)
        self.stage.until(lambda: len(self.stage.notes) == 3)

    def add(self, key: str) -> None:
        inbox = self.children[key] = Inbox(self.stage.dispatcher)

        def start(supervisor: Inbox) -> object:
            here = {"dispatcher": self.stage.dispatcher, "supervisor": supervisor}
            return Child.start(self.stage.note, inbox=inbox, key=key, **here)

        self.specs[key] = ChildSpec(key, inbox, start)
        self.inbox.tell(StartChild(self.specs[key]))

    def until(self, key: str, what: Any, times: int = 1) -> None:
        self.stage.until(lambda: self.stage.notes.count((key, what)) == times)

    def told(self, key: str) -> list[Any]:
        return [what for whose, what in self.stage.notes if whose == key]

    def stop(self) -> None:
        done = Reply()
        self.inbox.tell(StopChildren(drain=False, done=done))
        self.stage.until(lambda: done.done)


@pytest.fixture
def apart(stage: Stage) -> Family:
    """Return three children that know nothing of one another."""
    return Family(stage, "one_for_one")


@pytest.fixture
def chain(stage: Stage) -> Family:
    """Return three children of which each depends on those before it."""
    return Family(stage, "rest_for_one")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_apart_who_failed_is_back_and_the_others_do_not_notice(
    apart: Family, error: BaseException
) -> None:
    apart.children["b"].tell(error)
    apart.until("b", "start", times=2)

    assert (apart.told("a"), apart.told("c")) == (["start"], ["start"])
    assert [inbox.restarts for inbox in apart.children.values()] == [0, 1, 0]


def test_what_waited_is_handled_by_the_next(apart: Family) -> None:
    error = ValueError("no")
    for message in (error, 1, 2):
        apart.children["b"].tell(message)
    apart.until("b", 2)

    assert apart.told("b") == ["start", error, "start", 1, 2]


def test_who_failed_too_often_is_given_up_with_its_last_error(apart: Family) -> None:
    errors = [ValueError(number) for number in range(5)]
    for error in errors:
        apart.children["b"].tell(error)
    apart.stage.until(lambda: bool(apart.given_up))

    assert apart.given_up == [ChildGivenUp("b", errors[3], 3)]
    assert apart.children["b"].backlog == 1
    assert [inbox.status for inbox in apart.children.values()] == [
        "running",
        "quarantined",
        "running",
    ]


def test_in_a_chain_those_after_it_are_restarted_and_those_before_it_are_not(
    chain: Family,
) -> None:
    error = ValueError("no")
    chain.children["b"].tell(error)
    chain.stage.until(lambda: len(chain.stage.notes) == 7)

    assert chain.stage.notes[3:5] == [("b", error), ("c", "stop")]
    assert sorted(chain.stage.notes[5:]) == [("b", "start"), ("c", "start")]
    assert [inbox.restarts for inbox in chain.children.values()] == [0, 1, 1]


def test_in_a_chain_those_that_depend_on_one_given_up_are_quarantined_too(chain: Family) -> None:
    for number in range(4):
        chain.children["b"].tell(ValueError(number))
    chain.stage.until(lambda: bool(chain.given_up))
    statuses = [inbox.status for inbox in chain.children.values()]

    assert statuses == ["running", "quarantined", "quarantined"]
    assert [each.key for each in chain.given_up] == ["b"]


def test_in_a_chain_children_are_stopped_one_by_one_from_the_last(chain: Family) -> None:
    chain.stop()

    assert chain.stage.notes[3:] == [("c", "stop"), ("b", "stop"), ("a", "stop")]


def test_apart_all_are_stopped(apart: Family) -> None:
    apart.stop()

    assert sorted(apart.stage.notes[3:]) == [("a", "stop"), ("b", "stop"), ("c", "stop")]
    assert [inbox.status for inbox in apart.children.values()] == ["stopped"] * 3


def test_a_child_removed_stops_and_takes_nothing_more(apart: Family) -> None:
    apart.inbox.tell(RemoveChild(apart.specs["b"]))
    apart.until("b", "stop")
    dead_letters = apart.stage.dispatcher.dead_letters
    apart.stage.until(lambda: apart.children["b"].actor is None)
    apart.stop()
    apart.children["b"].tell("hello")

    assert apart.told("b") == ["start", "stop"]
    assert dead_letters.counts() == {"stopped": 1}
