"""The producers' side of a symbol's bounded mailbox: what is taken, and what gives way."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pykka._envelope import Envelope

from ..analysis import Freshness, Verdict, is_newer
from ..messages import FeedEvent, InvalidOption, Outcome, SequenceReset, Snapshot
from .inbox import Inbox
from .reply import answer

if TYPE_CHECKING:
    from .dispatcher import Dispatching

__all__ = ["OVERFLOW_POLICIES", "STOP", "Intake"]

STOP = FeedEvent(key="")
"""Stands among the events where an actor is to stop."""

OVERFLOW_POLICIES = ("drop_oldest", "drop_newest", "conflate")
MAX_EVENTS = 1000

# Asking an enum for a member costs 0.1 µs.
ACCEPTED = Outcome.ACCEPTED
_STOPPED = Outcome.STOPPED


class Intake(Inbox):
    """What producers put into a mailbox, and what there is to know of it; from any thread.

    Producers count in a turn of theirs: counts are exact without the GIL, too. What is counted
    here and what the handling side counts (`Mailbox`) add up at rest:
    `offered == handled + failed + dropped + conflated + expired + rejected + depth`.
    """

    __slots__ = (
        "_accepted",
        "_bound",
        "_data",
        "_deepest",
        "_displaced",
        "_events",
        "_freshness",
        "_overflow",
        "_peak",
        "_refused",
        "accepted_ns",
        "at_once",
        "capacity",
        "key",
        "latest",
        "quick",
        "rejected",
    )

    def __init__(self, key: str, dispatcher: Dispatching, *, capacity: int, overflow: str) -> None:
        super().__init__(dispatcher)
        self.key = key
        self.capacity = _checked_capacity(capacity)
        self._overflow = _checked_overflow(overflow)
        self._bound = 1 if overflow == "conflate" else capacity
        self._data: deque[tuple[int, Snapshot]] = deque()
        self._events: list[tuple[int, FeedEvent]] = []
        self.latest: Snapshot | None = None
        """The newest accepted snapshot: set when accepted, not when handled."""
        self._freshness: Freshness | None = None
        """What decides which is the latest while there may be doubts."""
        self._accepted = self._displaced = self._refused = self.rejected = 0
        self.at_once = 0
        """Accepted and handled on the spot, without ever waiting here; or being handled so."""
        self._peak = self._deepest = 0
        self.accepted_ns: int | None = None
        """When the last snapshot was accepted."""
        self.quick = True
        """Whether its handler was quick so far. Written by the one thread inside the actor."""

    @property
    def depth(self) -> int:
        """Snapshots waiting now."""
        return len(self._data)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing has since the greatest depth was last asked."""
        return not (self._peak or self._data)

    @property
    def offered(self) -> int:
        """All that was offered since the start."""
        return self.accepted + self._refused + self.rejected

    @property
    def queued(self) -> int:
        """All that was put in line since the start."""
        return self._accepted

    @property
    def accepted(self) -> int:
        """All that was taken since the start."""
        return self._accepted + self.at_once

    @property
    def dropped(self) -> int:
        """Lost for want of room."""
        return self._refused + (0 if self._overflow == "conflate" else self._displaced)

    @property
    def conflated(self) -> int:
        """Replaced by a newer one while waiting."""
        return self._displaced if self._overflow == "conflate" else 0

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

    def _cut_peak(self) -> int:
        """Return the greatest depth since this was last asked. Called in a turn."""
        peak, self._peak = self._peak, len(self._data)
        self._deepest = max(peak, self._deepest)
        return peak

    def offer(self, snapshot: Snapshot) -> Outcome:
        """Take the snapshot, or say why not; from any thread, without blocking."""
        claimed, turn, clock = False, self._turn, self._clock
        take, give = turn.take, turn.give
        try:
            try:
                take()
            except IndexError:
                turn.wait()
            data, latest = self._data, self.latest
            depth = len(data)
            now = clock()
            if depth >= self._bound:
                outcome = self._offer_full(snapshot, now)
                depth = len(data)
            elif (
                self._freshness is not None
                or latest is None
                or (new := snapshot.sequence) is None
                or (old := latest.sequence) is None
                or new <= old
            ):
                outcome = self._judge(snapshot, now)
            else:
                # Nearly always; by hand, since a call would cost every message 60 ns.
                self.latest = snapshot
                outcome = ACCEPTED
            if outcome.taken:
                data.append((now, snapshot))
                self._accepted += 1
                self.accepted_ns = now
                if depth >= self._peak:
                    self._peak = depth + 1
                if self._claimed:
                    self._came = True
                    return outcome
                self._claimed = claimed = True
        finally:
            give(None)
        if claimed:
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
            self.post(STOP)
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
            if (self._freshness or Freshness(self.latest)).knows(snapshot):
                self.rejected += 1
                return Outcome.REJECTED
            self._refused += 1
            return Outcome.DROPPED
        outcome = self._judge(snapshot, now_ns)
        return self._displace() if outcome.taken else outcome

    def _make_room_for_event(self) -> FeedEvent | None:
        """Take out the oldest event, if there are too many, but not the word to stop."""
        if len(self._events) < MAX_EVENTS:
            return None
        return self._events.pop(1 if self._events[0][1] is STOP else 0)[1]

    def _judge(self, snapshot: Snapshot, now_ns: int) -> Outcome:
        """Keep it as the latest, unless it is older or already known. Called in a turn."""
        latest, freshness = self.latest, self._freshness
        if freshness is None:
            if latest is None or is_newer(snapshot, latest):
                self.latest = snapshot
                return ACCEPTED
            freshness = Freshness(latest)
        verdict = freshness.judge(snapshot, now_ns)
        self.latest = freshness.latest
        self._freshness = None if freshness.calm else freshness
        if verdict is Verdict.STALE:
            self.rejected += 1
            return Outcome.REJECTED
        if verdict is Verdict.RESET:
            self._events.append((self._accepted, SequenceReset(key=self.key)))
            self._called = True
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

    def close(self) -> None:
        """Refuse what comes; what waits still counts as `depth`."""
        super().close()
        self._bound = 0

    def _take_stops(self) -> list[Envelope[Any]]:
        while (stop := next((each for each in self._events if each[1] is STOP), None)) is not None:
            self._events.remove(stop)
        return super()._take_stops()

    def _waiting(self) -> bool:
        return bool(self._data) or self._called


def _checked_capacity(capacity: object) -> int:
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise InvalidOption("capacity", capacity, "a whole number, at least 1")
    return capacity


def _checked_overflow(overflow: str) -> str:
    if overflow not in OVERFLOW_POLICIES:
        raise InvalidOption("overflow", overflow, f"one of {', '.join(OVERFLOW_POLICIES)}")
    return overflow
