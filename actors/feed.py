"""The actor of one connection of a feed: it keeps the connection alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from loguru import logger

from ..analysis import FullJitter
from ..exchanges import EXCHANGES, Feed
from ..messages import (
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
    FeedStalled,
)
from ..runtime import Actor, Dispatching, Inbox, Mailbox, Transport
from .connect_gate import ConnectGate
from .connection import Connection
from .connection_states import CONNECTION_STATES
from .feed_status import FeedStatus

__all__ = ["FeedActor"]

CHECK_S = 1.0


class FeedActor(Actor):
    """Keep one connection alive, for ever: connect, ping, notice silence, back off, connect again.

    The states are a table (`CONNECTION_STATES`). A lost connection is normal life and spends no
    restart of the supervisor's. The back-off is full jitter, capped, and attempts wait for the
    exchange's connect budget.

    `mailboxes`: by symbol, where snapshots go. `status` outlives the actor.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        status: FeedStatus,
        mailboxes: Mapping[str, Mailbox],
        transport: Transport,
        gate: ConnectGate,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key=status.name, supervisor=supervisor)
        self._feed = feed
        self._exchange = EXCHANGES[feed.exchange]
        self._status = status
        self._mailboxes = mailboxes
        self._transport = transport
        self._gate = gate
        self._backoff = FullJitter()
        self._opened_ns = self._pinged_ns = 0
        self._leaving = False
        self._on: dict[type, Callable[[Any], object]] = {
            ConnectionOpened: self._on_opened,
            ConnectionStreaming: self._on_streaming,
            ConnectionRefused: self._on_refused,
            ConnectionLost: self._on_lost,
            _Retry: self._on_retry,
            _Check: self._on_check,
        }

    def on_start(self) -> None:
        """Connect; after a crash, leave the connection it had and make a new one."""
        self._hang_up()
        self._status.state = "idle"
        self._enter("start")
        self._connect()
        self._tell_later(CHECK_S, _Check(self))

    def _stop(self) -> None:
        """Close the connection, and stop when it is lost, so that it offers nothing any more.

        Told again, it stops at once.
        """
        self._enter("stop")
        if self._leaving or self._status.link is None:
            super()._stop()
        self._leaving = True
        self._hang_up()

    def on_receive(self, message: Any) -> None:
        """Follow the connection's life; what an earlier connection tells only adds to the sums."""
        current = getattr(message, "connection", self._status.connection)
        if (handle := self._on.get(type(message))) is None:
            super().on_receive(message)
        elif current is self._status.connection:
            handle(message)
        elif isinstance(message, ConnectionLost):
            self._status.retire(message.connection)

    def _on_opened(self, _: ConnectionOpened) -> None:
        self._enter("opened")
        self._status.lost = False
        self._opened_ns = self._pinged_ns = self._now_ns()

    def _on_streaming(self, _: ConnectionStreaming) -> None:
        self._enter("snapshot")
        self._backoff.reset()

    def _on_refused(self, message: ConnectionRefused) -> None:
        self._status.last_error = str(message.reply)

    def _on_lost(self, message: ConnectionLost) -> None:
        self._status.retire(message.connection)
        if self._leaving:
            super()._stop()
            return
        self._status.lost = True
        self._status.last_error = message.reason
        self._status.reconnects += 1
        self._enter("lost")
        delay_s = self._backoff.delay(self.dispatcher.random.random())
        logger.warning("{}: lost ({}); again in {:.1f} s", self.key, message.reason, delay_s)
        self._tell_later(delay_s, _Retry(self))

    def _on_retry(self, message: _Retry) -> None:
        if message.actor is self and not self._leaving:
            self._enter("retry")
            self._connect()

    def _connect(self) -> None:
        wait_s = self._gate.enter(self._feed.exchange)
        if wait_s > 0:
            self._tell_later(wait_s, _Retry(self))
            return
        protocol = self._exchange.protocol(self._feed.symbols, self._feed.stream)
        url = protocol.url(self._feed.url or self._exchange.endpoints[0])
        connection = Connection(
            self.key,
            url,
            protocol,
            self._mailboxes,
            self.inbox,
            tells_loss=not self._status.lost,
        )
        self._opened_ns = self._now_ns()
        self._status.connection = connection
        self._status.link = self._transport.open(self.key, url, connection)

    def _on_check(self, message: _Check) -> None:
        if message.actor is not self:
            return
        self._tell_later(CHECK_S, _Check(self))
        link = self._status.link
        if link is None or self._status.state not in {"subscribing", "streaming"}:
            return
        if self._silence_s() > self._exchange.silence_limit_s:
            self._give_up_on_silence()
            return
        interval_s = self._exchange.ping_interval_s
        if interval_s is not None and self._now_ns() - self._pinged_ns >= interval_s * 1e9:
            self._pinged_ns = self._now_ns()
            link.ping()

    def _give_up_on_silence(self) -> None:
        silence_s = self._silence_s()
        for mailbox in self._mailboxes.values():
            mailbox.post(FeedStalled(key=mailbox.key, silence_s=silence_s))
        self._hang_up(f"silent for {silence_s:.0f} s")

    def _silence_s(self) -> float:
        connection = self._status.connection
        last_ns = connection.last_frame_ns if connection else None
        return (self._now_ns() - (last_ns or self._opened_ns)) / 1e9

    def _hang_up(self, reason: str = "closed by us") -> None:
        """Close the connection; that it is lost is told when its reading thread has noticed."""
        if self._status.link is not None:
            self._status.link.close(reason)

    def _enter(self, event: str) -> None:
        state = CONNECTION_STATES[self._status.state].get(event)
        if state is not None:
            self._status.state = state

    def _now_ns(self) -> int:
        return self.dispatcher.clock.now_ns()

    def _tell_later(self, delay_s: float, message: object) -> None:
        self.dispatcher.call_later(delay_s, lambda: self.inbox.tell(message))


@attrs.frozen
class _Retry:
    """The back-off, or the wait for the connect budget, is over."""

    actor: FeedActor
    """Whose it was: a restarted actor has its own."""


@attrs.frozen
class _Check:
    """It is time to look whether the connection says anything, and to ping it."""

    actor: FeedActor
