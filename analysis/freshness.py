"""Which of two snapshots of a symbol is newer, and when an exchange has begun to count again."""

from __future__ import annotations

import enum

import attrs

from ..messages import Snapshot

__all__ = ["Freshness", "Verdict", "is_newer"]

RESET_AFTER_NS = 1_000_000_000
MOST_TWINS = 16
"""Books remembered at one stamp: a clock that stands still must not make a mailbox slow."""


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
    calm: bool = True
    """Whether nothing but newer ones came lately: neither twins nor older ones are remembered.

    While it holds, a snapshot that `is_newer` than the latest is the latest from now on."""
    _seen: list[Snapshot] = attrs.field(factory=list)
    """Other books already seen at the latest one's stamp."""
    _older_since_ns: int | None = None

    def judge(self, snapshot: Snapshot, now_ns: int) -> Verdict:
        """Say whether `snapshot` is the latest from now on; keep it if so."""
        latest = self.latest
        if latest is not None:
            ahead = _ahead(snapshot, latest)
            if ahead <= 0:
                return self._judge_not_ahead(snapshot, latest, ahead, now_ns)
        self.latest = snapshot
        self._forget()
        return Verdict.NEWER

    def knows(self, snapshot: Snapshot) -> bool:
        """Say whether `snapshot` is older than the latest or a copy of it; change nothing."""
        latest = self.latest
        if latest is None:
            return False
        ahead = _ahead(snapshot, latest)
        return ahead < 0 or (ahead == 0 and self._has_seen(snapshot, latest))

    def _has_seen(self, snapshot: Snapshot, latest: Snapshot) -> bool:
        return any(_same_book(snapshot, seen) for seen in (latest, *self._seen))

    def _forget(self) -> None:
        self._seen.clear()
        self._older_since_ns = None
        self.calm = True

    def _judge_not_ahead(
        self, snapshot: Snapshot, latest: Snapshot, ahead: int, now_ns: int
    ) -> Verdict:
        if ahead == 0:
            return self._judge_twin(snapshot, latest)
        return self._judge_older(snapshot, now_ns)

    def _judge_twin(self, snapshot: Snapshot, latest: Snapshot) -> Verdict:
        self._older_since_ns = None
        if self._has_seen(snapshot, latest):
            return Verdict.STALE
        self.calm = False
        self._seen.append(latest)
        del self._seen[:-MOST_TWINS]
        self.latest = snapshot
        return Verdict.NEWER

    def _judge_older(self, snapshot: Snapshot, now_ns: int) -> Verdict:
        if self._older_since_ns is None:
            self._older_since_ns = now_ns
            self.calm = False
        if now_ns - self._older_since_ns < RESET_AFTER_NS:
            return Verdict.STALE
        self.latest = snapshot
        self._forget()
        return Verdict.RESET


def is_newer(snapshot: Snapshot, latest: Snapshot) -> bool:
    """Say whether `snapshot` is newer than `latest` by their stamps alone."""
    return _ahead(snapshot, latest) > 0


def _ahead(snapshot: Snapshot, latest: Snapshot) -> int:
    """How far `snapshot` is ahead, by the best stamp that both have; 1 where there is none."""
    if snapshot.sequence is not None and latest.sequence is not None:
        return snapshot.sequence - latest.sequence
    if snapshot.exchange_time_ms is not None and latest.exchange_time_ms is not None:
        return snapshot.exchange_time_ms - latest.exchange_time_ms
    if snapshot.received_ns is not None and latest.received_ns is not None:
        return snapshot.received_ns - latest.received_ns
    return 1


def _same_book(one: Snapshot, other: Snapshot) -> bool:
    return one.bids == other.bids and one.asks == other.asks
