"""What a market says: whole order books, and what became of an offered one."""

import enum

import attrs

__all__ = ["Level", "Outcome", "Snapshot"]

Level = tuple[float, float]
"""One price level: `(price, size)`."""


@attrs.frozen
class Snapshot:
    """One symbol's whole order book, top N levels, at one time.

    A mailbox carries whole books only, so that losing one never corrupts the next.
    """

    exchange: str
    symbol: str
    """The exchange's own spelling: `KRW-BTC`, `BTCUSDT`."""
    bids: tuple[Level, ...]
    """Best (highest) first."""
    asks: tuple[Level, ...]
    """Best (lowest) first."""
    exchange_time_ms: int | None = None
    """The exchange's own time stamp, unix milliseconds."""
    sequence: int | None = None
    """The exchange's own number of this book; greater is newer."""
    received_ns: int | None = None
    """When the bytes left the socket, monotonic nanoseconds."""

    @property
    def key(self) -> str:
        """`exchange:SYMBOL`, the name of this book everywhere."""
        return f"{self.exchange}:{self.symbol}"

    @property
    def best_bid(self) -> float | None:
        """The highest price somebody would buy at; None where nobody would."""
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> float | None:
        """The lowest price somebody would sell at; None where nobody would."""
        return self.asks[0][0] if self.asks else None

    @property
    def spread(self) -> float | None:
        """`best_ask - best_bid`; None where a side is empty."""
        if not self.bids or not self.asks:
            return None
        return self.asks[0][0] - self.bids[0][0]

    @property
    def mid(self) -> float | None:
        """Half-way between the best prices; None where a side is empty."""
        if not self.bids or not self.asks:
            return None
        return (self.asks[0][0] + self.bids[0][0]) / 2


class Outcome(enum.Enum):
    """What became of an offered snapshot; true when the mailbox took it."""

    taken: bool

    ACCEPTED = "accepted"
    """Taken, nothing lost."""
    DISPLACED = "displaced"
    """Taken; the oldest waiting one was dropped for it (`drop_oldest`)."""
    CONFLATED = "conflated"
    """Taken; it replaced a waiting one (`conflate`)."""
    DROPPED = "dropped"
    """Not taken: the mailbox is full (`drop_newest`)."""
    REJECTED = "rejected"
    """Not taken: older than what is there, or a copy of it."""
    STOPPED = "stopped"
    """Not taken: the market data is stopped. Counted as a dead letter."""

    def __init__(self, value: str) -> None:
        # A plain attribute: the hot path asks it of every snapshot.
        self.taken = value in {"accepted", "displaced", "conflated"}

    def __bool__(self) -> bool:
        return self.taken
