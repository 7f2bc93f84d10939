"""What there is to know of one feed's connections. It outlives the feed's actor."""

from __future__ import annotations

from collections import Counter

from ..messages import FeedMetrics, Snapshot
from ..runtime import Link
from .connection import Connection

__all__ = ["FeedStatus"]


class FeedStatus:
    """The connections a feed has now, and the sums over those it had.

    Only the feed's actor writes here, and only the reading thread counts in a connection, so that
    no counter is written by two threads; any thread may ask for `metrics`.
    """

    def __init__(self, name: str, exchange: str) -> None:
        self.name = name
        self.exchange = exchange
        self.state = "idle"
        self.connection: Connection | None = None
        """The one that brings the snapshots, or is to."""
        self.links: dict[Connection, Link | None] = {}
        """All there are: a successor, and those being closed, too."""
        self.reconnects = 0
        self.last_error: str | None = None
        self._frames = self._snapshots = self._gaps = 0
        self._bad_frames: Counter[str] = Counter()

    def attach(self, connection: Connection, link: Link | None) -> None:
        """Count what a new connection counts, too; its link is None while it is being made."""
        self.links[connection] = link

    def retire(self, connection: Connection) -> None:
        """Add up what a connection counted, now that it is gone."""
        if connection not in self.links:
            return
        del self.links[connection]
        if connection is self.connection:
            self.connection = None
        self._frames += connection.frames
        self._snapshots += connection.snapshots
        self._gaps += connection.gaps
        self._bad_frames += connection.bad_frames

    def hang_up(self) -> None:
        """Close what there is; that it is lost is told when its reading thread has noticed."""
        for connection, link in [*self.links.items()]:
            if link is None:
                # The actor before this one failed to make it.
                self.retire(connection)
            else:
                link.close("closed by us")

    def metrics(self, now_ns: int, unix_s: float | None = None) -> FeedMetrics:
        """Return the state, and all that was counted since the start.

        The delay is known where `unix_s`, the wall clock's time at `now_ns`, is given.
        """
        now, links = self.connection, self.links.copy()
        last_ns = now.last_frame_ns if now else None
        return FeedMetrics(
            name=self.name,
            exchange=self.exchange,
            state=self.state,
            frames=self._frames + sum(each.frames for each in links),
            snapshots=self._snapshots + sum(each.snapshots for each in links),
            reconnects=self.reconnects,
            bad_frames=dict(sum((each.bad_frames.copy() for each in links), self._bad_frames)),
            silence_s=None if last_ns is None else (now_ns - last_ns) / 1e9,
            last_error=self.last_error,
            backlog_bytes=sum(link.backlog() for link in links.values() if link),
            gaps=self._gaps + sum(each.gaps for each in links),
            delay_ms=_delay_ms(now.newest, now_ns, unix_s) if now else None,
        )


def _delay_ms(newest: Snapshot | None, now_ns: int, unix_s: float | None) -> float | None:
    if newest is None or unix_s is None:
        return None
    sent_ms, received_ns = newest.exchange_time_ms, newest.received_ns
    if sent_ms is None or received_ns is None:
        return None
    return unix_s * 1e3 - (now_ns - received_ns) / 1e6 - sent_ms
