"""Which of two snapshots of a symbol is newer, and when an exchange has begun to count again."""

from __future__ import annotations

import enum

import attrs

from ..messages import Snapshot

__all__ = ["Freshness", "Verdict"]

RESET_AFTER_NS = 1_000_000_000


class Verdict(enum.Enum):
    """What to do with a snapshot."""

    NEWER = enum.auto()
    STALE = enum.auto()
    """Older than the latest, or a book already seen at its stamp."""
    RESET = enum.auto()
    """Newer all the same: the exchange's numbers began again from below."""


@attrs.define
class Freshness:
    """Keep one symbol's latest snapshot, and never let it go back in time.

    Snapshots are ordered by the exchange's sequence, else its time stamp, else by when they came.
    At one and the same stamp (Upbit's has only milliseconds) a book already seen is stale and a
    different one is newer. When nothing but older ones has come for a second, the exchange's
    numbers have begun again (Bybit's `u=1`, a failover): a reset. A copy of the latest ends that
    count, since who brings it has not begun again.
    """

    latest: Snapshot | None = None
    _seen: list[Snapshot] = attrs.field(factory=list)
    """Other books already seen at the latest one's stamp."""
    _older_since_ns: int | None = None

    def judge(self, snapshot: Snapshot, now_ns: int) -> Verdict:
        """Say whether `snapshot` is the latest from now on; keep it if so."""
        latest = self.latest
        if latest is None or (ahead := _ahead(snapshot, latest)) > 0:
            self._keep(snapshot)
            return Verdict.NEWER
        if ahead == 0:
            return self._judge_twin(snapshot, latest)
        return self._judge_older(snapshot, now_ns)

    def _keep(self, snapshot: Snapshot) -> None:
        self.latest = snapshot
        self._older_since_ns = None
        if self._seen:
            self._seen.clear()

    def _judge_twin(self, snapshot: Snapshot, latest: Snapshot) -> Verdict:
        self._older_since_ns = None
        if any(_same_book(snapshot, seen) for seen in (latest, *self._seen)):
            return Verdict.STALE
        self._seen.append(latest)
        self.latest = snapshot
        return Verdict.NEWER

    def _judge_older(self, snapshot: Snapshot, now_ns: int) -> Verdict:
        if self._older_since_ns is None:
            self._older_since_ns = now_ns
        if now_ns - self._older_since_ns < RESET_AFTER_NS:
            return Verdict.STALE
        self._keep(snapshot)
        return Verdict.RESET


def _ahead(snapshot: Snapshot, latest: Snapshot) -> int:
    """How far `snapshot` is ahead of `latest`, by the best stamp both have; 1 where none is."""
    if snapshot.sequence is not None and latest.sequence is not None:
        return snapshot.sequence - latest.sequence
    if snapshot.exchange_time_ms is not None and latest.exchange_time_ms is not None:
        return snapshot.exchange_time_ms - latest.exchange_time_ms
    if snapshot.received_ns is not None and latest.received_ns is not None:
        return snapshot.received_ns - latest.received_ns
    return 1


def _same_book(one: Snapshot, other: Snapshot) -> bool:
    return one.bids == other.bids and one.asks == other.asks
