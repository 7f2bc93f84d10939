"""Virtual time: monotonic time goes on, the wall clock may be wrong."""

import pytest

from ticklane.simulation import VirtualClock

SECOND = 1_000_000_000


def test_it_moves_when_told_and_never_back() -> None:
    clock = VirtualClock()
    start = clock.now_ns()
    clock.move_to(start + 5 * SECOND)
    clock.move_to(start)

    assert clock.now_ns() == start + 5 * SECOND
    assert clock.unix_s() == 1_750_000_005.0


def test_a_jump_is_of_the_wall_clock_only() -> None:
    clock = VirtualClock()
    start = clock.now_ns()
    clock.jump(-3600.0)

    assert (clock.now_ns(), clock.unix_s()) == (start, 1_750_000_000.0 - 3600.0)


def test_a_drift_begins_now_and_can_be_ended() -> None:
    clock = VirtualClock()
    start = clock.now_ns()
    clock.move_to(start + 10 * SECOND)
    clock.drift(0.5)
    clock.move_to(start + 20 * SECOND)
    clock.drift(0.0)
    clock.move_to(start + 30 * SECOND)

    assert clock.unix_s() == pytest.approx(1_750_000_000.0 + 10 + 15 + 10)
