"""Making the snapshot of a frame, which is the dearest call between the socket and the handler."""

from __future__ import annotations

from typing import Any

from ..messages import Snapshot
from .levels import Side

__all__ = ["snapshot_of"]


class _Unfinished(Snapshot):
    # It may be written to, as long as nobody else has it. With both of these CPython does that
    # without a call.
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


_new = object.__new__


def snapshot_of(  # noqa: PLR0917 - as Snapshot itself, and names would cost each frame some more
    exchange: str,
    symbol: str,
    bids: Side,
    asks: Side,
    exchange_time_ms: int | None,
    sequence: int | None,
    received_ns: int,
) -> Snapshot:
    """Return what `Snapshot(...)` does, in a third of its time: for who makes one of each frame.

    A frozen class is filled through seven calls of `object.__setattr__`. This one is filled first
    and frozen then, by becoming a Snapshot, which Python allows between classes of the same slots.
    """
    made: Any = _new(_Unfinished)
    made.exchange = exchange
    made.symbol = symbol
    made.bids = bids
    made.asks = asks
    made.exchange_time_ms = exchange_time_ms
    made.sequence = sequence
    made.received_ns = received_ns
    made.__class__ = Snapshot
    snapshot: Snapshot = made
    return snapshot
