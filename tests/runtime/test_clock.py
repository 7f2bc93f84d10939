"""The machine's own clocks."""

import time

from hypothesis import given
from hypothesis import strategies as st

from ticklane.runtime import SystemClock


@given(st.integers(1, 100))
def test_the_monotonic_clock_never_goes_back(times: int) -> None:
    clock = SystemClock()
    readings = [clock.now_ns() for _ in range(times)]

    assert readings == sorted(readings)


def test_the_monotonic_clock_is_the_one_that_time_outs_are_measured_by() -> None:
    before, now, after = time.monotonic_ns(), SystemClock().now_ns(), time.monotonic_ns()

    assert before <= now <= after


def test_the_wall_clock_counts_seconds_since_1970() -> None:
    before, now, after = time.time(), SystemClock().unix_s(), time.time()

    assert before <= now <= after
