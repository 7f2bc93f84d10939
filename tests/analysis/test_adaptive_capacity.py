"""Simulated servers in an overload, in a burst, and keeping up."""

import random
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.analysis import AdaptiveCapacity, ControlledDelay
from ticklane.messages import InvalidOption

US, MS, S = 1_000, 1_000_000, 1_000_000_000


class Server:
    """One handler behind a mailbox that drops its oldest for a new one when it is full."""

    def __init__(self, service_ns: int, ceiling: int = 1000) -> None:
        self.service_ns = service_ns
        self.adaptive: AdaptiveCapacity | Fixed = AdaptiveCapacity(ceiling)
        self.waiting: deque[int] = deque()
        self.now = self.displaced = self.expired = 0
        self.lags: list[int] = []

    def offer(self, at: int) -> None:
        if len(self.waiting) >= self.adaptive.capacity:
            self.waiting.popleft()
            self.displaced += 1
        self.waiting.append(at)

    def run_until(self, end: int) -> None:
        while self.waiting and self.now < end:
            lag = self.now - self.waiting.popleft()
            if self.adaptive.expires(self.now, lag, len(self.waiting)):
                self.expired += 1
            else:
                self.lags.append(lag)
                self.now += self.service_ns
        if not self.waiting:
            self.now = max(self.now, end)

    def run(self, arrivals: Iterable[int]) -> None:
        for at in arrivals:
            self.run_until(at)
            self.offer(at)

    @property
    def shed(self) -> int:
        return self.displaced + self.expired

    def p99_ms(self) -> float:
        return sorted(self.lags)[int(0.99 * len(self.lags))] / MS


def evenly(gap_ns: int, until_ns: int, start_ns: int = 0) -> Iterable[int]:
    return range(start_ns, until_ns, gap_ns)


def at_random(gap_ns: float, until_ns: int, seed: int) -> Iterator[int]:
    draw, at = random.Random(seed), 0
    while at < until_ns:
        at += int(draw.expovariate(1 / gap_ns))
        yield at


@pytest.mark.parametrize("service_ns", [50 * US, 1 * MS, 4 * MS])
def test_an_overload_that_never_slows_down_is_handled_fresh_and_without_a_pause(
    service_ns: int,
) -> None:
    server = Server(service_ns)
    server.run(at_random(service_ns // 3, 30 * S, seed=service_ns))

    assert server.p99_ms() <= 25
    assert len(server.lags) * service_ns >= 0.9 * 30 * S


@pytest.mark.parametrize("overload", [1.1, 2, 10])
def test_a_lesser_and_a_greater_overload_are_held_as_well(overload: float) -> None:
    server = Server(1 * MS)
    server.run(at_random(MS / overload, 10 * S, seed=1))

    assert server.p99_ms() <= 25
    assert len(server.lags) * MS >= 0.9 * 10 * S


def test_controlled_delay_alone_cannot_hold_an_overload() -> None:
    server = Server(1 * MS)
    server.adaptive = Fixed(1000)
    server.run(at_random(MS // 3, 10 * S, seed=1))

    assert server.p99_ms() > 100


class Fixed(ControlledDelay):
    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity


def test_a_handler_that_became_slower_is_held_at_its_new_rate() -> None:
    server = Server(50 * US)
    server.run(evenly(500 * US, 5 * S))
    server.service_ns = 2 * MS
    server.run(evenly(500 * US, 30 * S, start_ns=5 * S))

    assert server.adaptive.capacity == 10
    assert server.p99_ms() <= 25


def test_a_burst_that_drains_within_the_interval_passes_whole() -> None:
    server = Server(400 * US)
    server.run([0] * 200)
    server.run_until(1 * S)

    assert (len(server.lags), server.shed) == (200, 0)


def test_a_burst_after_an_overload_and_a_silence_passes_whole() -> None:
    server = Server(400 * US)
    server.run(evenly(130 * US, 5 * S))
    server.run_until(8 * S)
    shed = server.shed
    server.run([8 * S] * 200)
    server.run_until(9 * S)

    assert server.shed == shed > 0


def test_a_load_that_can_be_handled_in_time_loses_nothing() -> None:
    server = Server(1 * MS)
    server.run(at_random(2 * MS, 10 * S, seed=3))
    server.run_until(11 * S)

    assert server.shed == 0


def test_the_capacity_goes_back_to_the_ceiling_when_nothing_is_left_waiting() -> None:
    server = Server(1 * MS)
    server.run(evenly(333 * US, 2 * S))
    during = server.adaptive.capacity
    server.run_until(3 * S)

    assert (during, server.adaptive.capacity) == (20, 1000)


def overloaded() -> AdaptiveCapacity:
    """Return one that has just gone down to what a handler of 10 ms sustains, at 100 ms."""
    adaptive = AdaptiveCapacity(100)
    for ms in range(0, 110, 10):
        adaptive.expires(ms * MS, 30 * MS, 50)
    return adaptive


def test_shortly_after_an_overload_a_lag_of_four_targets_is_enough_to_go_down_again() -> None:
    adaptive = overloaded()
    down = adaptive.capacity
    adaptive.expires(300 * MS, 0, 0)
    adaptive.expires(1600 * MS, 19 * MS, 3)
    emptied = adaptive.capacity
    adaptive.expires(1699 * MS, 20 * MS, 3)

    assert (down, emptied, adaptive.capacity) == (2, 100, 2)


def test_long_after_an_overload_a_burst_has_the_whole_interval_again() -> None:
    adaptive = overloaded()
    adaptive.expires(300 * MS, 0, 0)
    adaptive.expires(1700 * MS, 20 * MS, 3)

    assert adaptive.capacity == 100


def test_the_capacity_never_goes_below_the_floor() -> None:
    adaptive = AdaptiveCapacity(100, floor=7)
    for second in range(10):
        adaptive.expires(second * S, S, 50)

    assert adaptive.capacity == 7


def test_the_last_message_never_expires() -> None:
    adaptive = AdaptiveCapacity(1)

    assert not any(adaptive.expires(second * S, S, 0) for second in range(10))


def test_a_delay_of_another_target_is_held_to_that_target() -> None:
    adaptive = AdaptiveCapacity(1000, delay=ControlledDelay(target_ns=50 * MS))

    assert not any(adaptive.expires(ms * MS, 49 * MS, 10) for ms in range(1000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ceiling": 0}, "ceiling must be a whole number, at least 1, not 0"),
        ({"ceiling": 5, "floor": 0}, "floor must be a whole number, at least 1, not 0"),
        ({"ceiling": 5, "floor": 6}, "floor must be at most the ceiling, 5, not 6"),
    ],
)
def test_bounds_that_make_no_sense_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        AdaptiveCapacity(**options)


calls = st.lists(
    st.tuples(st.integers(0, 200 * MS), st.integers(0, 300 * MS), st.integers(0, 120)), max_size=80
)


@given(calls)
def test_nothing_expires_that_is_in_time_or_the_last(calls: list[tuple[int, int, int]]) -> None:
    adaptive, now = AdaptiveCapacity(100, floor=3), 0
    for pause, lag, depth in calls:
        now += pause

        if adaptive.expires(now, lag, depth):
            assert lag >= 5 * MS
            assert depth > 0
        assert 3 <= adaptive.capacity <= 100


@given(calls)
def test_the_capacity_changes_only_when_something_is_late_or_nothing_is_left(
    calls: list[tuple[int, int, int]],
) -> None:
    adaptive, now, seen = AdaptiveCapacity(100), 0, [100]
    for pause, lag, depth in calls:
        now += pause
        adaptive.expires(now, lag, depth)
        seen.append(adaptive.capacity)

    for (before, after), (_, lag, depth) in zip(pairwise(seen), calls, strict=True):
        assert after == before or lag >= 5 * MS or depth == 0


@settings(deadline=None, max_examples=25)
@given(
    service_ns=st.integers(50 * US, 4 * MS), overload=st.floats(1.5, 10), seed=st.integers(0, 999)
)
def test_any_overload_is_held(service_ns: int, overload: float, seed: int) -> None:
    server = Server(service_ns)
    server.run(at_random(service_ns / overload, 2 * S, seed))
    settled = sorted(server.lags[len(server.lags) // 4 :])

    assert settled[int(0.99 * len(settled))] <= 40 * MS
    assert len(server.lags) * service_ns >= 0.9 * 2 * S
