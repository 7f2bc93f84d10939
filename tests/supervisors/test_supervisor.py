"""Who is restarted, when, and who is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ticklane.messages import ChildGivenUp, InvalidOption
from ticklane.runtime import Actor, Inbox, Reply
from ticklane.supervisors import ChildSpec, RestartPolicy, StartChild, StopChildren, Supervisor
from ticklane.supervisors.supervisor import RemoveChild

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stepped


class Child(Actor):
    """Notes what happens to it; does as it is told."""

    def __init__(self, log: list[tuple[str, Any]], broken: set[str], **options: Any) -> None:
        super().__init__(**options)
        if "constructor" in broken:
            raise ValueError("cannot be made")
        self.log = log
        self.broken = broken

    def on_start(self) -> None:
        if self.key in self.broken:
            raise ValueError("cannot start")
        self.log.append((self.key, "start"))

    def on_stop(self) -> None:
        self.log.append((self.key, "stop"))

    def on_receive(self, message: Any) -> None:
        if isinstance(message, BaseException):
            raise message
        self.log.append((self.key, message))


class Family:
    """A supervisor with children in virtual time."""

    def __init__(self, stepped: Stepped, strategy: str, keys: str, **policy: Any) -> None:
        self.stepped = stepped
        self.log: list[tuple[str, Any]] = []
        self.given_up: list[ChildGivenUp] = []
        self.broken: set[str] = set()
        self.inbox = Inbox(stepped)
        self.children: dict[str, Inbox] = {}
        self.specs: dict[str, ChildSpec] = {}
        self.ref = Supervisor.start(
            strategy=strategy,
            policy=RestartPolicy(**policy),
            on_give_up=self.given_up.append,
            dispatcher=stepped,
            inbox=self.inbox,
        )
        for key in keys:
            self.add(key)
        stepped.run()

    def add(self, key: str) -> None:
        inbox = self.children[key] = Inbox(self.stepped)

        def start(supervisor: Inbox) -> object:
            return Child.start(
                self.log,
                self.broken,
                dispatcher=self.stepped,
                inbox=inbox,
                key=key,
                supervisor=supervisor,
            )

        self.specs[key] = ChildSpec(key, inbox, start)
        self.inbox.tell(StartChild(self.specs[key]))

    def tell(self, key: str, *messages: Any) -> None:
        for message in messages:
            self.children[key].tell(message)
        self.stepped.run()

    def fail(self, key: str, error: BaseException | None = None) -> None:
        self.tell(key, error or ValueError("no"))

    def fail_and_wait(self, key: str, times: int) -> None:
        """Let a child fail so often, each time as soon as it is back."""
        for _ in range(times):
            self.fail(key)
            self.stepped.advance(1.0)

    def remove(self, key: str) -> Inbox:
        """Remove a child; return the inbox it had."""
        self.inbox.tell(RemoveChild(self.specs[key]))
        self.stepped.run()
        return self.children[key]

    def stop(self, *, drain: bool = False) -> Reply:
        done = Reply()
        self.inbox.tell(StopChildren(drain, done))
        return done

    def running(self) -> str:
        return "".join(key for key, inbox in self.children.items() if inbox.actor)

    def statuses(self) -> list[str]:
        return [inbox.status for inbox in self.children.values()]

    def restarts(self) -> list[int]:
        return [inbox.restarts for inbox in self.children.values()]


@pytest.fixture
def apart(stepped: Stepped) -> Family:
    """Return three children that know nothing of one another."""
    return Family(stepped, "one_for_one", "abc")


@pytest.fixture
def chain(stepped: Stepped) -> Family:
    """Return three children of which each depends on those before it."""
    return Family(stepped, "rest_for_one", "abc")


@pytest.fixture(params=["one_for_one", "rest_for_one"])
def family(request: pytest.FixtureRequest, stepped: Stepped) -> Family:
    """Return three children of either kind."""
    return Family(stepped, request.param, "abc")


def test_an_unknown_strategy_is_an_error_that_names_those_there_are(stepped: Stepped) -> None:
    with pytest.raises(InvalidOption, match="one_for_one, rest_for_one, not 'one_for_all'"):
        Family(stepped, "one_for_all", "")


# -- start


def test_children_are_started_in_order(family: Family) -> None:
    assert family.log == [("a", "start"), ("b", "start"), ("c", "start")]


def test_a_child_may_be_added_later(family: Family) -> None:
    family.add("d")
    family.stepped.run()

    assert family.running() == "abcd"


@pytest.mark.parametrize("broken", ["b", "constructor"])
def test_a_child_that_cannot_start_is_tried_again(family: Family, broken: str) -> None:
    family.broken.add(broken)
    family.fail("b")
    family.stepped.advance(0.3)
    while_broken = family.running()
    family.broken.clear()
    family.stepped.advance(1.0)

    assert ("b" in while_broken, family.running()) == (False, "abc")


# -- restart


def test_a_child_that_failed_is_back_after_a_tenth_of_a_second(apart: Family) -> None:
    apart.fail("b")
    apart.stepped.advance(0.099)
    before = apart.running()
    apart.stepped.advance(0.022)

    assert (before, apart.running()) == ("ac", "abc")


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_child_that_failed_with_a_base_exception_is_back_too(
    apart: Family, error: BaseException
) -> None:
    apart.fail("b", error)
    apart.stepped.advance(1.0)

    assert apart.running() == "abc"


def test_while_it_waits_its_status_says_so(apart: Family) -> None:
    apart.fail("b")
    waiting = apart.statuses()
    apart.stepped.advance(1.0)

    assert waiting == ["running", "restarting", "running"]
    assert apart.statuses() == ["running"] * 3


def test_restarts_are_counted(apart: Family) -> None:
    apart.fail_and_wait("b", 2)

    assert apart.restarts() == [0, 2, 0]


def test_what_waited_is_handled_by_the_next(family: Family) -> None:
    family.tell("b", ValueError("no"), 1, 2)
    family.children["b"].tell(3)
    family.stepped.advance(1.0)

    assert [entry for entry in family.log if entry[0] == "b"] == [
        ("b", "start"),
        ("b", "start"),
        ("b", 1),
        ("b", 2),
        ("b", 3),
    ]


def test_apart_the_others_do_not_notice(apart: Family) -> None:
    apart.fail_and_wait("b", 3)

    assert [entry for entry in apart.log if entry[0] != "b"] == [("a", "start"), ("c", "start")]


def test_in_a_chain_those_after_it_are_restarted_and_those_before_it_are_not(
    chain: Family,
) -> None:
    chain.fail("b")
    waiting = (chain.running(), chain.statuses())
    chain.stepped.advance(1.0)

    assert waiting == ("a", ["running", "restarting", "restarting"])
    assert (chain.running(), chain.restarts()) == ("abc", [0, 1, 1])
    assert chain.log[3:] == [("c", "stop"), ("b", "start"), ("c", "start")]


def test_in_a_chain_what_waited_for_a_dependent_is_handled_by_the_next(chain: Family) -> None:
    chain.fail("a")
    chain.tell("c", 1, 2)
    chain.stepped.advance(1.0)

    assert chain.log[-2:] == [("c", 1), ("c", 2)]


def test_in_a_chain_nobody_is_started_before_those_it_depends_on(chain: Family) -> None:
    chain.fail("b")
    chain.stepped.advance(0.09)
    chain.fail("a")
    chain.stepped.advance(0.05)
    too_early = chain.running()
    chain.stepped.advance(1.0)

    assert (too_early, chain.running()) == ("", "abc")


def test_in_a_chain_a_dependent_that_fails_before_it_stops_is_restarted_once(
    chain: Family,
) -> None:
    chain.children["a"].tell(ValueError("no"))
    chain.children["b"].tell(ValueError("neither"))
    chain.stepped.run()
    chain.stepped.advance(5.0)

    assert (chain.running(), chain.statuses()) == ("abc", ["running"] * 3)


def test_in_a_chain_a_word_to_stop_does_not_outlive_the_actor_it_was_for(chain: Family) -> None:
    b = chain.children["b"]
    b.tell(ValueError("neither"))
    chain.stepped.line.remove(b)
    chain.fail("a")
    chain.stepped.advance(1.0)
    # Only now b comes to its message, and fails with the word to stop already waiting behind.
    b.run(64)
    chain.stepped.advance(60.0)

    assert (chain.running(), chain.statuses()) == ("abc", ["running"] * 3)


def test_in_a_chain_one_that_takes_long_to_stop_is_restarted_when_it_has(chain: Family) -> None:
    b = chain.children["b"]
    b.tell("slow")
    chain.stepped.line.remove(b)
    chain.fail("a")
    chain.stepped.advance(1.0)
    meanwhile = chain.running()
    b.run(64)
    chain.stepped.run()

    assert meanwhile == "ab"
    assert (chain.running(), chain.restarts()) == ("abc", [1, 1, 1])


def test_in_a_chain_an_old_back_off_does_not_cut_a_new_one_short(chain: Family) -> None:
    for _ in range(5):
        chain.fail("b")
        chain.stepped.advance(6.0)
    chain.fail("b")  # for 3.2 s, were it not for
    chain.fail("a")
    chain.stepped.advance(0.2)
    back = chain.running()
    chain.fail("b")  # for 6.4 s
    chain.stepped.advance(6.3)
    too_early = chain.running()
    chain.stepped.advance(2.0)

    assert (back, too_early, chain.running()) == ("abc", "a", "abc")


# -- giving up


def test_the_fourth_failure_within_five_seconds_is_one_too_many(apart: Family) -> None:
    apart.fail_and_wait("b", 4)

    assert (apart.running(), apart.statuses()) == ("ac", ["running", "quarantined", "running"])
    assert [(each.key, each.restarts) for each in apart.given_up] == [("b", 3)]


def test_failures_far_enough_apart_are_never_too_many(apart: Family) -> None:
    for _ in range(20):
        apart.fail("b")
        apart.stepped.advance(40.0)

    assert (apart.running(), apart.given_up) == ("abc", [])


def test_who_is_told_of_a_child_given_up_gets_its_last_error(apart: Family) -> None:
    error = ValueError("the last")
    apart.fail_and_wait("b", 3)
    apart.fail("b", error)

    assert apart.given_up == [ChildGivenUp("b", error, 3)]


def test_a_child_given_up_is_not_started_again(apart: Family) -> None:
    apart.fail_and_wait("b", 4)
    apart.stepped.advance(3600.0)

    assert (apart.running(), len(apart.given_up)) == ("ac", 1)


def test_what_waits_for_a_child_given_up_is_kept(apart: Family) -> None:
    apart.fail_and_wait("b", 4)
    apart.tell("b", 1, 2)

    assert apart.children["b"].backlog == 2


def test_in_a_chain_those_that_depend_on_it_are_quarantined_too(chain: Family) -> None:
    chain.fail_and_wait("b", 4)

    assert (chain.running(), chain.statuses()) == ("a", ["running", "quarantined", "quarantined"])
    assert [each.key for each in chain.given_up] == ["b"]


def test_in_a_chain_a_child_given_up_is_not_started_with_those_before_it(chain: Family) -> None:
    chain.fail_and_wait("c", 4)
    chain.fail("a")
    chain.stepped.advance(10.0)

    assert (chain.running(), chain.statuses()) == ("ab", ["running", "running", "quarantined"])


def test_in_a_chain_no_back_off_under_way_starts_a_dependent_of_one_given_up(
    chain: Family,
) -> None:
    chain.fail_and_wait("a", 3)
    chain.fail("b")
    chain.fail("a")
    chain.stepped.advance(60.0)

    assert (chain.running(), chain.statuses()) == ("", ["quarantined"] * 3)


# -- stop


def test_in_a_chain_children_are_stopped_one_by_one_from_the_last(chain: Family) -> None:
    done = chain.stop()
    chain.stepped.run()

    assert chain.log[3:] == [("c", "stop"), ("b", "stop"), ("a", "stop")]
    assert done.done


def test_apart_children_are_stopped_from_the_last(apart: Family) -> None:
    apart.stop()
    apart.stepped.run()

    assert apart.log[3:] == [("c", "stop"), ("b", "stop"), ("a", "stop")]


def test_stopping_is_over_when_nobody_runs(family: Family) -> None:
    done = family.stop()
    early = done.done
    family.stepped.run()

    assert (early, done.done, family.running()) == (False, True, "")


def test_stopping_nobody_is_over_at_once(stepped: Stepped) -> None:
    family = Family(stepped, "one_for_one", "")
    done = family.stop()
    stepped.run()

    assert done.done


def test_stopped_children_say_so(family: Family) -> None:
    family.stop()
    family.stepped.run()

    assert family.statuses() == ["stopped"] * 3


def test_a_child_that_waits_for_its_restart_is_not_started_again(family: Family) -> None:
    family.fail("b")
    done = family.stop()
    family.stepped.advance(60.0)

    assert (done.done, family.running(), family.restarts()) == (True, "", [0, 0, 0])


def test_a_child_that_was_stopped_while_waiting_for_its_restart_says_so(family: Family) -> None:
    family.fail("b")
    family.stop()
    family.stepped.advance(60.0)

    assert family.statuses() == ["stopped"] * 3


def test_a_child_given_up_stays_quarantined_at_a_stop(apart: Family) -> None:
    apart.fail_and_wait("b", 4)
    apart.stop()
    apart.stepped.run()

    assert apart.statuses() == ["stopped", "quarantined", "stopped"]


def test_a_child_that_fails_while_stopping_is_not_started_again(family: Family) -> None:
    family.children["b"].tell(ValueError("no"))
    done = family.stop()
    family.stepped.advance(60.0)

    assert (done.done, family.running()) == (True, "")
    assert family.statuses() == ["stopped"] * 3


def test_a_child_added_after_the_stop_is_not_started(family: Family) -> None:
    family.stop()
    family.stepped.run()
    family.add("d")
    family.stepped.run()

    assert family.running() == ""


def test_a_child_added_during_the_stop_does_not_hold_it_up(family: Family) -> None:
    done = family.stop()
    family.add("d")
    family.stepped.run()

    assert (done.done, family.running()) == (True, "")


def test_a_message_of_no_use_is_a_dead_letter(family: Family) -> None:
    family.inbox.tell("hello")
    family.stepped.run()

    assert family.stepped.dead_letters.counts() == {"unhandled": 1}


## Removing


def test_a_child_removed_stops_and_takes_nothing_more(apart: Family) -> None:
    inbox = apart.remove("b")
    inbox.tell("hello")
    apart.stepped.run()

    assert apart.running() == "ac"
    assert apart.log[-1] == ("b", "stop")
    assert apart.stepped.dead_letters.counts() == {"stopped": 1}


def test_a_child_removed_while_it_waits_for_its_restart_is_not_started(apart: Family) -> None:
    apart.fail("b")
    apart.remove("b")
    apart.stepped.advance(60.0)

    assert apart.running() == "ac"
    assert apart.stepped.timers == []


def test_a_child_removed_and_added_again_at_once_is_another(apart: Family) -> None:
    before = apart.children["b"]
    apart.inbox.tell(RemoveChild(apart.specs["b"]))
    apart.add("b")
    apart.stepped.run()
    apart.tell("b", "hello")

    assert before.actor is None
    assert [entry for entry in apart.log if entry[0] == "b"] == [
        ("b", "start"),
        ("b", "stop"),
        ("b", "start"),
        ("b", "hello"),
    ]


def test_the_child_added_again_is_not_removed_by_the_same_word(apart: Family) -> None:
    spec = apart.specs["b"]
    apart.remove("b")
    apart.add("b")
    apart.inbox.tell(RemoveChild(spec))
    apart.stepped.run()

    assert apart.running() == "abc"


def test_a_child_that_fails_while_it_is_removed_is_forgotten_all_the_same(apart: Family) -> None:
    apart.children["b"].tell(ValueError("no"))
    apart.remove("b")
    apart.stepped.advance(60.0)

    assert apart.running() == "ac"


def test_a_child_that_cannot_be_made_can_be_removed(apart: Family) -> None:
    apart.broken.add("constructor")
    apart.add("d")
    apart.remove("d")
    apart.stepped.advance(60.0)

    assert apart.running() == "abc"
    assert apart.given_up == []


def test_nobody_waits_for_a_removed_child_at_the_stop(apart: Family) -> None:
    apart.remove("b")
    done = apart.stop()
    apart.stepped.run()

    assert done.done
