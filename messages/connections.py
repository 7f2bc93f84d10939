"""What a connection's reading thread tells the feed that owns it."""

from typing import Any

import attrs

from .errors import ExchangeReplied

__all__ = [
    "ConnectionLost",
    "ConnectionOpened",
    "ConnectionRefused",
    "ConnectionStreaming",
]


@attrs.frozen
class ConnectionOpened:
    """It is open and the subscription is sent."""

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
class ConnectionLost:
    """It is gone, or was never made; it says nothing more."""

    connection: Any
    reason: str
