"""A symbol's bounded mailbox: the hot path, from `offer` to handled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from ..analysis import AdaptiveCapacity, LagHistogram, LagRecord, Pace
from ..messages import FeedEvent, Outcome, Snapshot
from .intake import STOP, Intake
from .reader import Relieved
from .reply import answer

if TYPE_CHECKING:
    from .actor import Actor
    from .dispatcher import Dispatching
    from .reader import Reader

__all__ = ["Mailbox"]

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


class Mailbox(Intake):
    """A bounded queue of one symbol's snapshots, handled one at a time, and what became of them.

    `capacity`: most snapshots that may wait, at least 1. `overflow`: what gives way to a new one
    when so many wait: `drop_oldest`, `drop_newest`; `conflate` keeps only the newest at any time.
    `adaptive`: shed by controlled delay too, so that what is delivered in an overload is fresh.

    What is counted here is written by the one thread inside the actor, and by nobody else.
    """

    __slots__ = (
        "_adaptive",
        "_aside",
        "_audience",
        "_counts",
        "_ended_ns",
        "_lags",
        "_pace",
        "busy_ns",
        "expired",
        "failed",
        "handled",
        "lag_us",
        "times",
    )

    def __init__(
        self,
        key: str,
        dispatcher: Dispatching,
        *,
        capacity: int = 1000,
        overflow: str = "drop_oldest",
        adaptive: bool = False,
    ) -> None:
        super().__init__(key, dispatcher, capacity=capacity, overflow=overflow)
        self._adaptive = AdaptiveCapacity(self._bound) if adaptive else None
        self._aside = False
        """Whether who is inside is not with a snapshot, but with a control message, an event, or
        left behind."""
        self._pace = Pace()
        self._lags = LagRecord()
        self._counts = self._lags.now.counts
        self.handled = self.failed = self.expired = self.lag_us = 0
        # Whatever is written for each message makes it slower with many symbols: it has left the
        # cache by the next time. So the lag is in whole microseconds, which mostly are numbers that
        # CPython keeps at hand, and what is handled on the spot is looked at now and then only.
        self.busy_ns = 0
        """Time spent on what was handled; of what was handled on the spot, 16 times one in 16."""
        self._ended_ns = 0
        self.times = LagHistogram()
        """How long one in 16 took."""

    @property
    def handled_ns(self) -> int | None:
        """When the last one was handled, or about then where many were in one run."""
        at_once = self.accepted_ns or 0
        return (
            self._ended_ns if self._data or self.started_ns else max(self._ended_ns, at_once)
        ) or None

    @property
    def lost(self) -> int:
        """Dropped, conflated and expired: all that was shed but what was rejected."""
        return self._refused + self._displaced + self.expired

    @property
    def lags(self) -> LagHistogram:
        """All lags so far, from any thread."""
        with self._turn:
            return self._lags.copy()

    def cut(self) -> tuple[int, LagHistogram]:
        """Return the greatest depth and the lags since this was last asked."""
        with self._turn:
            peak, lags = self._cut_peak(), self._lags.cut()
            self._counts = self._lags.now.counts
        return peak, lags

    def attach(self, actor: Actor) -> None:
        """Let `actor` handle what waits and what comes; its `on_start` runs first."""
        self._audience = cast("SnapshotActor", actor).audience
        super().attach(actor)

    def shed(self) -> bool:
        """Shed by controlled delay from now on (`adaptive`); whether that is new. Any thread."""
        if self._adaptive is not None:
            return False
        self._adaptive = AdaptiveCapacity(self._bound)
        return True

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
            self.failed += 1
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
        turn, freshness, clock = self._turn, self._freshness, self._clock
        idle = False
        try:
            try:
                turn.take()
            except IndexError:
                turn.wait()
            if (
                self.quick
                and not self._claimed
                and not self._closed
                and not reader.crowded
                and self._adaptive is None
                and freshness.calm
            ):
                if (latest := freshness.latest) is None:
                    idle = True
                else:
                    new, old = snapshot.sequence, latest.sequence
                    if new is None or old is None:
                        new, old = snapshot.exchange_time_ms, latest.exchange_time_ms
                    idle = new is not None and old is not None and new > old
                if idle:
                    self._claimed = True
                    self._came = False
                    freshness.latest = snapshot
                    self._accepted += 1
                    accepted_ns = self.accepted_ns = clock()
        finally:
            turn.give(None)
        if not idle:
            return self.offer(snapshot)
        reader.inbox = self
        reader.baton.append(None)
        start = self.started_ns = clock()
        lag = start - accepted_ns
        self.lag_us = lag // 1000
        shift = lag.bit_length() - 6
        self._counts[(shift << 5) + (lag >> shift) if shift > 0 else lag] += 1
        try:
            self._audience.handle(snapshot)
        except BaseException as error:  # noqa: BLE001 - none may escape a handler
            if self._is_back(start):
                self.failed += 1
                actor: Any = self._actor
                actor._actor_loop_failed(error)
        else:
            end = clock()
            if end - start <= SLOW_NS or self._is_back_late(start):
                self.handled += 1
                if self.handled & 15 == 1:
                    self.times.record(end - start)
                    self.busy_ns += 16 * (end - start)
                self.started_ns = 0
                try:
                    try:
                        turn.take()
                    except IndexError:
                        turn.wait()
                    self._claimed = again = self._came and self._waiting()
                finally:
                    turn.give(None)
                if again:
                    self._submit(self)
        try:
            reader.baton.pop()
        except IndexError:
            raise Relieved from None
        return Outcome.ACCEPTED

    def run(self, throughput: int) -> None:  # noqa: C901, PLR0912, PLR0915 - see below
        """Handle up to `throughput` snapshots, control messages first, events in their place.

        After a millisecond it is others' turn. One long function, since every call in it would
        cost each message 60 ns.
        """
        actor: Any = self._actor
        if actor is None:
            return
        if self._control or not actor._actor_began:
            self._aside = True
            self._run_control(actor, throughput)
            if self._actor is not actor:
                return
            self.started_ns = 0
            self._aside = False
        data, clock, adaptive = self._data, self._clock, self._adaptive
        audience = self._audience
        began = now = clock()
        slice_end = now + SLOW_NS
        while throughput:
            throughput -= 1
            if self._events and not self._tell_events(actor):
                return
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
            self.lag_us = lag // 1000
            # `LagHistogram.record` by hand: the call would cost half of what it does.
            shift = lag.bit_length() - 6
            self._counts[(shift << 5) + (lag >> shift) if shift > 0 else lag] += 1
            try:
                audience.handle(snapshot)
            except BaseException as error:  # noqa: BLE001 - none may escape a handler
                if self._is_back(now):
                    self.failed += 1
                    actor._actor_loop_failed(error)
                return
            end = clock()
            if end > slice_end:
                if end - now > SLOW_NS and not self._is_back_late(now):
                    return
                throughput = 0
            self.handled += 1
            if self.handled & 15 == 1:
                self.times.record(end - now)
            now = end
            if self._control:
                break
        if not self.quick:
            self.quick = self._pace.steady(self.handled)
        if now > began:
            self._ended_ns = now
            self.busy_ns += now - began
        self._yield()

    def _is_back(self, started_ns: int) -> bool:
        """Say whether who returns from a handler was waited for, and not left behind."""
        with self._turn:
            if self.started_ns != started_ns:
                return False
            self.started_ns = 0
            return True

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

    def _tell_events(self, actor: SnapshotActor) -> bool:
        """Tell the actor the events that come before the head; false when that ended it."""
        self._aside = True
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
        self.started_ns = 0
        self._aside = False
        return True

    def _due_event(self) -> FeedEvent | None:
        with self._turn:
            gone = self._accepted - len(self._data)
            if self._events and self._events[0][0] <= gone:
                return self._events.pop(0)[1]
        return None
