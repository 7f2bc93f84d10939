"""A symbol's bounded mailbox: the hot path, from `offer` to handled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from ..analysis import AdaptiveCapacity, Freshness, LagHistogram, Pace, Verdict
from ..messages import FeedEvent, InvalidOption, Outcome, SequenceReset, Snapshot
from .inbox import Inbox
from .reply import answer

if TYPE_CHECKING:
    from .dispatcher import Dispatching

__all__ = ["OVERFLOW_POLICIES", "Mailbox"]

_STOP = FeedEvent(key="")
"""Stands among the events where an actor is to stop."""

OVERFLOW_POLICIES = ("drop_oldest", "drop_newest", "conflate")
MAX_EVENTS = 1000
SLOW_NS = 1_000_000
"""A handler that takes longer is not quick."""

_NEWER = Verdict.NEWER
# Asking an enum for a member costs 0.1 µs.
_ACCEPTED = Outcome.ACCEPTED
_STOPPED = Outcome.STOPPED


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


class Mailbox(Inbox):
    """A bounded queue of one symbol's snapshots, and what there is to know of it.

    `capacity`: most snapshots that may wait, at least 1. `overflow`: what gives way to a new one
    when so many wait: `drop_oldest`, `drop_newest`; `conflate` keeps only the newest at any time.
    `adaptive`: shed by controlled delay too, so that what is delivered in an overload is fresh.

    Producers count in a turn of theirs, the one thread inside the actor counts by itself, and
    nobody else writes a counter: counts are exact without the GIL, too. At rest,
    `offered == handled + failed + dropped + conflated + expired + rejected + depth`.
    """

    __slots__ = (
        "_accepted",
        "_adaptive",
        "_bound",
        "_data",
        "_deepest",
        "_displaced",
        "_events",
        "_freshness",
        "_overflow",
        "_pace",
        "_peak",
        "_refused",
        "accepted_ns",
        "capacity",
        "expired",
        "failed",
        "handled",
        "key",
        "lag_ns",
        "lags",
        "quick",
        "rejected",
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
        super().__init__(dispatcher)
        self.key = key
        self.capacity = _checked_capacity(capacity)
        self._overflow = _checked_overflow(overflow)
        self._bound = 1 if overflow == "conflate" else capacity
        self._adaptive = AdaptiveCapacity(self._bound) if adaptive else None
        self._data: deque[tuple[int, Snapshot]] = deque()
        self._events: list[tuple[int, FeedEvent]] = []
        self._freshness = Freshness()
        self._pace = Pace()
        self.quick = True
        # Written by producers, in a turn of theirs.
        self._accepted = self._displaced = self._refused = self.rejected = 0
        self._peak = self._deepest = 0
        self.accepted_ns: int | None = None
        """When the last snapshot was accepted."""
        # Written by the one thread inside the actor.
        self.handled = self.failed = self.expired = self.lag_ns = 0
        self.lags = LagHistogram()

    @property
    def latest(self) -> Snapshot | None:
        """The newest accepted snapshot: set when accepted, not when handled."""
        return self._freshness.latest

    @property
    def depth(self) -> int:
        """Snapshots waiting now."""
        return len(self._data)

    @property
    def offered(self) -> int:
        """All that was offered since the start."""
        return self._accepted + self._refused + self.rejected

    @property
    def dropped(self) -> int:
        """Lost for want of room."""
        return self._refused + (0 if self._overflow == "conflate" else self._displaced)

    @property
    def conflated(self) -> int:
        """Replaced by a newer one while waiting."""
        return self._displaced if self._overflow == "conflate" else 0

    @property
    def lost(self) -> int:
        """Dropped, conflated and expired: all that was shed but what was rejected."""
        return self._refused + self._displaced + self.expired

    def oldest_age_ns(self, now_ns: int) -> int:
        """Return how long the head has waited: what a total stall looks like; 0 when empty."""
        if not self._data:
            return 0
        try:
            return max(now_ns - self._data[0][0], 0)
        except IndexError:  # it was handled just now
            return 0

    @property
    def depth_max(self) -> int:
        """The greatest depth since the start."""
        return max(self._peak, self._deepest)

    def take_peak(self) -> int:
        """Return the greatest depth since this was last asked."""
        if not self._peak:
            return 0
        with self._turn:
            peak = self._peak
            self._deepest = max(peak, self._deepest)
            self._peak = len(self._data)
        return peak

    def offer(self, snapshot: Snapshot, here: Callable[[Inbox], object] | None = None) -> Outcome:
        """Take the snapshot, or say why not; from any thread, without blocking.

        `here` is how a thread that may handle messages itself (a feed's reader) runs an idle,
        quick symbol on the spot, which saves a thread switch.
        """
        claimed, turn = False, self._turn
        try:
            try:
                turn.take()
            except IndexError:
                turn.wait()
            data = self._data
            now = self._clock()
            if len(data) >= self._bound:
                outcome = self._offer_full(snapshot, now)
            elif (verdict := self._freshness.judge(snapshot, now)) is _NEWER:
                outcome = _ACCEPTED
            else:
                outcome = self._settle(verdict)
            if outcome.taken:
                data.append((now, snapshot))
                self._accepted += 1
                self.accepted_ns = now
                depth = len(data)
                if depth > self._peak:  # noqa: PLR1730 - max() would cost a call
                    self._peak = depth
                if not self._claimed:
                    self._claimed = claimed = True
        finally:
            turn.give(None)
        if claimed:
            if here is not None and self.quick:
                here(self)
            else:
                self._submit(self)
        elif outcome is _STOPPED:
            self._dispatcher.dead_letters.add("stopped", snapshot)
        return outcome

    def post(self, event: FeedEvent) -> None:
        """Put what happened to the feed in its place among the snapshots; never shed for them."""
        claimed, reason = False, "stopped"
        lost: FeedEvent | None = event
        with self._turn:
            if not self._closed:
                reason, lost = "overflow", self._make_room_for_event()
                self._events.append((self._accepted, event))
                claimed = self._claim()
        if lost is not None:
            self._dispatcher.dead_letters.add(reason, lost)
        if claimed:
            self._submit(self)

    def stop(self, *, drain: bool) -> None:
        """Tell the actor to stop: after what waits now (`drain`), or before it."""
        if drain and self._actor is not None:
            self.post(_STOP)
        else:
            super().stop(drain=drain)

    def put(self, envelope: Envelope[Any]) -> None:
        """Put what `ActorRef.tell` or `ask` sends; a snapshot's answer is its outcome."""
        if isinstance(envelope.message, Snapshot):
            outcome = self.offer(envelope.message)
            if envelope.reply_to is not None:
                answer(envelope.reply_to, outcome)
        elif isinstance(envelope.message, FeedEvent):
            self.post(envelope.message)
            if envelope.reply_to is not None:
                answer(envelope.reply_to, None)
        else:
            super().put(envelope)

    def _offer_full(self, snapshot: Snapshot, now_ns: int) -> Outcome:
        if self._closed:
            return _STOPPED
        if self._overflow == "drop_newest":
            if self._freshness.knows(snapshot):
                return self._settle(Verdict.STALE)
            self._refused += 1
            return Outcome.DROPPED
        outcome = self._settle(self._freshness.judge(snapshot, now_ns))
        return self._displace() if outcome.taken else outcome

    def _make_room_for_event(self) -> FeedEvent | None:
        """Take out the oldest event, if there are too many, but not the word to stop."""
        if len(self._events) < MAX_EVENTS:
            return None
        return self._events.pop(1 if self._events[0][1] is _STOP else 0)[1]

    def _settle(self, verdict: Verdict) -> Outcome:
        if verdict is Verdict.STALE:
            self.rejected += 1
            return Outcome.REJECTED
        if verdict is Verdict.RESET:
            self._events.append((self._accepted, SequenceReset(key=self.key)))
        return Outcome.ACCEPTED

    def _displace(self) -> Outcome:
        """Make room at the head; an adaptive bound may have moved far below what waits."""
        before = self._displaced
        while len(self._data) >= self._bound:
            try:
                self._data.popleft()
            except IndexError:  # the actor was faster
                break
            self._displaced += 1
        if self._displaced == before:
            return Outcome.ACCEPTED
        return Outcome.CONFLATED if self._overflow == "conflate" else Outcome.DISPLACED

    def run(self, throughput: int) -> None:  # noqa: C901 - its docstring says why
        """Handle up to `throughput` snapshots, control messages first, events in their place.

        One long function, since every call in it would cost each message 60 ns.
        """
        actor: Any = self._actor
        if actor is None:
            return
        if self._control or not actor._actor_began:
            self._run_control(actor, throughput)
            if self._actor is not actor:
                return
        data, clock, adaptive = self._data, self._clock, self._adaptive
        audience, record = actor.audience, self.lags.record
        now = clock()
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
            self.lag_ns = lag
            record(lag)
            try:
                audience.handle(snapshot)
            except BaseException as error:  # noqa: BLE001 - none may escape a handler
                self.failed += 1
                actor._actor_loop_failed(error)
                return
            self.handled += 1
            end = clock()
            if end - now > SLOW_NS:
                self._pace.relapse(self.handled)
                self.quick = False
                break
            now = end
            if self._control:
                break
        if not self.quick:
            self.quick = self._pace.steady(self.handled)
        self._yield()

    def _expires(self, adaptive: AdaptiveCapacity, now_ns: int, lag_ns: int) -> bool:
        expires = adaptive.expires(now_ns, lag_ns, len(self._data))
        if not self._closed:
            self._bound = adaptive.capacity
        self.expired += expires
        return expires

    def _tell_events(self, actor: SnapshotActor) -> bool:
        """Tell the actor the events that come before the head; false when that ended it."""
        while (event := self._due_event()) is not None:
            if event is _STOP:
                actor._actor_loop_step(Envelope(_ActorStop()))
                return False
            try:
                actor.audience.handle_event(event)
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

    def close(self) -> None:
        """Refuse what comes; what waits still counts as `depth`."""
        super().close()
        self._bound = 0

    def _take_stops(self) -> list[Envelope[Any]]:
        while (stop := next((each for each in self._events if each[1] is _STOP), None)) is not None:
            self._events.remove(stop)
        return super()._take_stops()

    def _waiting(self) -> bool:
        return bool(self._data or self._control or self._events)


def _checked_capacity(capacity: object) -> int:
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise InvalidOption("capacity", capacity, "a whole number, at least 1")
    return capacity


def _checked_overflow(overflow: str) -> str:
    if overflow not in OVERFLOW_POLICIES:
        raise InvalidOption("overflow", overflow, f"one of {', '.join(OVERFLOW_POLICIES)}")
    return overflow
