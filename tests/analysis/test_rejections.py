"""When to ask again for what an exchange has rejected."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ticklane.analysis import Rejections

SYMBOLS = st.lists(st.sampled_from("ABCD"), max_size=3).map(tuple)


def test_nothing_is_asked_for_that_was_not_rejected() -> None:
    rejections = Rejections()

    assert rejections.note((), 0.0, 0.5) is False
    assert rejections.due(1e9) == ()


def test_all_that_was_rejected_meanwhile_is_asked_for_at_once() -> None:
    rejections = Rejections()
    rejections.note(("A", "B"), 0.0, 0.0)
    rejections.note(("B", "C"), 0.9, 0.0)

    assert [rejections.due(at_s) for at_s in (0.99, 1.0, 2.0)] == [(), ("A", "B", "C"), ()]


def test_what_is_rejected_again_and_again_waits_up_to_half_a_minute() -> None:
    rejections, now_s, waits = Rejections(), 0.0, []
    for _ in range(8):
        rejections.note(("A",), now_s, 0.0)
        before_s = now_s
        while not rejections.due(now_s):
            now_s += 1.0
        waits.append(now_s - before_s)

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_after_a_quiet_minute_the_wait_is_short_again() -> None:
    rejections = Rejections()
    for now_s in (0.0, 10.0, 20.0):
        rejections.note(("A",), now_s, 0.0)
        rejections.due(now_s + 9.0)
    rejections.note(("A",), 81.0, 0.0)

    assert rejections.due(82.0) == ("A",)


@pytest.mark.parametrize(("again", "is_new"), [(("A",), False), (("A", "B"), True), ((), False)])
def test_only_what_was_never_rejected_before_is_new(again: tuple[str, ...], is_new: bool) -> None:
    rejections = Rejections()

    assert rejections.note(("A",), 0.0, 0.0)
    assert rejections.note(again, 0.0, 0.0) is is_new


class RejectionsMachine(RuleBasedStateMachine):
    """What is rejected is asked for once, in its time, and not in a storm."""

    def __init__(self) -> None:
        super().__init__()
        self.rejections = Rejections()
        self.now_s = 0.0
        self.waiting: dict[str, float] = {}
        self.asked_s: list[float] = []

    @rule(symbols=SYMBOLS, draw=st.floats(0, 1, exclude_max=True))
    def reject(self, symbols: tuple[str, ...], draw: float) -> None:
        self.rejections.note(symbols, self.now_s, draw)
        for symbol in symbols:
            self.waiting.setdefault(symbol, self.now_s)

    @rule(seconds=st.floats(0.0, 50.0))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def ask(self) -> None:
        if due := self.rejections.due(self.now_s):
            assert due == tuple(self.waiting)
            self.waiting.clear()
            self.asked_s.append(self.now_s)

    @rule()
    def ask_late(self) -> None:
        self.now_s += 36.0
        self.ask()

        assert not self.waiting

    @invariant()
    def is_no_storm(self) -> None:
        pairs = zip(self.asked_s, self.asked_s[1:], strict=False)
        assert all(after_s - before_s >= 1.0 for before_s, after_s in pairs)


TestRejections = RejectionsMachine.TestCase
