"""Who runs actors: a few threads, whatever the number of actors."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from loguru import logger
from pykka import Future

from ..messages import InvalidOption, WrongState
from .clock import Clock, SystemClock
from .dead_letters import DeadLetters
from .inbox import Inbox
from .lane import Lane
from .reader import Reader
from .timers import Timer, Timers

__all__ = ["Dispatcher", "Dispatching"]

STUCK_NS = 1_000_000
WATCH_S = 0.001
DOZE_S = 0.005


class Dispatching(Protocol):
    """What actors need of what runs them: real threads, or a world in virtual time."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

    @property
    def random(self) -> random.Random:
        """Where jitter is drawn."""

    @property
    def dead_letters(self) -> DeadLetters:
        """What counts messages that nobody could take."""

    def submit(self, inbox: Inbox) -> None:
        """Run an inbox that the caller has claimed, soon, on a thread of ours."""

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback`, which must be quick, after `delay_s` seconds."""

    def lend(self, reply: Future[Any], inbox: Inbox) -> None:
        """Prepare the answer to something asked of `inbox` for a waiter."""


class Dispatcher:
    """Run actors on a few threads, so that none waits for another's slow handler.

    Inboxes whose handlers were quick so far share the quick lane; all others, and those found slow,
    share the slow lane, where whoever is stuck is relieved by a spare. A watching thread looks for
    stuck ones: every millisecond while anything runs, more and more rarely, up to 5 ms, while idle.

    `workers`: threads of the quick lane; 1 by default where there is a GIL, since a second one only
    adds thread switches, and one per core where there is none. `max_threads`: the most threads a
    lane may have, spares included. `throughput`: messages an inbox may handle before it goes back
    in line: more is cheaper, less is fairer.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        max_threads: int = 64,
        throughput: int = 64,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        options = {"workers": workers, "max_threads": max_threads, "throughput": throughput}
        for name, given in options.items():
            if given is not None and given < 1:
                raise InvalidOption(name, given, "at least 1")
        self.clock: Clock = clock or SystemClock()
        self.random = random.Random(seed)
        self.dead_letters = DeadLetters(self.clock)
        self._timers = Timers(self.clock)
        self._quick = Lane(
            "quick",
            workers=workers or _default_workers(),
            max_threads=max_threads,
            throughput=throughput,
        )
        self._slow = Lane("slow", workers=1, max_threads=max_threads, throughput=throughput)
        self._readers: list[Reader] = []
        self._watcher = threading.Thread(target=self._watch, name="ticklane-watch", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Start the threads; what was submitted before runs now."""
        if self._stopped:
            raise WrongState("a stopped dispatcher cannot be started again; make a new one")
        if not self._watcher.is_alive():
            self._quick.start()
            self._slow.start()
            self._watcher.start()

    def stop(self, timeout_s: float = 5.0) -> list[str]:
        """End the threads; return the names of those still stuck in handlers after `timeout_s`."""
        self._stopped = True
        self._timers.stop()
        ours: tuple[Lane | Reader, ...] = (*self._readers, self._quick, self._slow)
        threads = [thread for each in ours for thread in each.stop()]
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0.0))
        if self._watcher.is_alive():
            self._watcher.join()
        names = [thread.name for thread in threads if thread.is_alive()]
        for name in names:
            logger.warning("{} is still in a handler and was left behind", name)
        return names

    def submit(self, inbox: Inbox) -> None:
        """Run an inbox that the caller has claimed, soon, on a thread of ours."""
        if inbox.quick:
            self._quick.put(inbox)
        else:
            self._slow.put(inbox)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback`, which must be quick, after `delay_s` seconds, on the timers' thread."""
        return self._timers.call_later(delay_s, callback)

    def lend(self, reply: Future[Any], inbox: Inbox) -> None:
        """Do nothing: on threads, who waits for an answer just waits."""

    def read(self, name: str, read: Callable[[], bool]) -> Reader:
        """Return a reader that, once started, calls `read` until it returns False."""
        reader = Reader(name, read)
        self._readers = [other for other in self._readers if not other.ended.is_set()]
        self._readers.append(reader)
        return reader

    def _watch(self) -> None:
        pause_s = WATCH_S
        while not self._stopped:
            time.sleep(pause_s)
            before_ns = self.clock.now_ns() - STUCK_NS
            watched: tuple[Lane | Reader, ...] = (self._quick, self._slow, *self._readers)
            for each in watched:
                each.relieve_stuck(before_ns)
            busy = any(each.busy for each in watched)
            pause_s = WATCH_S if busy else min(2 * pause_s, DOZE_S)


def _default_workers() -> int:
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return 1 if has_gil else max(os.cpu_count() or 1, 1)
