"""The actor of one connection of a feed: it keeps the connection alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from loguru import logger

from ..analysis import SilenceLimits
from ..exchanges import EXCHANGES, Feed
from ..messages import (
    ConnectionAsks,
    ConnectionEnding,
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
    Reconnect,
    SymbolsChanged,
)
from ..runtime import Actor, Dispatching, Inbox, Timer, Transport
from .book_desk import BookDesk
from .connect_gate import ConnectGate
from .connection import Connection
from .connection_states import CONNECTION_STATES
from .feed_part import FeedPart
from .feed_status import FeedStatus
from .line import Line
from .retries import Retries
from .silence_watch import SilenceWatch

__all__ = ["FeedActor"]

ROLLS = {state for state, events in CONNECTION_STATES.items() if "roll" in events}
"""The states in which a connection may be given a successor."""
MARGIN_S = 0.01
"""A budget is asked again so much later than it said: no timer is exact."""


class FeedActor(Actor):
    """Keep one connection alive, for ever: connect, ping, notice silence, back off, connect again.

    The states are a table (`CONNECTION_STATES`). A lost connection is normal life and spends no
    restart of the supervisor's. Before its lifetime ends, and when the exchange says that it will
    close it, a connection is replaced by one that streams already.

    `feed`: exchange, stream and endpoints. `part`: the symbols, as they are now, and who hears what
    of the connection. `standby`: 0, 1, ... for each of a part's connections. `status` outlives the
    actor. `limits`: when silence is probed. `desk`: who fetches books, where the stream needs it.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        part: FeedPart,
        status: FeedStatus,
        transport: Transport,
        gate: ConnectGate,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
        standby: int = 0,
        limits: SilenceLimits | None = None,
        desk: BookDesk | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key=status.name, supervisor=supervisor)
        self._feed = feed
        self._exchange = EXCHANGES[feed.exchange]
        self._part = part
        self._status = status
        self._transport = transport
        self._retries = Retries(status.name, feed, standby, gate, dispatcher)
        self._limits = limits or SilenceLimits()
        self._desk = desk
        self._silence = SilenceWatch(status.name, part, self._limits)
        self._line: Line | None = None
        self._successor: Line | None = None
        self._due: _Retry | None = None
        self._retry: Timer | None = None
        self._leaving = False
        self._on: dict[type, Callable[[Any], object]] = {
            ConnectionOpened: self._on_opened,
            ConnectionStreaming: self._on_streaming,
            ConnectionRefused: self._on_refused,
            ConnectionAsks: self._on_asks,
            ConnectionEnding: self._on_ending,
            ConnectionLost: self._on_lost,
            Reconnect: self._on_reconnect,
            SymbolsChanged: self._on_symbols_changed,
            _Retry: self._on_retry,
            _Check: self._on_check,
        }

    def on_start(self) -> None:
        """Connect; after a crash, leave the connections it had and make a new one."""
        self._status.hang_up()
        self._status.state = "idle"
        self._enter("start")
        self._connect()
        self._tell_later(self._limits.check_s, _Check(self))

    def _stop(self) -> None:
        """Close the connections, and stop when they are lost, so that they offer nothing any more.

        Told again, it stops at once.
        """
        self._enter("stop")
        if self._retry is not None:
            self._retry.cancel()
        if self._leaving or not self._status.links:
            super()._stop()
        self._leaving = True
        self._status.hang_up()

    def on_receive(self, message: Any) -> None:
        """Follow the connections' lives; those of an earlier actor only add to the sums."""
        if (handle := self._on.get(type(message))) is None:
            super().on_receive(message)
        else:
            handle(message)

    # -- what is told by connections

    def _on_opened(self, message: ConnectionOpened) -> None:
        if (line := self._line_of(message.connection)) is None:
            return
        self._retries.opened(line.base)
        now_ns = self._now_ns()
        self._silence.opened(line, now_ns)
        line.change_to(self._part.mailboxes.copy())
        line.flush(now_ns)
        line.grow_old(now_ns, self.dispatcher.random.random())
        if line is self._line:
            self._enter("opened")

    def _on_streaming(self, message: ConnectionStreaming) -> None:
        if (line := self._line_of(message.connection)) is None:
            return
        line.streams = True
        self._retries.streams()
        before = self._line
        if line is before:
            self._enter("snapshot")
            return
        self._take(line)
        self._enter("rolled")
        if before is not None:
            before.link.close("rolled over")

    def _on_refused(self, message: ConnectionRefused) -> None:
        reply = message.reply
        self._status.last_error = str(reply)
        line = self._line_of(message.connection)
        # What a REST side refuses is asked for again by the desk.
        if line is None or reply.of_rest:
            return
        if line.rejected(reply.symbols, self._now_ns(), self.dispatcher.random.random()):
            logger.warning("{}: {}; it is asked for again", self.key, reply)

    def _on_asks(self, message: ConnectionAsks) -> None:
        if (line := self._line_of(message.connection)) is not None:
            line.say((message.text,))
            line.flush(self._now_ns())

    def _on_ending(self, message: ConnectionEnding) -> None:
        if (line := self._line_of(message.connection)) is not None:
            line.roll_at_ns = self._now_ns()
            self._roll_if_due()

    def _on_lost(self, message: ConnectionLost) -> None:
        line = self._line_of(message.connection)
        self._status.retire(message.connection)
        if self._leaving:
            if not self._status.links:
                super()._stop()
        elif line is not None:
            self._status.last_error = message.reason
            self._status.reconnects += 1
            self._replace(line, self._retries.lost(message, line.base, streamed=line.streams))

    # -- what is done about it

    def _replace(self, lost: Line, delay_s: float) -> None:
        successor, self._successor = self._successor, None
        if lost is successor:
            self._enter("failed")
            if self._line is not None and self._line.streams:
                self._enter("snapshot")
            self._roll_later(delay_s)
        elif successor is not None:
            self._take(successor)
            self._enter("taken over")
            if successor.silence is not None:
                self._enter("opened")
        else:
            self._line = None
            self._enter("lost")
            self._retry_in(delay_s)

    def _take(self, line: Line) -> None:
        self._line, self._successor = line, None
        self._status.connection = line.connection

    def _roll_if_due(self) -> None:
        line = self._line
        if line and self._status.state in ROLLS and self._now_ns() >= line.roll_at_ns:
            self._enter("roll")
            self._connect()

    def _roll_later(self, delay_s: float) -> None:
        if self._line is not None:
            self._line.roll_at_ns = self._now_ns() + delay_s * 1e9

    def _on_retry(self, message: _Retry) -> None:
        if message is self._due and not self._leaving:
            self._enter("retry")
            self._connect()

    def _on_reconnect(self, message: Reconnect) -> None:
        if self._line is not None:
            self._line.link.close(message.reason)

    def _retry_in(self, delay_s: float) -> None:
        self._due = _Retry()
        self._retry = self._tell_later(delay_s, self._due)

    def _connect(self) -> None:
        self._due = None
        if (wait_s := self._retries.enter()) > 0:
            self._enter("held")
            self._retry_in(wait_s + MARGIN_S)
            return
        line = self._open(self._retries.base)
        if self._line is None:
            self._take(line)
        else:
            self._successor = line

    def _open(self, base: str) -> Line:
        symbols = self._part.mailboxes.copy()
        protocol = self._exchange.protocol(tuple(symbols), self._feed.stream)
        connection = Connection(
            self.key, protocol.url(base), protocol, self._part, self.inbox, desk=self._desk
        )
        # Its frames may come before `open` has returned, and they count.
        self._status.attach(connection, None)
        link = self._transport.open(self.key, connection.url, connection)
        self._status.attach(connection, link)
        return Line(connection, link, protocol, self._exchange, base, symbols)

    def _on_symbols_changed(self, _: SymbolsChanged) -> None:
        for line in self._lines:
            # The others ask for what there is when they are open.
            if line.silence is not None:
                line.change_to(self._part.mailboxes.copy())
                line.flush(self._now_ns())
        if self._desk is not None:
            self._desk.tidy()

    def _on_check(self, message: _Check) -> None:
        if message.actor is not self:
            return
        self._tell_later(self._limits.check_s, message)
        now_ns = self._now_ns()
        for line in self._lines:
            if self._silence.stalls(line, now_ns) and line is self._line:
                self._enter("silent")
        self._part.note_filled()
        if self._line is not None:
            self._silence.ask_quiet_symbols(self._line, now_ns)
        self._roll_if_due()

    # -- inside

    @property
    def _lines(self) -> list[Line]:
        return [line for line in (self._line, self._successor) if line is not None]

    def _line_of(self, connection: Connection) -> Line | None:
        return next((line for line in self._lines if line.connection is connection), None)

    def _enter(self, event: str) -> None:
        state = CONNECTION_STATES[self._status.state]
        self._status.state = state.get(event, self._status.state)

    def _now_ns(self) -> int:
        return self.dispatcher.clock.now_ns()

    def _tell_later(self, delay_s: float, message: object) -> Timer:
        return self.dispatcher.call_later(delay_s, lambda: self.inbox.tell(message))


@attrs.frozen(eq=False)
class _Retry:
    """The back-off, or the wait for the connect budget, is over."""


@attrs.frozen(eq=False)
class _Check:
    """It is time to look whether the connection says anything, and to ping it."""

    actor: FeedActor
    """Whose it was: a restarted actor has its own."""
