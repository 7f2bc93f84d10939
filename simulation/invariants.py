"""What must always hold, each a function with a name.

Those of a symbol return what is wrong, or None; those of the whole yield it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Thread
from typing import TYPE_CHECKING

import attrs

from ..messages import FeedEvent, SequenceReset, Snapshot
from ..runtime import Mailbox

if TYPE_CHECKING:
    from pykka import ActorRef

    from ..runtime import Actor
    from .expectations import Expectations

__all__ = [
    "INVARIANTS",
    "LEFTOVERS",
    "SYMBOL_INVARIANTS",
    "Remains",
    "Scenery",
    "Watched",
    "counts_add_up",
    "crashes_are_answered",
    "depth_is_bounded",
    "faults_are_noticed",
    "latest_never_goes_back",
    "no_actor_is_left",
    "no_connection_is_left",
    "no_thread_is_left",
    "no_timer_is_left",
    "resets_are_told",
    "snapshots_come_in_order",
    "what_waits_is_handled",
]

ANSWERED_S = 60.0
"""A crash is answered by then: the longest back-off of a restart is 36 s."""
HANDLED_S = 10.0
"""In so long, a handler that is free has taken what waits."""
TOLD_S = 60.0


@attrs.define(eq=False)
class Watched:
    """One symbol's mailbox, and what was seen of it."""

    key: str
    mailbox: Mailbox
    handled: Snapshot | None = None
    """What its handler was given last."""
    disorder: str | None = None
    """What was wrong with the order its handler was given."""
    resets: int = 0
    """How often it was told that the exchange's numbers began again."""
    latest: Snapshot | None = None
    """What was seen as the latest."""
    set_back: int = 0
    """How often that went back in time."""
    unanswered_s: float | None = None
    """Since when a crash has not been answered."""
    untold_s: float | None = None
    """Since when a reset has not been told."""
    busy: bool = False
    """Whether its handler was with a snapshot when it was last looked at."""
    gone: int = 0
    """How many snapshots had left its mailbox by then."""
    stuck_s: float | None = None
    """Since when some wait, and none has left, while its handler is free."""
    _reset: bool = False

    def handle(self, snapshot: Snapshot) -> None:
        """Take what the handlers are given."""
        last = self.handled
        if last is not None and not self._reset and not is_newer(snapshot, last):
            self.disorder = f"{_stamp(snapshot)} was handled after {_stamp(last)}"
        self.handled = snapshot
        self._reset = False

    def on_event(self, event: FeedEvent) -> None:
        """Take what happened to the feed."""
        if isinstance(event, SequenceReset):
            self.resets += 1
            self._reset = True


@attrs.define(eq=False)
class Scenery:
    """All symbols that are watched, what was reported of them, and what is expected."""

    watched: Sequence[Watched]
    expectations: Expectations
    reported: set[str | None] = attrs.field(factory=set)
    """Symbols told to be given up."""
    now_s: float = 0.0


@attrs.frozen(kw_only=True)
class Remains:
    """What is left of ours after `stop`."""

    threads: Sequence[Thread]
    actors: Sequence[ActorRef[Actor]]
    connections: Mapping[str, int]
    """By exchange, as it sees them."""
    timers: int


# -- of each symbol


def counts_add_up(watched: Watched) -> str | None:
    """All that was offered is accounted for; at rest."""
    box = watched.mailbox
    became = box.handled + box.failed + box.lost + box.rejected + box.depth
    if box.offered == became:
        return None
    return f"{box.offered} offered to {watched.key}, and {became} accounted for"


def depth_is_bounded(watched: Watched) -> str | None:
    """No more wait than may."""
    depth, capacity = watched.mailbox.depth, watched.mailbox.capacity
    return None if depth <= capacity else f"{depth} wait for {watched.key}, over {capacity}"


def snapshots_come_in_order(watched: Watched) -> str | None:
    """Handlers get newer and newer snapshots, but where they are told of a reset."""
    disorder, watched.disorder = watched.disorder, None
    return None if disorder is None else f"{watched.key}: {disorder}"


def latest_never_goes_back(watched: Watched) -> str | None:
    """Of the latest snapshots none is older than the one before, but for a reset."""
    before, latest = watched.latest, watched.mailbox.latest
    if latest is before:
        return None
    watched.latest = latest
    if latest is None:
        return f"{watched.key} had a latest snapshot and has none"
    if before is not None and not is_newer(latest, before):
        # Its reset stands before it in the mailbox: `resets_are_told` waits for it.
        watched.set_back += 1
    return None


# -- of the whole


def resets_are_told(scenery: Scenery) -> Iterator[str]:
    """Where the latest went back, the handlers are told of a reset."""
    for each in scenery.watched:
        if each.set_back <= each.resets or each.mailbox.status != "running":
            each.untold_s = None
        elif each.untold_s is None:
            each.untold_s = scenery.now_s
        elif scenery.now_s - each.untold_s > TOLD_S:
            yield f"the latest of {each.key} went back, and no reset was told"


def crashes_are_answered(scenery: Scenery) -> Iterator[str]:
    """Whose handler failed is running again, or given up and reported."""
    for each in scenery.watched:
        box = each.mailbox
        if box.status == "running" and box.actor is not None:
            each.unanswered_s = None
        elif each.unanswered_s is None:
            each.unanswered_s = scenery.now_s
        elif scenery.now_s - each.unanswered_s <= ANSWERED_S:
            continue
        elif box.status != "quarantined":
            yield f"{each.key} is {box.status} for long"
        elif each.key not in scenery.reported:
            yield f"{each.key} is quarantined, and that was not reported"


def what_waits_is_handled(scenery: Scenery) -> Iterator[str]:
    """Snapshots that wait are handled in the end, while their actor runs."""
    for each in scenery.watched:
        box = each.mailbox
        before, each.gone = each.gone, box.accepted - box.depth
        free = box.status == "running" and box.actor is not None and not each.busy
        if not (free and box.depth and each.gone == before):
            each.stuck_s = None
        elif each.stuck_s is None:
            each.stuck_s = scenery.now_s
        elif scenery.now_s - each.stuck_s > HANDLED_S:
            yield f"snapshots wait for {each.key}, and its handler is given none"


def faults_are_noticed(scenery: Scenery) -> Iterator[str]:
    """Every fault that should raise an anomaly does in time, and it clears."""
    return scenery.expectations.failures(scenery.now_s)


# -- after the end


def no_thread_is_left(remains: Remains) -> Iterator[str]:
    """Every thread of ours has ended."""
    yield from (f"thread {each.name}" for each in remains.threads)


def no_actor_is_left(remains: Remains) -> Iterator[str]:
    """Every actor of ours has stopped."""
    yield from (f"actor {each}" for each in remains.actors)


def no_connection_is_left(remains: Remains) -> Iterator[str]:
    """Every socket of ours is closed."""
    for exchange, number in remains.connections.items():
        if number:
            yield f"{number} connections to {exchange}"


def no_timer_is_left(remains: Remains) -> Iterator[str]:
    """No call of ours is still to come."""
    if remains.timers:
        yield f"{remains.timers} timers"


SYMBOL_INVARIANTS: tuple[Callable[[Watched], str | None], ...] = (
    counts_add_up,
    depth_is_bounded,
    snapshots_come_in_order,
    latest_never_goes_back,
)
"""The first of them at rest only."""

INVARIANTS: tuple[Callable[[Scenery], Iterator[str]], ...] = (
    resets_are_told,
    crashes_are_answered,
    what_waits_is_handled,
    faults_are_noticed,
)

LEFTOVERS: tuple[Callable[[Remains], Iterator[str]], ...] = (
    no_thread_is_left,
    no_actor_is_left,
    no_connection_is_left,
    no_timer_is_left,
)
"""For after `stop`."""


def is_newer(snapshot: Snapshot, than: Snapshot) -> bool:
    """Say whether a snapshot may follow another: by its number, else its time stamp."""
    new, old = snapshot.sequence, than.sequence
    if new is None or old is None:
        new, old = snapshot.exchange_time_ms, than.exchange_time_ms
    if new is None or old is None or new > old:
        return True
    return new == old and (snapshot.bids, snapshot.asks) != (than.bids, than.asks)


def _stamp(snapshot: Snapshot) -> str:
    return f"number {snapshot.sequence}, time {snapshot.exchange_time_ms}"
