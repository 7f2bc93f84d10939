"""The actor that sends alerts to one receiver, and what waits for it."""

from __future__ import annotations

from typing import Any

import attrs
from loguru import logger

from ..analysis import Outbox
from ..messages import AlertNotice, AlertNotTaken, ReceiverMetrics
from ..runtime import Actor, Dispatching, Inbox
from .sinks import Sink

__all__ = ["Receiver", "ReceiverActor"]

COMPLAIN_S = 60.0


class Receiver:
    """One receiver of alerts: what waits for it, and what became of the rest. Outlives its actor.

    At most 1000 notices wait; then the oldest gives way.
    """

    def __init__(self, sink: Sink, dispatcher: Dispatching) -> None:
        self.sink = sink
        self.inbox = Inbox(dispatcher)
        self.outbox: Outbox[AlertNotice] = Outbox()
        # Written by its actor.
        self.sent = self.failed = self.refused = 0
        self.last_error: str | None = None

    def put(self, notice: AlertNotice) -> None:
        """Have a notice sent when its turn comes; any thread, never blocks."""
        self.outbox.put(notice)
        self.nudge()

    def nudge(self) -> None:
        """Have its actor look what is to be sent; while it is busy one look ahead is enough."""
        if not self.inbox.backlog:
            self.inbox.tell(_Send())

    def retry(self) -> None:
        """Have what failed sent again."""
        self.outbox.wake()
        self.nudge()

    def metrics(self) -> ReceiverMetrics:
        """Return what there is to know of it; any thread."""
        return ReceiverMetrics(
            name=self.sink.name,
            sent=self.sent,
            failed=self.failed,
            refused=self.refused,
            dropped=self.outbox.dropped,
            waiting=len(self.outbox),
            last_error=self.last_error,
        )


class ReceiverActor(Actor):
    """Send what waits for one receiver, one notice after the other, again until it is taken.

    Its sink may block: the slow lane's thread that waits there is relieved by a spare as soon as
    anything else wants to run. A receiver that fails is logged once a minute. When it stops it
    sends what waits, up to the first failure, unless the last attempt failed already.
    """

    def __init__(
        self,
        *,
        key: str,
        receiver: Receiver,
        dispatcher: Dispatching,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(
            dispatcher=dispatcher, inbox=receiver.inbox, key=key, supervisor=supervisor
        )
        self._receiver = receiver
        self._complained_s = float("-inf")
        self._dropped = 0

    def on_start(self) -> None:
        """Go on with what an earlier actor has left."""
        self._receiver.nudge()

    def on_receive(self, message: Any) -> None:
        """Send one notice, so that the word to stop does not wait for all of them."""
        if not isinstance(message, _Send):
            super().on_receive(message)
        elif self._send_next():
            self._receiver.nudge()

    def on_stop(self) -> None:
        """Send what waits, if that goes well."""
        while not self._receiver.outbox.failures and self._send_next():
            pass

    def _send_next(self) -> bool:
        """Send a notice; return whether there was one."""
        notice = self._receiver.outbox.take()
        if notice is None:
            return False
        try:
            self._receiver.sink.send(attrs.evolve(notice, at_unix_s=self.dispatcher.clock.unix_s()))
        except BaseException as error:  # noqa: BLE001 - a sink may be the host's code
            self._on_failed(error)
        else:
            self._receiver.sent += 1
            self._receiver.outbox.settle()
        self._complain()
        return True

    def _on_failed(self, error: BaseException) -> None:
        receiver = self._receiver
        # Whoever raises anything else may have put a URL into its words.
        if not isinstance(error, AlertNotTaken):
            error = AlertNotTaken(type(error).__name__)
        receiver.last_error = error.reason
        if not error.retry:
            receiver.refused += 1
            receiver.outbox.settle()
            return
        receiver.failed += 1
        delay_s = receiver.outbox.fail(self._now_s(), self.dispatcher.random.random())
        self.dispatcher.call_later(delay_s, receiver.retry)

    def _complain(self) -> None:
        receiver = self._receiver
        lost = receiver.outbox.dropped + receiver.refused - self._dropped
        if not lost and not receiver.outbox.failures:
            return
        if self._now_s() - self._complained_s < COMPLAIN_S:
            return
        self._complained_s = self._now_s()
        self._dropped += lost
        logger.warning(
            "{} does not take alerts ({}): {} attempts failed in a row, {} wait, {} are lost",
            receiver.sink.name,
            receiver.last_error,
            receiver.outbox.failures,
            len(receiver.outbox),
            lost,
        )

    def _now_s(self) -> float:
        return self.dispatcher.clock.now_ns() / 1e9


class _Send:
    """There may be something to send."""
