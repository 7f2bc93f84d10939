"""The handling side of a symbol's bounded mailbox: from taken to handled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from ..analysis import FIRST_BUCKET, SHIFT, AdaptiveCapacity, LagHistogram, LagRecord, Pace
from ..messages import FeedEvent, Outcome, Snapshot
from .intake import ACCEPTED, STOP, Intake
from .reader import Relieved
from .reply import answer

if TYPE_CHECKING:
    from .actor import Actor
    from .dispatcher import Dispatching
    from .reader import Reader

__all__ = ["Handling"]

SLOW_NS = 1_000_000
"""A handler that takes longer is not quick, and no run of quick ones goes on for longer."""
LEFT_BEHIND_NS = 1_000_000_000
"""One that takes longer may be left behind."""


class Listeners(Protocol):
    """Who listens to a symbol."""

    handle: Callable[[Snapshot], object]
    """What to call with each snapshot; asked for anew each time."""
    handle_event: Callable[[FeedEvent], object]
    """What to call with what happened to the feed, in its place among the snapshots."""


class SnapshotActor(Protocol):
    """What a mailbox needs of its actor, beside what an inbox needs."""

    @property
    def audience(self) -> Listeners:
        """Who listens."""

    def _actor_loop_step(self, envelope: Envelope[Any]) -> None:
        """Handle a control message."""

    def _actor_loop_failed(self, error: BaseException) -> None:
        """End the actor for what its code raised."""


class Handling(Intake):
    """What becomes of what was taken: handled one at a time, in a run or on the spot.

    What is counted here is written by the one thread inside the actor, and by nobody else.
    """

    __slots__ = (
        "_adaptive",
        "_aside",
        "_audience",
        "_counts",
        "_ended_ns",
        "_here",
        "_lags",
        "_pace",
        "_run",
        "busy_ns",
        "expired",
        "failed",
        "lag_ns",
        "times",
    )

    def __init__(
        self, key: str, dispatcher: Dispatching, *, capacity: int, overflow: str, adaptive: bool
    ) -> None:
        super().__init__(key, dispatcher, capacity=capacity, overflow=overflow)
        self._adaptive = AdaptiveCapacity(self._bound) if adaptive else None
        self._aside = False
        """Whether who is inside is not with a snapshot, but with a control message, an event, or
        left behind."""
        self._here = False
        """Whether who is inside handles a snapshot on the spot."""
        self._pace = Pace()
        self._lags = LagRecord()
        self._counts = self._lags.now.counts
        self._run = 0
        """Handled by `run`, less what failed on the spot."""
        self.failed = self.expired = self.lag_ns = 0
        self.busy_ns = 0
        """Time spent on what was handled; of what was handled on the spot, 16 times one in 16."""
        self._ended_ns = 0
        self.times = LagHistogram()
        """How long one in 16 took."""

    @property
    def handled(self) -> int:
        """Handled since the start, and no handler raised."""
        with self._turn:
            return self._run + self.at_once - self._here

    def attach(self, actor: Actor) -> None:
        """Let `actor` handle what waits and what comes; its `on_start` runs first."""
        self._audience = cast("SnapshotActor", actor).audience
        super().attach(actor)

    def leave_behind(self) -> bool:
        """Let go of an actor whose handler has held a snapshot for a second; say whether it had.

        The thread in there cannot be ended. Its snapshot counts as failed, and when its handler
        returns after all, it ends without handling anything more: the next actor has its place.
        """
        with self._turn:
            actor: Any = self._actor
            held = 0 < self.started_ns < self._clock() - LEFT_BEHIND_NS
            if actor is None or self._aside or not held:
                return False
            self._actor, self._aside = None, True
            # No longer what the thread in there remembers, and still old: a spare must relieve it.
            self.started_ns -= 1
            self._fail()
            stops = self._take_stops()
        for stop in stops:
            if stop.reply_to is not None:
                answer(stop.reply_to, None)
        actor._handle_failure(None, None, None)
        return True

    def offer_here(self, snapshot: Snapshot, reader: Reader) -> Outcome:  # noqa: C901, PLR0912, PLR0915
        """Offer, and handle it on the spot where the symbol is idle and its handler quick.

        Called on a reading thread, as the last act of its `read`. Nothing waits in an inbox that
        nobody has claimed, so nobody is passed over; all but the usual case is left to `offer`.
        One long function, as `run`: it saves a thread switch and half of what is left.
        """
        turn, clock, here = self._turn, self._clock, False
        take, give = turn.take, turn.give
        try:
            try:
                take()
            except IndexError:
                turn.wait()
            if (
                self.quick
                and not self._claimed
                and not self._closed
                and self._freshness is None
                and self._adaptive is None
                and not reader.crowded
            ):
                if (latest := self.latest) is None:
                    here = True
                else:
                    new, old = snapshot.sequence, latest.sequence
                    if new is None or old is None:
                        new, old = snapshot.exchange_time_ms, latest.exchange_time_ms
                    here = new is not None and old is not None and new > old
                if here:
                    self._claimed = self._here = True
                    self._came = False
                    self.latest = snapshot
                    self.at_once += 1
                    # It has not waited at all, and counts as a lag of zero.
                    start = self.accepted_ns = self.started_ns = clock()
                    self.lag_ns = 0
        finally:
            give(None)
        if not here:
            return self.offer(snapshot)
        reader.inbox = self
        baton = reader.baton
        baton.append(None)
        try:
            handle = self._audience.handle
            handle(snapshot)
        except BaseException as error:  # noqa: BLE001 - none may escape a handler
            if self._is_back(start, failed=True):
                actor: Any = self._actor
                actor._actor_loop_failed(error)
        else:
            end = clock()
            if end - start <= SLOW_NS or self._is_back_late(start):
                if self.at_once & 15 == 1:
                    self.times.record(end - start)
                    self.busy_ns += 16 * (end - start)
                self.started_ns = 0
                try:
                    try:
                        take()
                    except IndexError:
                        turn.wait()
                    self._here = False
                    self._claimed = again = self._came and self._waiting()
                finally:
                    give(None)
                if again:
                    self._submit(self)
        try:
            baton.pop()
        except IndexError:
            raise Relieved from None
        return ACCEPTED

    def run(self, throughput: int) -> None:  # noqa: C901, PLR0912 - see below
        """Handle up to `throughput` snapshots, control messages first, events in their place.

        After a millisecond it is others' turn. One long function, since every call in it would
        cost each message 60 ns.
        """
        actor: Any = self._actor
        if actor is None:
            return
        data, clock, adaptive = self._data, self._clock, self._adaptive
        audience = self._audience
        began = now = clock()
        slice_end = now + SLOW_NS
        for _ in range(throughput):
            if self._called:
                if not self._attend(actor, throughput):
                    return
                now = clock()
            if not data:
                break
            try:
                accepted_ns, snapshot = data.popleft()
            except IndexError:  # a producer was faster
                continue
            # It may have come after the clock was read, at the end of the one before.
            lag = now - accepted_ns if now > accepted_ns else 0
            if adaptive is not None and self._expires(adaptive, now, lag):
                continue
            self.started_ns = now
            self.lag_ns = lag
            # `LagHistogram.record` by hand: the call would cost half of what it does.
            bits = lag.bit_length()
            self._counts[FIRST_BUCKET[bits] + (lag >> SHIFT[bits])] += 1
            try:
                handle = audience.handle
                handle(snapshot)
            except BaseException as error:  # noqa: BLE001 - none may escape a handler
                if self._is_back(now, failed=True):
                    actor._actor_loop_failed(error)
                return
            end = clock()
            if end > slice_end:
                if end - now > SLOW_NS and not self._is_back_late(now):
                    return
                throughput = 0
            self._run = done = self._run + 1
            if done & 15 == 1:
                self.times.record(end - now)
            now = end
            if not throughput:
                break
        if not self.quick:
            self.quick = self._pace.steady(self.handled)
        if now > began:
            self._ended_ns = now
            self.busy_ns += now - began
        self._yield()

    def _is_back(self, started_ns: int, *, failed: bool = False) -> bool:
        """Say whether who returns from a handler was waited for, and not left behind."""
        with self._turn:
            if self.started_ns != started_ns:
                return False
            self.started_ns = 0
            if failed:
                self._fail()
            return True

    def _fail(self) -> None:
        """Count what is being handled as failed. Called in a turn."""
        self.failed += 1
        if self._here:
            self._here = False
            self._run -= 1

    def _is_back_late(self, started_ns: int) -> bool:
        """Do the same for a handler that was slow, and remember that."""
        if not self._is_back(started_ns):
            return False
        self._pace.relapse(self.handled + 1)
        self.quick = False
        return True

    def _expires(self, adaptive: AdaptiveCapacity, now_ns: int, lag_ns: int) -> bool:
        expires = adaptive.expires(now_ns, lag_ns, len(self._data))
        if not self._closed:
            self._bound = adaptive.capacity
        self.expired += expires
        return expires

    def _attend(self, actor: Any, throughput: int) -> bool:
        """See to control messages, then to the events that are due; false if that ended the actor.

        Up to `throughput` control messages.
        """
        self._aside = True
        with self._turn:
            self._called = False
        self._run_control(actor, throughput)
        if self._actor is not actor or not self._tell_events(actor):
            return False
        if self._control or self._events:
            self._called = True
        self.started_ns = 0
        self._aside = False
        return True

    def _tell_events(self, actor: Any) -> bool:
        while (event := self._due_event()) is not None:
            if event is STOP:
                actor._actor_loop_step(Envelope(_ActorStop()))
                return False
            self.started_ns = self._clock()
            try:
                self._audience.handle_event(event)
            except BaseException as error:  # noqa: BLE001 - none may escape a handler
                actor._actor_loop_failed(error)
                return False
        return True

    def _due_event(self) -> FeedEvent | None:
        with self._turn:
            gone = self._accepted - len(self._data)
            if self._events and self._events[0][0] <= gone:
                return self._events.pop(0)[1]
        return None
