"""The actor that calls the host back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loguru import logger

from ..messages import AnomalyAlert
from ..runtime import Actor, Dispatching, Inbox

__all__ = ["CallbackActor"]


class CallbackActor(Actor):
    """Call the host's callbacks with every anomaly, so that no other actor waits for them.

    `callbacks` is live. What one raises is logged, and keeps the anomaly from nobody else.
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
            try:
                callback(message)
            except BaseException:  # noqa: BLE001 - the others are told all the same
                logger.exception("a callback for anomalies failed")
