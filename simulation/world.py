"""Actors, mailboxes and supervisors in one thread and virtual time."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pykka
from pykka import Future

from ..messages import Deadlock, InvalidOption
from ..runtime import DeadLetters, Inbox, Mailbox, Reply, Timer
from .virtual_clock import VirtualClock

__all__ = ["World"]

PATIENCE_S = 3600.0
"""Virtual time after which an answer that nobody limited in time will not come any more."""


class World:
    """Run actors in one thread, in virtual time, in an order that a seed or a test decides.

    It stands where a `Dispatcher` stands: `MarketData(dispatcher=world)`, `MyActor.start(
    dispatcher=world)`. Nothing happens by itself: `run_for`, `run_until`, and waiting for the
    answer to an `ask` make it happen. While anything is ready, one of the ready is run, for one
    message; when nothing is, the clock jumps to the next timer. The same seed and the same calls
    give the same `trace_hash`, in any process.

    `choose`: decides which of n ready actors runs next, 0 to n-1; by default a random one. With
    Hypothesis, `choose=lambda n: data.draw(st.integers(0, n - 1))` makes a failing interleaving
    shrink.
    A handler says by `spend(seconds)` what it would cost; its actor handles nothing else for so
    long, while others go on.
    """

    def __init__(self, seed: int = 0, *, choose: Callable[[int], int] | None = None) -> None:
        self.clock = VirtualClock()
        self.random = random.Random(f"{seed} jitter")
        self.dead_letters = DeadLetters(self.clock)
        self._choose = choose or random.Random(f"{seed} order").randrange
        self._ready: list[Inbox] = []
        self._timers: list[tuple[int, int, Timer]] = []
        self._tie = count()
        self._busy_until: dict[Inbox, int] = {}
        self._running: list[Inbox] = []
        self._waits: list[tuple[str, str]] = []
        self._hash = hashlib.blake2b(digest_size=16)

    # -- what actors need of a dispatcher

    def submit(self, inbox: Inbox) -> None:
        """Make an inbox ready, now or when its actor has spent what it said."""
        busy_until = self._busy_until.get(inbox, 0)
        if busy_until > self.clock.now_ns():
            self._at(busy_until, lambda: self._ready.append(inbox))
        else:
            self._ready.append(inbox)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` after `delay_s` virtual seconds; those due together in their order."""
        return self._at(self.clock.now_ns() + round(delay_s * 1e9), callback)

    def lend(self, reply: Future[Any], inbox: Inbox) -> None:
        """Let who waits for `reply` run the world meanwhile."""
        if isinstance(reply, Reply):
            reply.drive = lambda waiting, timeout: self._wait(waiting, inbox, timeout)

    # -- what tests and hosts do

    def spend(self, seconds: float) -> None:
        """Let the message being handled cost virtual time. Called by its handler."""
        if not self._running:
            raise InvalidOption("spend()", "called outside", "called by a handler")
        inbox = self._running[-1]
        since_ns = max(self._busy_until.get(inbox, 0), self.clock.now_ns())
        self._busy_until[inbox] = since_ns + round(seconds * 1e9)

    def step(self) -> bool:
        """Run one ready actor for one message, or fire the next timer; False when idle for ever."""
        if self._ready:
            self._run(self._ready.pop(self._choose(len(self._ready))))
            return True
        return self._fire()

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass, with all that happens meanwhile."""
        until_ns = self.clock.now_ns() + round(seconds * 1e9)
        while self._ready or (self._timers and self._timers[0][0] <= until_ns):
            self.step()
        self.clock.move_to(until_ns)

    def run_until(self, condition: Callable[[], bool], *, timeout: float = PATIENCE_S) -> bool:
        """Run until `condition()` holds; False when `timeout` virtual seconds were not enough."""
        until_ns = self.clock.now_ns() + round(timeout * 1e9)
        while not condition():
            if not self._ready and not (self._timers and self._timers[0][0] <= until_ns):
                return False
            self.step()
        return True

    @property
    def trace_hash(self) -> str:
        """A hash of all that was run so far: who, when, and what was counted by then."""
        return self._hash.hexdigest()

    # -- inside

    def _at(self, due_ns: int, callback: Callable[[], object]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (due_ns, next(self._tie), timer))
        return timer

    def _fire(self) -> bool:
        if not self._timers:
            return False
        due_ns, _, timer = heapq.heappop(self._timers)
        self.clock.move_to(due_ns)
        timer.fire()
        return True

    def _run(self, inbox: Inbox) -> None:
        self._running.append(inbox)
        try:
            inbox.run(throughput=1)
        finally:
            self._running.pop()
        self._hash.update(f"{self.clock.now_ns()} {_account(inbox)}\n".encode())

    def _wait(self, reply: Reply, asked: Inbox, timeout: float | None) -> None:
        waiter = _name(self._running[-1]) if self._running else "the caller"
        self._waits.append((waiter, _name(asked)))
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


def _name(inbox: Inbox) -> str:
    if isinstance(inbox, Mailbox):
        return inbox.key
    actor = inbox.actor
    return "a dead actor" if actor is None else actor.key or type(actor).__name__


def _account(inbox: Inbox) -> str:
    if isinstance(inbox, Mailbox):
        counts = (inbox.handled, inbox.failed, inbox.dropped, inbox.expired, inbox.rejected)
        return f"{inbox.key} {counts}"
    return _name(inbox)
