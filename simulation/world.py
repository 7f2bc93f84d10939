"""Actors, mailboxes and supervisors in one thread and virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pykka
from pykka import Future

from ..analysis.checks import check_finite
from ..messages import Deadlock, InvalidOption
from ..runtime import DeadLetters, Inbox, Reply, Timer
from .trace import Runnable, Trace, name_of
from .virtual_clock import VirtualClock

__all__ = ["World"]

PATIENCE_S = 3600.0
"""Virtual time after which an answer that nobody limited in time will not come any more."""


class World:
    """Run actors in one thread, in virtual time, in an order that a seed or a test decides.

    It stands where a `Dispatcher` stands: `MarketData(dispatcher=world)`, `MyActor.start(
    dispatcher=world)`. Feeds connect by a `WorldTransport`. Nothing happens by itself: `run_for`,
    `run_until`, and waiting for the answer to an `ask` make it happen. While anything is ready, one
    of the ready is run, for one message; when nothing is, the clock jumps to the next timer. The
    same seed and the same calls give the same `trace_hash`, in any process.

    `choose`: decides which of n ready actors runs next, 0 to n-1; by default a random one. With
    Hypothesis, `choose=lambda n: data.draw(st.integers(0, n - 1))` makes a failing interleaving
    shrink.
    A handler says by `spend(seconds)` what it would cost; its actor handles nothing else for so
    long, while others go on. Raises InvalidOption for a time that is no finite number.
    """

    def __init__(self, seed: int = 0, *, choose: Callable[[int], int] | None = None) -> None:
        self.clock = VirtualClock()
        self.random = random.Random(f"{seed} jitter")
        self.dead_letters = DeadLetters(self.clock)
        self._choose = choose or random.Random(f"{seed} order").randrange
        self._ready: list[Runnable] = []
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._tie = count()
        self._busy_until: dict[Runnable, int] = {}
        self._costs: dict[str, int] = {}
        self._running: list[Runnable] = []
        self._waits: list[tuple[str, str]] = []
        self._trace = Trace()
        self._note = self._trace.add
        self.after_step: Callable[[Runnable], object] | None = None
        """Called with whom has just run, after each step: for who checks what must always hold."""

    # -- what actors need of a dispatcher

    def submit(self, inbox: Runnable) -> None:
        """Make an inbox ready, now or when its actor has spent what it said."""
        if self._busy_until and (until_ns := self._busy_until.get(inbox, 0)) > self.clock.now_ns():
            self.call_at(until_ns, lambda: self._ready.append(inbox))
        else:
            self._ready.append(inbox)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` after `delay_s` virtual seconds; those due together in their order.

        What it raises is logged and ends nothing, as on threads.
        """
        timer = Timer(callback)
        self.call_at(self.clock.now_ns() + round(delay_s * 1e9), timer.fire)
        return timer

    def lend(self, reply: Future[Any], inbox: Inbox) -> None:
        """Let who waits for `reply` run the world meanwhile."""
        if isinstance(reply, Reply):
            reply.drive = lambda waiting, timeout: self._wait(waiting, inbox, timeout)

    # -- what tests and hosts do

    def spend(self, seconds: float) -> None:
        """Let the message being handled cost virtual time. Called by its handler."""
        if not self._running:
            raise InvalidOption("spend()", "called outside", "called by a handler")
        self._spend(self._running[-1], _ns("seconds", seconds))

    def slow(self, name: str, seconds: float) -> None:
        """Let each message of an actor cost `seconds` from now on; 0 ends it.

        `name` is a symbol's key, or an actor's: "run log" is a slow disk.
        """
        self._costs[name] = _ns("seconds", seconds)
        if not self._costs[name]:
            # As long as there is any, each step looks who it is.
            del self._costs[name]

    def busy(self, inbox: Runnable) -> bool:
        """Say whether its actor still spends what its last message cost (`spend`, `slow`)."""
        return self._busy_until.get(inbox, 0) > self.clock.now_ns()

    def step(self) -> bool:
        """Run one ready actor for one message, or call what is due next; False when idle for ever.

        A frame that has arrived is a step like a message.
        """
        ready, due = self._ready, self._due
        # What is due now first: those that become ready at one moment are all there to choose from.
        if ready and not (due and due[0][0] <= self.clock.now_ns()):
            self._run(ready.pop(self._choose(len(ready)) if len(ready) > 1 else 0))
            return True
        return self._call_next()

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass, with all that happens meanwhile."""
        until_ns = self.clock.now_ns() + _ns("seconds", seconds)
        ready, due, choose, clock = self._ready, self._due, self._choose, self.clock
        # `step`, written out: it runs ten million times in a virtual day.
        while True:
            if due and due[0][0] <= (clock.ns if ready else until_ns):
                due_ns, _, callback = heapq.heappop(due)
                clock.ns = max(clock.ns, due_ns)
                callback()
            elif ready:
                self._run(ready.pop(choose(len(ready)) if len(ready) > 1 else 0))
            else:
                break
        clock.move_to(until_ns)

    def run_until(self, condition: Callable[[], bool], *, timeout: float = PATIENCE_S) -> bool:
        """Run until `condition()` holds; False when `timeout` virtual seconds were not enough."""
        until_ns = self.clock.now_ns() + _ns("timeout", timeout)
        while not condition():
            if not self._ready and not (self._due and self._due[0][0] <= until_ns):
                return False
            self.step()
        return True

    @property
    def trace_hash(self) -> str:
        """A hash of all that was run so far: who, when, and what was counted by then."""
        return self._trace.hash

    @property
    def timers(self) -> int:
        """How many calls are still to come that `call_later` was asked for."""
        timers = (getattr(callback, "__self__", None) for _, _, callback in self._due)
        return sum(isinstance(timer, Timer) and timer.pending for timer in timers)

    def call_at(self, due_ns: int, callback: Callable[[], object]) -> None:
        """Call `callback` at a virtual time; what it raises is raised by whoever runs the world.

        For what is simulated. What is tested uses `call_later`.
        """
        heapq.heappush(self._due, (due_ns, next(self._tie), callback))

    # -- inside

    def _call_next(self) -> bool:
        if not self._due:
            return False
        due_ns, _, callback = heapq.heappop(self._due)
        self.clock.move_to(due_ns)
        callback()
        return True

    def _run(self, runnable: Runnable) -> None:
        if self._costs and (cost_ns := self._costs.get(name_of(runnable), 0)):
            self._spend(runnable, cost_ns)
        self._running.append(runnable)
        try:
            runnable.run(1)
        finally:
            self._running.pop()
        self._note(self.clock.ns, runnable)
        if self.after_step is not None:
            self.after_step(runnable)

    def _spend(self, runnable: Runnable, cost_ns: int) -> None:
        since_ns = max(self._busy_until.get(runnable, 0), self.clock.now_ns())
        self._busy_until[runnable] = since_ns + cost_ns

    def _wait(self, reply: Reply, asked: Inbox, timeout: float | None) -> None:
        waiter = name_of(self._running[-1]) if self._running else "the caller"
        self._waits.append((waiter, name_of(asked)))
        try:
            self._wait_for(reply, asked, timeout)
        finally:
            self._waits.pop()

    def _wait_for(self, reply: Reply, asked: Inbox, timeout: float | None) -> None:
        # Whoever is on the stack waits itself and will not answer before it is answered.
        if timeout is None and asked in self._running:
            raise Deadlock(self._waits)
        answered = self.run_until(
            lambda: reply.done, timeout=PATIENCE_S if timeout is None else timeout
        )
        if not answered and timeout is None:
            raise Deadlock(self._waits)
        if not answered:
            raise pykka.Timeout(f"{timeout} seconds")


def _ns(name: str, seconds: float) -> int:
    check_finite(name, seconds)
    return round(seconds * 1e9)
