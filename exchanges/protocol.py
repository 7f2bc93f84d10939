"""What every exchange module provides: bytes in, snapshots out, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from ..messages import BadFrame, FeedEvent, Snapshot

__all__ = [
    "BookRequest",
    "Brought",
    "Budget",
    "Exchange",
    "ExchangeProtocol",
    "Send",
    "ServerShutdown",
]


class ExchangeProtocol(Protocol):
    """One connection's side of an exchange's protocol.

    A new one is made for every connection. The feed's actor calls `url`, `greeting` and `change`,
    the thread that reads the connection `receive`, and `change` may come while `receive` runs: what
    `receive` looks at is replaced whole, never changed in place.
    """

    def url(self, base: str) -> str:
        """Return the address to connect to, on the endpoint `base` (`wss://host:port`)."""

    def greeting(self) -> tuple[str, ...]:
        """Return the text frames to send once connected: the subscription."""

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        """Take on and leave off symbols; return the text frames to send.

        A symbol that is in both is asked for anew. Frames of a removed one that still come bring
        nothing.
        """

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Brought]:
        """Return what a frame brought, in order; nothing for acknowledgements and the like.

        `payload` is the frame's content, text or binary alike; `received_ns` is when it left the
        socket and is stamped on what is returned.

        Raises BadFrame for what cannot be used, with one of the reasons `json`, `type`, `number`,
        `size`, `crossed`, `empty`, `symbol`; ExchangeReplied for an error of the exchange's own.
        The connection goes on after either.
        """


@attrs.frozen
class Send:
    """A text frame that the protocol wants sent on its connection."""

    text: str


@attrs.frozen
class ServerShutdown:
    """The exchange has said that it will close this connection soon."""


@attrs.frozen
class BookRequest:
    """One symbol's whole book is to be fetched from the exchange's REST side."""

    symbol: str
    path: str
    """What follows the REST side's address."""
    weight: int
    """What it costs of the exchange's budget."""
    attempt: int = 0
    """How many in a row did not help: later ones wait longer."""


Brought = Snapshot | FeedEvent | Send | BookRequest | ServerShutdown | BadFrame
"""What a frame can come to. A BadFrame among others is one that these follow from."""


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
    ping_text: str | None = None
    """What to send as a ping where the exchange wants a text; None for a WebSocket ping."""
    silence_limit_s: float
    """A connection without a frame of any kind for this long is lost."""
    connects: tuple[Budget, ...]
    """Connection attempts allowed for one IP address; all of them hold."""
    messages: tuple[Budget, ...]
    """Messages we may send on one connection, pings among them; all of them hold."""
    symbols_per_connection: int
    lifetime_s: float | None
    """The exchange closes a connection after this long; None where it states no limit."""
    rest: str | None = None
    """Base address of the REST side, where a stream needs it: one of differences."""
    rest_weight: Budget | None = None
    """What requests to the REST side may weigh together, for one IP address."""
