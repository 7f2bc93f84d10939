"""Where messages for one actor wait. It outlives the actor."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pykka import ActorDeadError
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from .reply import answer
from .turn import Turn

if TYPE_CHECKING:
    from .actor import Actor
    from .dispatcher import Dispatching

__all__ = ["Inbox"]


class Inbox:
    """Messages for one actor, in order, and whose turn it is to handle them.

    An inbox is *claimed* while it waits in a dispatcher's run queue, while a thread handles what is
    in it, and while it has no actor. Whoever puts something into an unclaimed one claims it and
    hands it to the dispatcher, so that at most one thread at a time is ever inside the actor.

    Callers hold the inbox, not an `ActorRef`: a restarted actor finds here what was waiting.
    """

    __slots__ = (
        "_actor",
        "_called",
        "_came",
        "_claimed",
        "_clock",
        "_closed",
        "_control",
        "_dispatcher",
        "_submit",
        "_turn",
        "restarts",
        "started_ns",
        "status",
    )

    quick = False
    """Whether it may share a thread with messages that cannot wait."""

    def __init__(self, dispatcher: Dispatching) -> None:
        self._dispatcher = dispatcher
        self._submit = dispatcher.submit
        self._clock = dispatcher.clock.now_ns
        self._turn = Turn.of(self)
        self._control: deque[Envelope[Any]] = deque()
        self._actor: Actor | None = None
        self._claimed = True
        self._called = False
        """Whether anything but snapshots may wait, or an actor that has not begun."""
        self._came = False
        """Whether anything was put into it since it was claimed by who means to leave it empty."""
        self._closed = False
        self.started_ns = 0
        """When the message being handled began, 0 between messages: how a stuck one is known."""
        self.status = "running"
        """What its supervisor has done about its actor: `running`, `restarting`, `quarantined`,
        `stopped`."""
        self.restarts = 0

    def tell(self, message: object) -> None:
        """Put a message, from any thread; never blocks, never raises.

        After `close` it becomes a dead letter.
        """
        self.put(Envelope(message))

    def put(self, envelope: Envelope[Any]) -> None:
        """Put what `ActorRef.tell` or `ask` sends (Pykka's side of an inbox)."""
        with self._turn:
            if self._closed:
                refuse = True
            else:
                refuse = False
                self._control.append(envelope)
                claimed = self._claim()
        if refuse:
            self._refuse(envelope)
            return
        if envelope.reply_to is not None:
            self._dispatcher.lend(envelope.reply_to, self)
        if claimed:
            self._submit(self)

    def get(self) -> Envelope[Any]:
        """Take the oldest message (Pykka's side of an inbox); raises IndexError when empty."""
        return self._control.popleft()

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return not self._waiting()

    @property
    def backlog(self) -> int:
        """Control messages that wait."""
        return len(self._control)

    @property
    def actor(self) -> Actor | None:
        """The actor that handles what comes; None before its start and between restarts."""
        return self._actor

    def attach(self, actor: Actor) -> None:
        """Let `actor` handle what waits and what comes; its `on_start` runs first."""
        with self._turn:
            self._actor = actor
            self._called = True
        self._submit(self)

    def detach(self, actor: Actor) -> None:
        """Keep what waits and what comes for the next actor. Called by the thread inside it.

        What told this actor to stop was not meant for the next one.
        """
        stops: list[Envelope[Any]] = []
        with self._turn:
            if self._actor is actor:
                self._actor = None
                self.started_ns = 0
                stops = self._take_stops()
        for stop in stops:
            if stop.reply_to is not None:
                answer(stop.reply_to, None)

    def stop(self, *, drain: bool) -> None:  # noqa: ARG002 - a mailbox makes a difference
        """Tell the actor, if there is one, to stop: after what waits in a mailbox, or before."""
        if self._actor is not None:
            self.tell(_ActorStop())

    def close(self) -> None:
        """Refuse what waits and what comes: dead letters, and errors to those who asked."""
        with self._turn:
            self._closed = True
            left = [*self._control]
            self._control.clear()
            if self._actor is not None:
                # It is in a handler; what tells it to stop is the first it shall find.
                self._control.extend(each for each in left if _is_stop(each))
                left = [each for each in left if not _is_stop(each)]
        for envelope in left:
            self._refuse(envelope)

    def run(self, throughput: int) -> None:
        """Handle up to `throughput` messages. Called by a thread of the dispatcher's.

        The caller holds the claim; at the end it is given back, or the inbox goes back in line.
        """
        actor = self._actor
        if actor is None:
            return
        self._run_control(actor, throughput)
        if self._actor is actor:
            self._yield()

    def _run_control(self, actor: Actor, throughput: int) -> None:
        self.started_ns = self._clock()
        if not actor._actor_began:
            actor._actor_loop_setup()
        for _ in range(throughput):
            if not self._control or self._actor is not actor:
                return
            self.started_ns = self._clock()
            actor._actor_loop_step(self._control.popleft())

    def _take_stops(self) -> list[Envelope[Any]]:
        """Take out what tells the actor to stop. Called in a turn."""
        stops = [each for each in self._control if _is_stop(each)]
        for stop in stops:
            self._control.remove(stop)
        return stops

    def _waiting(self) -> bool:
        return bool(self._control)

    def _yield(self) -> None:
        self.started_ns = 0
        turn = self._turn
        try:
            try:
                turn.take()
            except IndexError:
                turn.wait()
            self._claimed = again = self._waiting()
        finally:
            turn.give(None)
        if again:
            self._submit(self)

    def _claim(self) -> bool:
        """Claim it if nobody has, for what was put into it. Called in a turn."""
        self._came = self._called = True
        if self._claimed:
            return False
        self._claimed = True
        return True

    def _refuse(self, envelope: Envelope[Any]) -> None:
        if envelope.reply_to is None:
            if not _is_stop(envelope):
                self._dispatcher.dead_letters.add("stopped", envelope.message)
        elif _is_stop(envelope):
            answer(envelope.reply_to, None)
        else:
            error = ActorDeadError("the actor stopped before handling the message")
            answer(envelope.reply_to, error)


def _is_stop(envelope: Envelope[Any]) -> bool:
    return isinstance(envelope.message, _ActorStop)
