"""Where to connect next, and when."""

from __future__ import annotations

from loguru import logger

from ..analysis import FullJitter
from ..exchanges import Feed
from ..messages import ConnectionLost
from ..runtime import Dispatching
from .connect_gate import ConnectGate

__all__ = ["Retries"]

CERTIFICATE_LOG_S = 60.0


class Retries:
    """Go through a feed's endpoints, with a back-off and within its exchange's budget.

    An endpoint that brought nothing is followed by the next; after one that did, the next
    connection goes to the first again, which for a standby is the one of its number. A certificate
    we do not trust is asked for again after the longest back-off only. Used by the feed's actor.
    """

    def __init__(
        self, name: str, feed: Feed, standby: int, gate: ConnectGate, dispatcher: Dispatching
    ) -> None:
        self._name = name
        self._feed = feed
        self._first = self._endpoint = standby
        self._gate = gate
        self._dispatcher = dispatcher
        self._backoff = FullJitter()
        self._certificate_logged_s = -CERTIFICATE_LOG_S

    @property
    def base(self) -> str:
        """The endpoint to try now."""
        return self._feed.endpoints[self._endpoint % len(self._feed.endpoints)]

    def enter(self) -> float:
        """Return 0.0 if a connection may be made now, the seconds to wait otherwise."""
        return self._gate.enter(self._feed.exchange, self.base)

    def opened(self, base: str) -> None:
        """Note that a connection was made."""
        self._gate.admitted(self._feed.exchange, base)

    def streams(self) -> None:
        """Note that a connection brought data: the back-off begins from below."""
        self._backoff.reset()

    def lost(self, lost: ConnectionLost, base: str, *, streamed: bool) -> float:
        """Note that a connection is gone, or was not made; return how long to wait, seconds."""
        self._endpoint = self._first if streamed else self._endpoint + 1
        delay_s = self._backoff.delay(self._dispatcher.random.random())
        if lost.refusal is not None and lost.refusal.kind == "certificate":
            self._log_certificate(lost.reason)
            return self._backoff.cap_s
        if lost.refusal is not None:
            self._gate.refused(self._feed.exchange, base, lost.refusal)
        logger.warning("{}: lost ({})", self._name, lost.reason)
        return delay_s

    def _log_certificate(self, reason: str) -> None:
        now_s = self._dispatcher.clock.now_ns() / 1e9
        if now_s - self._certificate_logged_s >= CERTIFICATE_LOG_S:
            self._certificate_logged_s = now_s
            logger.error("{}: {}: nothing comes until that is mended", self._name, reason)
