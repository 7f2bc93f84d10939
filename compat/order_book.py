"""The older design's order book, and its way into a mailbox and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from ..messages import Level, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HandedIn", "OrderBookSnapshot"]

_LARGEST_S = 1e10
"""The year 2286: a greater time stamp is in milliseconds."""


@attrs.define
class OrderBookSnapshot:
    """One symbol's order book, as the older design had it.

    `timestamp`: unix seconds; 0 where the exchange tells no time. Over 10**10 it is taken for
    milliseconds. `bids` and `asks`: lists or tuples of `(price, size)`, best first, kept as given.
    `sequence` and `received_ns` are those of `ticklane.messages.Snapshot`.
    """

    symbol: str
    timestamp: float
    bids: Sequence[Level]
    asks: Sequence[Level]
    sequence: int | None = attrs.field(default=None, kw_only=True)
    received_ns: int | None = attrs.field(default=None, kw_only=True)

    def best_bid(self) -> float | None:
        """Return the highest price somebody would buy at; None where nobody would."""
        return self.bids[0][0] if self.bids else None

    def best_ask(self) -> float | None:
        """Return the lowest price somebody would sell at; None where nobody would."""
        return self.asks[0][0] if self.asks else None

    def to_snapshot(self, exchange: str) -> Snapshot:
        """Return the same book as a snapshot of `exchange`; `from_snapshot` gives this one back."""
        return HandedIn.of(self, exchange)

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> OrderBookSnapshot:
        """Return a snapshot as the older design had it; all but its exchange is in there."""
        if isinstance(snapshot, HandedIn):
            return snapshot.book
        return cls(
            snapshot.symbol,
            (snapshot.exchange_time_ms or 0) / 1000,
            list(snapshot.bids),
            list(snapshot.asks),
            sequence=snapshot.sequence,
            received_ns=snapshot.received_ns,
        )


@attrs.frozen
class HandedIn(Snapshot):
    """A snapshot made of a host's book, which it keeps: time stamps of microseconds, lists and all.

    The book may be of the host's own class; its `symbol`, `timestamp`, `bids` and `asks` are read.
    """

    book: OrderBookSnapshot = attrs.field(kw_only=True, eq=False, repr=False)

    @classmethod
    def of(cls, book: OrderBookSnapshot, exchange: str) -> HandedIn:
        """Return `book` as a snapshot of `exchange`."""
        return cls(
            exchange,
            book.symbol,
            _levels(book.bids),
            _levels(book.asks),
            exchange_time_ms=_unix_ms(book.timestamp),
            sequence=getattr(book, "sequence", None),
            received_ns=getattr(book, "received_ns", None),
            book=book,
        )


def _levels(side: Sequence[Any]) -> tuple[Level, ...]:
    return tuple([(float(level[0]), float(level[1])) for level in side])


def _unix_ms(timestamp: float) -> int | None:
    # What stands for "no time" must not pass for a time at which every book was made.
    if not (math.isfinite(timestamp) and timestamp > 0):
        return None
    return round(timestamp if timestamp > _LARGEST_S else timestamp * 1000)
