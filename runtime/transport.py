"""How a feed reaches its exchange; a simulation brings its own."""

from __future__ import annotations

from typing import Protocol

from ..messages import Refusal
from .reader import Reader

__all__ = ["Link", "Receiver", "Transport"]


class Receiver(Protocol):
    """What is told of a connection, on the thread that reads it, one call at a time."""

    def opened(self, link: Link) -> None:
        """Begin: the connection is open, frames may be sent."""

    def received(self, payload: bytes, received_ns: int) -> None:
        """Take a message whole; to offer with `link.here` may be the last act."""

    def oversized(self, length: int, received_ns: int) -> None:
        """Note a message too long to be kept: `length` bytes of it are announced so far."""

    def heard(self, received_ns: int) -> None:
        """Note a ping or a pong: the connection lives, whatever its market does."""

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        """End: the connection is gone, or was never made; nothing more is told.

        `refusal`: where the exchange would not have it, or we would not have its certificate.
        """


class Link(Protocol):
    """One connection, from any thread."""

    @property
    def here(self) -> Reader | None:
        """The reading thread's reader, always the same; None where it must not be held up."""

    def send(self, text: str) -> None:
        """Send a text frame; on a lost connection nothing happens but the loss being told."""

    def ping(self) -> None:
        """Send a ping, as `send`."""

    def close(self, reason: str) -> None:
        """End the connection; `closed(reason)` is told if nothing was yet."""

    def backlog(self) -> int:
        """Return how many bytes have arrived and wait to be read."""


class Transport(Protocol):
    """Makes connections."""

    def open(self, name: str, url: str, receiver: Receiver) -> Link:
        """Begin to connect and return at once; `receiver` is told how it goes."""
