"""Calls made later, on one thread."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from ticklane.runtime import SystemClock, Timers

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON_S = 0.005
LONG_S = 3600.0
PATIENCE_S = 5.0


@pytest.fixture
def timers() -> Iterator[Timers]:
    """Yield timers on the machine's clock; they are stopped at the end."""
    running = Timers(SystemClock())
    yield running
    running.stop()


def timer_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ticklane-timers"]


def test_a_call_is_made(timers: Timers) -> None:
    made = threading.Event()
    timers.call_later(SOON_S, made.set)

    assert made.wait(PATIENCE_S)


def test_a_call_is_not_made_before_its_time(timers: Timers) -> None:
    clock, made = SystemClock(), SimpleQueue[int]()
    before = clock.now_ns()
    timers.call_later(0.02, lambda: made.put(clock.now_ns()))

    assert made.get(timeout=PATIENCE_S) - before >= 20_000_000


def test_calls_are_made_in_the_order_of_their_times(timers: Timers) -> None:
    made = SimpleQueue[int]()
    for delay_ms in (30, 10, 20):
        timers.call_later(delay_ms / 1000, lambda delay_ms=delay_ms: made.put(delay_ms))  # type: ignore[misc]

    assert [made.get(timeout=PATIENCE_S) for _ in range(3)] == [10, 20, 30]


def test_an_earlier_call_overtakes_a_long_wait(timers: Timers) -> None:
    made = threading.Event()
    timers.call_later(LONG_S, lambda: None)
    timers.call_later(SOON_S, made.set)

    assert made.wait(PATIENCE_S)


def test_a_call_may_ask_for_the_next(timers: Timers) -> None:
    made = threading.Event()
    timers.call_later(0, lambda: timers.call_later(0, made.set))

    assert made.wait(PATIENCE_S)


def test_a_cancelled_call_is_not_made(timers: Timers) -> None:
    made = SimpleQueue[str]()
    timers.call_later(SOON_S, lambda: made.put("cancelled")).cancel()
    timers.call_later(2 * SOON_S, lambda: made.put("other"))

    assert (made.get(timeout=PATIENCE_S), made.empty()) == ("other", True)


def test_cancelling_twice_or_too_late_is_fine(timers: Timers) -> None:
    made = threading.Event()
    timer = timers.call_later(0, made.set)
    made.wait(PATIENCE_S)
    timer.cancel()
    timer.cancel()

    assert made.is_set()


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_a_call_that_raises_does_not_end_the_others(timers: Timers, error: BaseException) -> None:
    def fail() -> None:
        raise error

    made = threading.Event()
    timers.call_later(0, fail)
    timers.call_later(SOON_S, made.set)

    assert made.wait(PATIENCE_S)


def test_without_a_call_there_is_no_thread(timers: Timers) -> None:
    before = timer_threads()
    timers.call_later(LONG_S, lambda: None)

    assert (before, len(timer_threads())) == ([], 1)


def test_stop_drops_what_is_still_to_come_and_ends_the_thread(timers: Timers) -> None:
    made = threading.Event()
    timers.call_later(LONG_S, made.set)
    timers.stop()

    assert (made.is_set(), timer_threads()) == (False, [])


def test_after_stop_no_call_is_made(timers: Timers) -> None:
    timers.stop()
    timers.call_later(0, lambda: None)

    assert timer_threads() == []


def test_stop_may_come_from_a_call(timers: Timers) -> None:
    done = threading.Event()

    def stop() -> None:
        timers.stop()
        done.set()

    timers.call_later(0, stop)

    assert done.wait(PATIENCE_S)
