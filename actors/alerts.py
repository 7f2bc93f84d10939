"""The actor that turns anomalies into alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..analysis import AlertRules
from ..messages import AnomalyAlert
from ..runtime import Actor, Dispatching, Inbox
from .receivers import Receiver

__all__ = ["AlertActor"]

TICK_S = 1.0


class AlertActor(Actor):
    """Hold every anomaly against the rules, and give each receiver the notices that are due.

    It never waits for a receiver. Those that must be reminded of what fires are, unless something
    waits for them still, which says the same.
    """

    def __init__(
        self,
        *,
        rules: AlertRules,
        receivers: Sequence[Receiver],
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="alerts", supervisor=supervisor)
        self._rules = rules
        self._receivers = receivers
        self._reminded_s = dict.fromkeys(receivers, self._now_s())

    def on_start(self) -> None:
        """Look every second whether something is due."""
        self._tick_later()

    def on_receive(self, message: Any) -> None:
        """Take an anomaly, or look what is due."""
        if isinstance(message, AnomalyAlert):
            self._rules.note(message, self._now_s(), self.dispatcher.clock.unix_s())
        elif not isinstance(message, _Tick):
            super().on_receive(message)
        elif message.actor is self:
            self._tick_later()
            self._tick()

    def _tick(self) -> None:
        for notice in self._rules.tick(self._now_s(), self.dispatcher.clock.unix_s()):
            for receiver in self._receivers:
                receiver.put(notice)
        for receiver in self._receivers:
            self._remind(receiver)

    def _remind(self, receiver: Receiver) -> None:
        resend_s, now_s = receiver.sink.resend_s, self._now_s()
        if resend_s is None or now_s - self._reminded_s[receiver] < resend_s:
            return
        self._reminded_s[receiver] = now_s
        reminder = self._rules.firing(self.dispatcher.clock.unix_s())
        if reminder is not None and not len(receiver.outbox):
            receiver.put(reminder)

    def _tick_later(self) -> None:
        self.dispatcher.call_later(TICK_S, lambda: self.inbox.tell(_Tick(self)))

    def _now_s(self) -> float:
        return self.dispatcher.clock.now_ns() / 1e9


class _Tick:
    """A second is over. A restarted actor has seconds of its own."""

    def __init__(self, actor: AlertActor) -> None:
        self.actor = actor
