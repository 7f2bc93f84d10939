"""Call something later."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from loguru import logger

from .clock import Clock

__all__ = ["Timer", "Timers"]


class Timer:
    """A call that is still to come."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback: Callable[[], object] | None = callback

    @property
    def pending(self) -> bool:
        """Whether it is still to come, and not cancelled."""
        return self._callback is not None

    def cancel(self) -> None:
        """Drop the call, if it has not begun; from any thread, any number of times."""
        self._callback = None

    def fire(self) -> None:
        """Make the call, unless it is cancelled. What it raises is logged and ends nothing."""
        callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            callback()
        except BaseException:  # noqa: BLE001 - one timer's error must not end all others
            logger.exception("a timer's call to {} failed", callback)


class Timers:
    """Make calls at their time, on one thread that starts with the first of them.

    A call must be quick: it tells an actor something, and the actor does the work.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[int, int, Timer]] = []
        self._tie = count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` once, `delay_s` seconds from now; after `stop` never."""
        timer = Timer(callback)
        due = self._clock.now_ns() + int(delay_s * 1e9)
        with self._condition:
            if self._stopped:
                return timer
            heapq.heappush(self._heap, (due, next(self._tie), timer))
            if self._thread is None:
                self._start()
            elif self._heap[0][2] is timer:
                self._condition.notify()
        return timer

    def stop(self) -> None:
        """Drop what is still to come and end the thread; returns when it has ended."""
        with self._condition:
            self._stopped = True
            self._heap.clear()
            self._condition.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="ticklane-timers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            timer.fire()

    def _next(self) -> Timer | None:
        with self._condition:
            while not self._stopped:
                wait_s = self._until_next()
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._heap)[2]
                self._condition.wait(wait_s)
        return None

    def _until_next(self) -> float | None:
        if not self._heap:
            return None
        return (self._heap[0][0] - self._clock.now_ns()) / 1e9
