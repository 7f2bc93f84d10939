"""The actor that calls the host back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..messages import AnomalyAlert
from ..runtime import Actor, Dispatching, Inbox

__all__ = ["CallbackActor"]


class CallbackActor(Actor):
    """Call the host's callbacks with every anomaly, so that no other actor waits for them.

    `callbacks` is live. One that raises ends this actor, its supervisor logs it, and the next
    actor goes on with the next anomaly.
    """

    def __init__(
        self,
        *,
        callbacks: list[Callable[[AnomalyAlert], object]],
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="callbacks", supervisor=supervisor)
        self._callbacks = callbacks

    def on_receive(self, message: Any) -> None:
        """Call every callback."""
        if not isinstance(message, AnomalyAlert):
            super().on_receive(message)
            return
        for callback in [*self._callbacks]:
            callback(message)
