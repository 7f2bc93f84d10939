"""What every exchange module provides: bytes in, snapshots out, no I/O."""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from ..messages import FeedEvent, Snapshot

__all__ = ["Budget", "Exchange", "ExchangeProtocol"]


class ExchangeProtocol(Protocol):
    """One connection's side of an exchange's protocol.

    A new one is made for every connection; only the thread that reads the connection calls it.
    """

    def url(self, base: str) -> str:
        """Return the address to connect to, on the endpoint `base` (`wss://host:port`)."""

    def greeting(self) -> tuple[str, ...]:
        """Return the text frames to send once connected: the subscription."""

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Snapshot | FeedEvent]:
        """Return what a frame brought, in order; nothing for acknowledgements and the like.

        `payload` is the frame's content, text or binary alike; `received_ns` is when it left the
        socket and is stamped on what is returned.

        Raises BadFrame for what cannot be used, with one of the reasons `json`, `type`, `number`,
        `size`, `crossed`, `empty`, `symbol`; ExchangeReplied for an error of the exchange's own.
        The connection goes on after either.
        """


@attrs.frozen
class Budget:
    """At most `count` in any `seconds`, as the exchange allows."""

    count: int
    seconds: float


@attrs.frozen(kw_only=True)
class Exchange:
    """One row of the table of exchanges."""

    name: str
    endpoints: tuple[str, ...]
    """Base addresses in the order to try them."""
    streams: tuple[str, ...]
    """What a feed may ask for; the first is the default."""
    protocol: Callable[[tuple[str, ...], str], ExchangeProtocol]
    """Makes one connection's protocol from its symbols and stream."""
    ping_interval_s: float | None
    """How often we send a ping; None where the exchange pings us and wants no more."""
    silence_limit_s: float
    """A connection without a frame of any kind for this long is lost."""
    connects: Budget
    """Connection attempts allowed for one IP address."""
    messages: Budget
    """Messages we may send on one connection."""
    symbols_per_connection: int
    lifetime_s: float | None
    """The exchange closes a connection after this long; None where it states no limit."""
