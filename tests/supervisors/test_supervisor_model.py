"""The supervisor against OTP's rules in plain Python, and against steps in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ticklane.messages import ChildGivenUp
from ticklane.runtime import Actor, Inbox, Reply
from ticklane.supervisors import ChildSpec, RestartPolicy, StartChild, StopChildren, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.tests.conftest import Stepped

KEYS = "abcd"
STRATEGIES = ("one_for_one", "rest_for_one")
MOST_RESTARTS, WITHIN_S = 3, 5.0
FIRST_S, CAP_S, QUIET_S, JITTER = 0.1, 30.0, 60.0, 0.2
BOOM = ValueError("boom")

keys = st.sampled_from(KEYS)


class Child(Actor):
    """Notes what happens to it; fails when it is told to."""

    def __init__(self, family: Family, **options: Any) -> None:
        super().__init__(**options)
        self.family = family

    def on_start(self) -> None:
        self.family.life.append((self.key, "start"))
        if self.key == self.family.broken:
            raise BOOM

    def on_stop(self) -> None:
        self.family.life.append((self.key, "stop"))

    def on_receive(self, message: Any) -> None:
        if message is BOOM:
            raise BOOM
        self.family.handled[self.key].append(message)


class Family:
    """A supervisor and four children, in virtual time."""

    def __init__(self, stepped: Stepped, strategy: str) -> None:
        self.stepped = stepped
        self.life: list[tuple[str, str]] = []
        self.broken: str | None = None
        """Who cannot start."""
        self.given_up: list[ChildGivenUp] = []
        self.told: dict[str, list[int]] = {key: [] for key in KEYS}
        self.handled: dict[str, list[int]] = {key: [] for key in KEYS}
        self.inboxes = {key: Inbox(stepped) for key in KEYS}
        self.supervisor = Inbox(stepped)
        Supervisor.start(
            strategy=strategy,
            policy=RestartPolicy(),
            on_give_up=self.given_up.append,
            dispatcher=stepped,
            inbox=self.supervisor,
        )
        for key in KEYS:
            self.supervisor.tell(StartChild(self.spec(key)))
        stepped.run()

    def spec(self, key: str) -> ChildSpec:
        def start(supervisor: Inbox) -> object:
            return Child.start(
                self,
                dispatcher=self.stepped,
                inbox=self.inboxes[key],
                key=key,
                supervisor=supervisor,
            )

        return ChildSpec(key, self.inboxes[key], start)

    def note(self, key: str) -> None:
        self.told[key].append(len(self.told[key]))
        self.inboxes[key].tell(self.told[key][-1])

    def running(self) -> list[str]:
        return [key for key, inbox in self.inboxes.items() if inbox.actor is not None]

    def statuses(self) -> dict[str, str]:
        return {key: inbox.status for key, inbox in self.inboxes.items()}


@attrs.define
class Kid:
    """What the model knows of one child."""

    key: str
    state: str = "running"
    restarts: int = 0
    failures: list[float] = attrs.field(factory=list)
    wait_s: float = 0.0
    due_ns: int | None = None
    """When its own back-off is over."""


class Otp:
    """OTP's rules, with a back-off between a failure and the restart."""

    def __init__(self, strategy: str) -> None:
        self.chain = strategy == "rest_for_one"
        self.kids = {key: Kid(key) for key in KEYS}
        self.given_up: list[str] = []
        self.order = list(KEYS)
        """Those that run, in the order of their last start."""

    def fail(self, key: str, now_s: float) -> float | None:
        """A child failed; return how long to wait at least, None for ever."""
        kid = self.kids[key]
        quiet = not kid.failures or now_s - kid.failures[-1] > QUIET_S
        kid.failures.append(now_s)
        too_many = sum(at >= now_s - WITHIN_S for at in kid.failures) > MOST_RESTARTS
        for each in self.with_dependents(kid):
            self.end(each, "quarantined" if too_many else "restarting")
        if too_many:
            self.given_up.append(key)
            return None
        kid.wait_s = FIRST_S if quiet else min(CAP_S, 2 * kid.wait_s)
        return kid.wait_s

    def end(self, kid: Kid, state: str) -> None:
        if kid.key in self.order:
            self.order.remove(kid.key)
        if kid.state != "quarantined":
            kid.state = state
        if state != "restarting":
            kid.due_ns = None

    def time_is(self, now_ns: int) -> None:
        """Start again whose back-off is over now, and those that depend on it."""
        for kid in self.kids.values():
            if kid.due_ns == now_ns:
                kid.due_ns = None
                if not self.chain or self.runs_before(kid):
                    self.start(kid)

    def runs_before(self, kid: Kid) -> bool:
        return all(each.state == "running" for each in self.before(kid))

    def start(self, kid: Kid) -> None:
        for each in self.with_dependents(kid):
            if each.state == "quarantined":
                return
            if each.state == "restarting":
                each.state, each.due_ns = "running", None
                each.restarts += 1
                self.order.append(each.key)

    def stop(self) -> list[str]:
        """All are to stop; return in which order."""
        order = self.order[::-1]
        for kid in self.kids.values():
            self.end(kid, "stopped")
        return order

    def with_dependents(self, kid: Kid) -> list[Kid]:
        kids = list(self.kids.values())
        return kids[kids.index(kid) :] if self.chain else [kid]

    def before(self, kid: Kid) -> list[Kid]:
        kids = list(self.kids.values())
        return kids[: kids.index(kid)]


class SupervisorMachine(RuleBasedStateMachine):
    """One thing happens at a time, and everybody has heard of it before the next."""

    def __init__(self, stepped: Stepped, strategy: str) -> None:
        super().__init__()
        self.stepped = stepped
        self.family = Family(stepped, strategy)
        self.otp = Otp(strategy)
        self.stopped = False

    def runs(self, key: str) -> bool:
        return self.otp.kids[key].state == "running"

    @rule(key=keys)
    def fail_once(self, key: str) -> None:
        self.fail(key)

    def fail(self, key: str) -> None:
        if self.runs(key):
            known = self.timers()
            self.family.inboxes[key].tell(BOOM)
            self.stepped.run()
            self.failed(key, known)

    @precondition(lambda self: not self.stopped)
    @rule(key=keys)
    def fail_again_and_again(self, key: str) -> None:
        for _ in range(MOST_RESTARTS + 1):
            self.fail(key)
            self.let_time_pass(1.0)

    def failed(self, key: str, known: set[int]) -> None:
        now_ns = self.stepped.time.ns
        wait_s = self.otp.fail(key, now_ns / 1e9)
        new = self.timers() - known
        if wait_s is None:
            assert not new
            return
        (due_ns,) = new
        self.otp.kids[key].due_ns = due_ns

        assert wait_s - 1e-6 <= (due_ns - now_ns) / 1e9 <= wait_s * (1 + JITTER)

    def timers(self) -> set[int]:
        return {due_ns for due_ns, _, _ in self.stepped.timers}

    @precondition(lambda self: not self.stopped)
    @rule(key=st.one_of(st.none(), keys))
    def break_the_start_of_one(self, key: str | None) -> None:
        self.family.broken = key

    @rule(key=keys, count=st.integers(1, 3))
    def tell(self, key: str, count: int) -> None:
        for _ in range(count):
            self.family.note(key)
        self.stepped.run()

    @rule(seconds=st.sampled_from([0.05, 0.125, 0.25, 1.0, 5.0, 7.0, 7.0, 61.0, 61.0]))
    def let_some_time_pass(self, seconds: float) -> None:
        self.let_time_pass(seconds)

    def let_time_pass(self, seconds: float) -> None:
        end_ns = self.stepped.time.ns + int(seconds * 1e9)
        while self.stepped.timers and self.stepped.timers[0][0] <= end_ns:
            self.let_one_timer_fire()
        self.stepped.time.ns = end_ns

    def let_one_timer_fire(self) -> None:
        before = len(self.family.life)
        due_ns = self.stepped.timers[0][0]
        known = self.timers() - {due_ns}
        self.stepped.fire_next()
        self.otp.time_is(due_ns)
        broken = self.family.broken
        if (broken, "start") in self.family.life[before:]:
            assert broken is not None
            self.failed(broken, known)

    @precondition(lambda self: not self.stopped)
    @rule(drain=st.booleans())
    def stop(self, drain: bool) -> None:
        self.stopped = True
        before = len(self.family.life)
        order = self.otp.stop()
        done = Reply()
        self.family.supervisor.tell(StopChildren(drain, done))
        self.stepped.run()

        assert done.done
        assert self.family.life[before:] == [(key, "stop") for key in order]

    @invariant()
    def those_run_that_should(self) -> None:
        assert self.family.running() == [key for key in KEYS if self.runs(key)]

    @invariant()
    def everybodys_status_is_the_models(self) -> None:
        assert self.family.statuses() == {key: kid.state for key, kid in self.otp.kids.items()}

    @invariant()
    def restarts_are_counted(self) -> None:
        found = {key: inbox.restarts for key, inbox in self.family.inboxes.items()}

        assert found == {key: kid.restarts for key, kid in self.otp.kids.items()}

    @invariant()
    def each_given_up_is_told_once(self) -> None:
        assert [each.key for each in self.family.given_up] == self.otp.given_up

    @invariant()
    def nothing_told_is_lost_or_handled_twice(self) -> None:
        for key in KEYS:
            told, handled = self.family.told[key], self.family.handled[key]

            assert handled == told[: len(handled)]
            assert not self.runs(key) or handled == told

    @invariant()
    def the_supervisor_lives(self) -> None:
        assert self.family.supervisor.actor is not None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_supervisor_does_what_otp_does(new_stepped: Callable[[], Stepped], strategy: str) -> None:
    run_state_machine_as_test(
        lambda: SupervisorMachine(new_stepped(), strategy)  # type: ignore[arg-type]
    )


steps = st.lists(
    st.one_of(
        st.tuples(st.just("note"), keys),
        st.tuples(st.just("fail"), keys),
        st.tuples(st.just("run"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.sampled_from([0.05, 0.2, 1.0, 20.0])),
    ),
    max_size=60,
)


def take(step: tuple[str, Any], family: Family, stepped: Stepped) -> None:
    """Do one thing, and no more: what it sets going waits in line."""
    what, which = step
    if what == "note":
        family.note(which)
    elif what == "fail":
        family.inboxes[which].tell(BOOM)
    elif what == "run" and stepped.line:
        inbox = stepped.line[which % len(stepped.line)]
        stepped.line.remove(inbox)
        inbox.run(1)
    elif what == "pass":
        stepped.time.ns += int(which * 1e9)
        while stepped.timers and stepped.timers[0][0] <= stepped.time.ns:
            stepped.timers.pop(0)[2].fire()
            stepped.timers.sort()


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(taken=steps)
def test_in_whatever_order_things_happen_all_end_up_running_or_given_up(
    new_stepped: Callable[[], Stepped], strategy: str, taken: list[tuple[str, Any]]
) -> None:
    stepped = new_stepped()
    family = Family(stepped, strategy)
    for step in taken:
        take(step, family, stepped)
    stepped.advance(3600.0)
    expected = {key: "running" for key in KEYS if family.statuses()[key] != "quarantined"}
    quarantined = dict.fromkeys(KEYS, "quarantined")

    assert family.statuses() == quarantined | expected
    assert family.running() == list(expected)
    assert {key: family.handled[key] for key in expected} == {
        key: family.told[key] for key in expected
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("drain", [False, True])
@given(taken=steps)
def test_in_whatever_order_things_happen_a_stop_stops_all(
    new_stepped: Callable[[], Stepped], strategy: str, drain: bool, taken: list[tuple[str, Any]]
) -> None:
    stepped, done = new_stepped(), Reply()
    family = Family(stepped, strategy)
    for step in taken:
        take(step, family, stepped)
    family.supervisor.tell(StopChildren(drain, done))
    stepped.advance(3600.0)

    assert (done.done, family.running()) == (True, [])
    assert set(family.statuses().values()) <= {"stopped", "quarantined"}
