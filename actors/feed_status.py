"""What there is to know of one feed's connection. It outlives the feed's actor."""

from __future__ import annotations

from collections import Counter

from ..messages import FeedMetrics
from ..runtime import Link
from .connection import Connection

__all__ = ["FeedStatus"]


class FeedStatus:
    """The connection a feed has now, and the sums over those it had.

    Only the feed's actor writes here, and only the reading thread counts in a connection, so that
    no counter is written by two threads; any thread may ask for `metrics`.
    """

    def __init__(self, name: str, exchange: str) -> None:
        self.name = name
        self.exchange = exchange
        self.state = "idle"
        self.connection: Connection | None = None
        self.link: Link | None = None
        self.lost = False
        """Whether its symbols have been told so."""
        self.reconnects = 0
        self.last_error: str | None = None
        self._frames = self._snapshots = 0
        self._bad_frames: Counter[str] = Counter()

    def retire(self, connection: Connection) -> None:
        """Add up what a connection counted, now that it is gone."""
        if connection is self.connection:
            self.connection = self.link = None
        self._frames += connection.frames
        self._snapshots += connection.snapshots
        self._bad_frames += connection.bad_frames

    def metrics(self, now_ns: int) -> FeedMetrics:
        """Return the state, and all that was counted since the start."""
        now, link = self.connection, self.link
        last_ns = now.last_frame_ns if now else None
        return FeedMetrics(
            name=self.name,
            exchange=self.exchange,
            state=self.state,
            frames=self._frames + (now.frames if now else 0),
            snapshots=self._snapshots + (now.snapshots if now else 0),
            reconnects=self.reconnects,
            bad_frames=dict(self._bad_frames + (now.bad_frames if now else Counter())),
            silence_s=None if last_ns is None else (now_ns - last_ns) / 1e9,
            last_error=self.last_error,
            backlog_bytes=link.backlog() if link else 0,
        )
