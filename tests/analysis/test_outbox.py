"""What waits to be sent to one receiver."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ticklane.analysis import Outbox


def test_it_rests_longer_and_longer() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put("a")
    rests, now_s = list[float](), 0.0
    for _ in range(8):
        assert outbox.take() == "a"
        rests.append(outbox.fail(now_s, 0.0))
        assert outbox.take() is None
        now_s += rests[-1]
        outbox.wake()

    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_a_success_it_rests_for_a_second_again() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put("a")
    outbox.put("b")
    for now_s in (0.0, 1.0, 3.0):
        outbox.take()
        outbox.fail(now_s, 0.0)
        outbox.wake()
    outbox.take()
    outbox.settle()
    outbox.take()

    assert outbox.fail(7.0, 0.0) == 1.0


class Waiting(RuleBasedStateMachine):
    """An outbox against a list."""

    @initialize(capacity=st.integers(1, 4))
    def start(self, capacity: int) -> None:
        self.outbox: Outbox[int] = Outbox(capacity)
        self.capacity = capacity
        self.waiting: list[int] = []
        self.sending: int | None = None
        self.number = self.dropped = 0
        self.rests = False

    @rule()
    def put(self) -> None:
        self.number += 1
        self.outbox.put(self.number)
        self.waiting.append(self.number)
        if len(self.waiting) > self.capacity:
            self.waiting.pop(0)
            self.dropped += 1

    @rule()
    def take(self) -> None:
        if not self.rests and self.sending is None and self.waiting:
            self.sending = self.waiting.pop(0)

        assert self.outbox.take() == (None if self.rests else self.sending)

    @rule()
    def wake(self) -> None:
        self.outbox.wake()
        self.rests = False

    @precondition(lambda self: self.sending is not None)
    @rule()
    def settle(self) -> None:
        self.outbox.settle()
        self.sending = None

    @precondition(lambda self: self.sending is not None)
    @rule(draw=st.floats(0.0, 0.99))
    def fail(self, draw: float) -> None:
        self.rests = True

        assert 1.0 <= self.outbox.fail(0.0, draw) <= 72.0

    @invariant()
    def both_count_the_same(self) -> None:
        assert len(self.outbox) == len(self.waiting) + (self.sending is not None)
        assert self.outbox.dropped == self.dropped


TestWaiting = Waiting.TestCase
