"""The actor that measures every mailbox once a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..runtime import Actor, Dispatching, Inbox
from .sampler import Sampler

__all__ = ["MetricsActor"]

BEHIND = 10


class MetricsActor(Actor):
    """Take a sample every `interval_s` and tell it to `listeners`.

    A listener that is `BEHIND` samples late is skipped until it has caught up.
    """

    def __init__(
        self,
        *,
        sampler: Sampler,
        listeners: Sequence[Inbox],
        interval_s: float,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="metrics", supervisor=supervisor)
        self._sampler = sampler
        self._listeners = listeners
        self._interval_s = interval_s

    def on_start(self) -> None:
        """Begin the first interval."""
        self._tick_later()

    def on_receive(self, message: Any) -> None:
        """Take a sample and begin the next interval."""
        if not isinstance(message, _Tick):
            super().on_receive(message)
        elif message.actor is self:
            self._tick_later()
            self._tell(self._sampler.tick())

    def _tell(self, sample: object) -> None:
        for listener in self._listeners:
            if listener.backlog < BEHIND:
                listener.tell(sample)

    def _tick_later(self) -> None:
        self.dispatcher.call_later(self._interval_s, lambda: self.inbox.tell(_Tick(self)))


class _Tick:
    """An interval is over. A restarted actor has intervals of its own."""

    def __init__(self, actor: MetricsActor) -> None:
        self.actor = actor
