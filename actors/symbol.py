"""The actor of one symbol: it calls the host's handlers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..messages import FeedEvent, Snapshot
from ..runtime import Actor, Dispatching, Inbox, Mailbox
from .audience import Audience

__all__ = ["SymbolActor"]


_Message = TypeVar("_Message")


class SymbolActor(Actor):
    """Call the host's handlers with one symbol's snapshots, in order, one at a time.

    A handler that raises ends this actor; the supervisor starts the next one on the same mailbox.
    """

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        audience: Audience,
        dispatcher: Dispatching,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(
            dispatcher=dispatcher, inbox=mailbox, key=mailbox.key, supervisor=supervisor
        )
        self._audience = audience

    @property
    def handle(self) -> Callable[[Snapshot], object]:
        """What the mailbox calls with each snapshot: the only handler itself, where it is one."""
        subscriptions = self._audience.subscriptions
        if len(subscriptions) == 1:
            return subscriptions[0].handler
        return partial(_call_each, [subscription.handler for subscription in subscriptions])

    def handle_event(self, event: FeedEvent) -> None:
        """Tell what happened to the feed to those who want to know."""
        subscriptions = self._audience.subscriptions
        _call_each([each.on_event for each in subscriptions if each.on_event], event)


def _call_each(handlers: list[Callable[[_Message], object]], message: _Message) -> None:
    """Call every handler, whichever of them raises; then raise what they raised."""
    errors: list[BaseException] = []
    for handler in handlers:
        try:
            handler(message)
        except BaseException as error:  # noqa: BLE001 - the others get it all the same
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("several handlers failed", errors)
