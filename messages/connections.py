"""What a feed is told: by its connection's reading thread, and of its symbols."""

from typing import Any

import attrs

from .errors import ExchangeReplied

__all__ = [
    "ConnectionAsks",
    "ConnectionEnding",
    "ConnectionLost",
    "ConnectionOpened",
    "ConnectionRefused",
    "ConnectionStreaming",
    "Reconnect",
    "Refusal",
    "SymbolsChanged",
]


@attrs.frozen
class ConnectionOpened:
    """It is open: the subscription may be sent."""

    connection: Any


@attrs.frozen
class ConnectionStreaming:
    """It brought its first snapshot."""

    connection: Any


@attrs.frozen
class ConnectionRefused:
    """The exchange answered with an error."""

    connection: Any
    reply: ExchangeReplied


@attrs.frozen
class ConnectionAsks:
    """Its protocol wants a text frame sent, within the exchange's budget."""

    connection: Any
    text: str


@attrs.frozen
class ConnectionEnding:
    """The exchange has said that it will close it soon."""

    connection: Any


@attrs.frozen
class Refusal:
    """Why a connection was not made, where that changes when to try again."""

    kind: str
    """`rate limit` (HTTP 429), `ban` (HTTP 418) or `certificate`."""
    retry_after_s: float | None = None
    """What the exchange asked for (`Retry-After`)."""


@attrs.frozen
class ConnectionLost:
    """It is gone, or was never made; it says nothing more."""

    connection: Any
    reason: str
    refusal: Refusal | None = None


@attrs.frozen
class Reconnect:
    """Somebody wants it closed and made anew."""

    reason: str


@attrs.frozen
class SymbolsChanged:
    """Symbols were added to the feed's part, or removed from it."""
