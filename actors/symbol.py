"""The actor of one symbol: it calls the host's handlers."""

from __future__ import annotations

from ..runtime import Actor, Dispatching, Inbox, Mailbox
from .audience import Audience

__all__ = ["SymbolActor"]


class SymbolActor(Actor):
    """Call the host's handlers with one symbol's snapshots, in order, one at a time.

    The mailbox calls what its `audience` says. A handler that raises ends this actor; the
    supervisor starts the next one on the same mailbox.
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
        self.audience = audience
