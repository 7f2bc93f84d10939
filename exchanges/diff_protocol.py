"""What a protocol provides whose books are kept from differences and fetched bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .protocol import BookRequest, Brought, ExchangeProtocol

__all__ = ["DiffProtocol"]


@runtime_checkable
class DiffProtocol(ExchangeProtocol, Protocol):
    """One connection's side of a protocol that sends differences.

    Among what `receive` returns are `BookRequest`s; what they bring is handed to `fetched`.
    """

    def missing(self) -> Sequence[BookRequest]:
        """Return what must be fetched at the start. Called when the connection is open."""

    def fetched(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Brought]:
        """Return what a fetched book brought, like `receive`; never raises for a bad one.

        Called on the thread that reads the connection.
        """
