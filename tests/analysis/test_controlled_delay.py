"""Controlled delay against the pseudocode of its RFC."""

from collections import deque
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.analysis import ControlledDelay
from ticklane.messages import InvalidOption

MS = 1_000_000

Calls = list[tuple[int, int, int]]


def shed_at(delay: ControlledDelay, calls: Calls) -> list[int]:
    return [now // MS for now, lag, depth in calls if delay.expires(now, lag, depth)]


def every_ms(milliseconds: int, lag_ms: int = 6, depth: int = 9) -> Calls:
    return [(ms * MS, lag_ms * MS, depth) for ms in range(milliseconds)]


def test_nothing_expires_below_the_target() -> None:
    delay = ControlledDelay()

    assert shed_at(delay, every_ms(1000, lag_ms=4)) == []


def test_a_burst_that_drains_within_the_interval_passes_whole() -> None:
    delay = ControlledDelay()

    assert shed_at(delay, every_ms(100, lag_ms=80)) == []


def test_a_queue_that_stands_sheds_one_after_an_interval_then_faster_and_faster() -> None:
    delay = ControlledDelay()

    assert shed_at(delay, every_ms(400)) == [100, 200, 271, 329, 379]


def test_one_short_lag_ends_the_shedding() -> None:
    delay = ControlledDelay()
    shed_at(delay, every_ms(150))
    was_dropping = delay.dropping
    delay.expires(150 * MS, 4 * MS, 9)

    assert (was_dropping, delay.dropping) == (True, False)


def test_the_last_message_never_expires() -> None:
    delay = ControlledDelay()

    assert shed_at(delay, every_ms(1000, lag_ms=900, depth=0)) == []


def test_a_queue_that_stands_again_soon_sheds_as_fast_as_before() -> None:
    delay = ControlledDelay()
    shed_at(delay, every_ms(400))
    delay.expires(400 * MS, 0, 9)
    again = [(now + 401 * MS, lag, depth) for now, lag, depth in every_ms(160)]

    assert shed_at(delay, again) == [501, 551]


@pytest.mark.parametrize(("sheds_again_ms", "step_ms"), [(2023, 50), (2024, 100)])
def test_the_rate_is_remembered_for_sixteen_intervals(sheds_again_ms: int, step_ms: int) -> None:
    delay = ControlledDelay()
    shed_at(delay, every_ms(400))  # The next one would have been shed at 423.1 ms.
    delay.expires(400 * MS, 0, 9)
    stands = sheds_again_ms - 100
    again = [(now + stands * MS, lag, depth) for now, lag, depth in every_ms(201)]

    assert shed_at(delay, again)[:2] == [sheds_again_ms, sheds_again_ms + step_ms]


def test_a_queue_that_stands_again_much_later_begins_anew() -> None:
    delay = ControlledDelay()
    shed_at(delay, every_ms(400))
    delay.expires(400 * MS, 0, 9)
    again = [(now + 5000 * MS, lag, depth) for now, lag, depth in every_ms(250)]

    assert shed_at(delay, again) == [5100, 5200]


@pytest.mark.parametrize("options", [{"target_ns": 0}, {"interval_ns": 0.1}])
def test_times_are_whole_numbers_above_zero(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        ControlledDelay(**options)


class Reference:
    """RFC 8289, section 5, as it stands there: a queue whose dequeue drops what is to be dropped.

    A message counts as one byte and the largest packet as none, so that the last one is kept.
    """

    def __init__(self, target: int, interval: int) -> None:
        self.target, self.interval = target, interval
        self.queue: deque[int] = deque()
        self.dropped: list[int | None] = []
        self.first_above_time = self.drop_next = self.count = self.lastcount = 0
        self.dropping = False

    def control_law(self, t: int) -> int:
        return t + int(self.interval / sqrt(self.count))

    def dodequeue(self, now: int) -> tuple[int | None, bool]:
        if not self.queue:
            self.first_above_time = 0
            return None, False
        stamp = self.queue.popleft()
        if now - stamp < self.target or len(self.queue) <= 0:
            self.first_above_time = 0
        elif self.first_above_time == 0:
            self.first_above_time = now + self.interval
        elif now >= self.first_above_time:
            return stamp, True
        return stamp, False

    def dequeue(self, now: int) -> int | None:
        stamp, ok_to_drop = self.dodequeue(now)
        if stamp is None:
            self.dropping = False
        elif self.dropping:
            if not ok_to_drop:
                self.dropping = False
            while now >= self.drop_next and self.dropping:
                self.dropped.append(stamp)
                self.count += 1
                stamp, ok_to_drop = self.dodequeue(now)
                if not ok_to_drop:
                    self.dropping = False
                else:
                    self.drop_next = self.control_law(self.drop_next)
        elif ok_to_drop:
            self.dropped.append(stamp)
            stamp, ok_to_drop = self.dodequeue(now)
            self.dropping = True
            delta = self.count - self.lastcount
            self.count = 1
            if delta > 1 and now - self.drop_next < 16 * self.interval:
                self.count = delta
            self.drop_next = self.control_law(now)
            self.lastcount = self.count
        return stamp


class Ours:
    def __init__(self, target: int, interval: int) -> None:
        self.delay = ControlledDelay(target, interval)
        self.queue: deque[int] = deque()
        self.dropped: list[int | None] = []

    def dequeue(self, now: int) -> int | None:
        while self.queue:
            stamp = self.queue.popleft()
            if not self.delay.expires(now, now - stamp, len(self.queue)):
                return stamp
            self.dropped.append(stamp)
        return None


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["in", "out"]), st.integers(1, 40), st.integers(0, 60)),
        max_size=40,
    )
)
def test_sheds_exactly_what_the_rfc_sheds(phases: list[tuple[str, int, int]]) -> None:
    reference, ours, now = Reference(50, 1000), Ours(50, 1000), 10_000
    for direction, count, pause in phases:
        for _ in range(count):
            now += pause
            if direction == "in":
                reference.queue.append(now)
                ours.queue.append(now)
            else:
                assert ours.dequeue(now) == reference.dequeue(now)

    assert ours.dropped == reference.dropped


@settings(deadline=None)
@given(
    gaps=st.lists(st.integers(20, 160), min_size=5, max_size=30),
    service=st.integers(60, 120),
)
def test_sheds_exactly_what_the_rfc_sheds_while_arrivals_and_handling_compete(
    gaps: list[int], service: int
) -> None:
    reference, ours = Reference(50, 1000), Ours(50, 1000)
    arrival = now = 10_000
    for gap in gaps * 20:
        arrival += gap
        while now < arrival:
            assert ours.dequeue(now) == reference.dequeue(now)
            now += service
        reference.queue.append(arrival)
        ours.queue.append(arrival)

    assert ours.dropped == reference.dropped
