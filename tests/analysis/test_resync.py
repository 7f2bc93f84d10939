"""Which book is fetched next: priority, back-off and concurrency, against a list."""

from collections.abc import Callable

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ticklane.analysis import ResyncScheduler, WeightBudget
from ticklane.analysis.resync import LONGEST_WAIT_S
from ticklane.messages import InvalidOption


def entering(budget: WeightBudget) -> Callable[[int, float], float]:
    def enter(weight: int, now_s: float) -> float:
        wait_s = budget.wait_s(weight, now_s)
        if wait_s <= 0:
            budget.spend(weight, now_s)
        return wait_s

    return enter


def scheduler(weight: int = 1000, at_once: int = 4) -> ResyncScheduler[str]:
    return ResyncScheduler(entering(WeightBudget(weight, 60.0)), at_once)


def started(waiting: ResyncScheduler[str], now_s: float) -> list[str]:
    jobs: list[str] = []
    while (job := waiting.start(now_s)[0]) is not None:
        jobs.append(job)
    return jobs


def test_what_waits_longest_comes_first() -> None:
    waiting = scheduler()
    waiting.add("late", 50, 1.0)
    waiting.add("early", 50, 0.0)

    assert started(waiting, 1.0) == ["early", "late"]


def test_what_failed_comes_after_what_did_not() -> None:
    waiting = scheduler()
    waiting.add("failed", 50, 0.0, attempt=1)
    waiting.add("fresh", 50, 5.0)

    assert started(waiting, 5.0) == ["fresh", "failed"]


def test_what_failed_waits_at_random_up_to_a_bound_that_doubles() -> None:
    waits = []
    for attempt in (1, 2, 3, 7, 5000):
        waiting = scheduler()
        waiting.add("failed", 50, 0.0, attempt=attempt, draw=0.5)
        waits.append(waiting.start(0.0)[1])

    assert waits == [0.5, 1.0, 2.0, LONGEST_WAIT_S / 2, LONGEST_WAIT_S / 2]


def test_only_so_many_run_at_once() -> None:
    waiting = scheduler(at_once=2)
    for name in "abc":
        waiting.add(name, 50, 0.0)
    first = started(waiting, 0.0)
    full = waiting.start(0.0)
    waiting.finish("a")

    assert (first, full) == (["a", "b"], (None, None))
    assert started(waiting, 0.0) == ["c"]


def test_a_spent_budget_says_how_long_to_wait() -> None:
    waiting = scheduler(weight=100)
    for name in "abc":
        waiting.add(name, 50, 0.0)
    first = started(waiting, 0.0)

    assert first == ["a", "b"]
    assert waiting.start(1.0) == (None, 59.0)
    assert started(waiting, 60.0) == ["c"]


def test_where_nothing_waits_there_is_nothing_to_wait_for() -> None:
    assert scheduler().start(0.0) == (None, None)


def test_what_is_dropped_neither_starts_nor_counts_as_running() -> None:
    waiting = scheduler(at_once=1)
    for name in ("a1", "a2", "b1"):
        waiting.add(name, 50, 0.0)
    waiting.add("a3", 50, 0.0, attempt=3, draw=0.5)
    first = started(waiting, 0.0)
    waiting.drop(lambda job: job.startswith("a"))

    assert first == ["a1"]
    assert started(waiting, 0.0) == ["b1"]


def test_none_at_once_is_refused() -> None:
    with pytest.raises(InvalidOption):
        scheduler(at_once=0)


@attrs.frozen
class Waiting:
    """What the model knows of a job."""

    name: str
    ready_s: float
    attempt: int
    weight: int


class SchedulerAgainstAList(RuleBasedStateMachine):
    """The model looks through all that waits each time."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = scheduler(weight=200, at_once=3)
        self.now_s = 0.0
        self.waiting: list[Waiting] = []
        self.running: list[str] = []
        self.spent: list[tuple[float, int]] = []
        self.number = 0

    @rule(
        attempt=st.integers(0, 4), weight=st.sampled_from([5, 50]), draw=st.sampled_from([0, 0.5])
    )
    def add(self, attempt: int, weight: int, draw: float) -> None:
        self.number += 1
        name = str(self.number)
        bound_s = 2.0 ** (attempt - 1) if attempt else 0.0
        self.waiting.append(Waiting(name, self.now_s + draw * bound_s, attempt, weight))
        self.scheduler.add(name, weight, self.now_s, attempt=attempt, draw=draw)

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def start(self) -> None:
        ready = [job for job in self.waiting if job.ready_s <= self.now_s]
        first = min(ready, key=lambda job: (job.attempt, job.ready_s, int(job.name)), default=None)
        may = first is not None and len(self.running) < 3 and self.fits(first.weight)
        job, wait_s = self.scheduler.start(self.now_s)

        assert job == (first.name if may and first else None)
        assert wait_s is None or wait_s > 0
        if job is not None and first is not None:
            self.waiting.remove(first)
            self.running.append(job)
            self.spent.append((self.now_s, first.weight))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.running))
        self.running.remove(job)
        self.scheduler.finish(job)

    @rule(odd=st.integers(0, 1))
    def drop(self, odd: int) -> None:
        self.scheduler.drop(lambda job: int(job) % 2 == odd)
        self.waiting = [job for job in self.waiting if int(job.name) % 2 != odd]
        self.running = [job for job in self.running if int(job) % 2 != odd]

    def fits(self, weight: int) -> bool:
        recent = (each for since_s, each in self.spent if since_s + 60.0 > self.now_s)
        return weight + sum(recent) <= 200

    @invariant()
    def the_budget_holds(self) -> None:
        assert sum(each for since_s, each in self.spent if since_s + 60.0 > self.now_s) <= 200


TestSchedulerAgainstAList = SchedulerAgainstAList.TestCase
