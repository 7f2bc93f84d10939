"""The actor that does something about anomalies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from loguru import logger

from ..analysis import RemedyPlan
from ..messages import AnomalyAlert, RemedyTaken
from ..runtime import Actor, Dispatching, Inbox

__all__ = ["RemedyActor"]


class RemedyActor(Actor):
    """Take the remedy that the plan allows for each anomaly raised; log and `tell` it.

    `remedies`: what to do, by name, with the key of the symbol or the feed; each returns whether it
    could be done, and none blocks.
    """

    def __init__(
        self,
        *,
        plan: RemedyPlan,
        remedies: Mapping[str, Callable[[str], bool]],
        tell: Callable[[RemedyTaken], object],
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="remedies", supervisor=supervisor)
        self._plan = plan
        self._remedies = remedies
        self._tell = tell

    def on_receive(self, message: Any) -> None:
        """Do what the plan says about an anomaly."""
        if not isinstance(message, AnomalyAlert):
            super().on_receive(message)
            return
        name = self._plan.choose(message, self.dispatcher.clock.now_ns() / 1e9)
        if name is not None and message.key is not None:
            self._take(name, message.key, message.message)

    def _take(self, name: str, key: str, reason: str) -> None:
        taken = self._remedies[name](key)
        self._plan.note(name, taken=taken)
        if not taken:
            logger.warning("{} of {} is impossible: {}", name, key, reason)
            return
        logger.warning("{} of {}: {}", name, key, reason)
        at_unix_s = self.dispatcher.clock.unix_s()
        self._tell(RemedyTaken(name=name, key=key, reason=reason, at_unix_s=at_unix_s))
