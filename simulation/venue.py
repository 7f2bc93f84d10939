"""What every simulated exchange provides: requests in, replies and frames out, no I/O."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..messages import Snapshot

__all__ = ["BookForm", "Payload", "VenueSession"]

Payload = bytes | str
"""Content of a WebSocket frame: bytes of a binary one, text of a text one."""


class BookForm(Protocol):
    """How a book is written for those who asked for it so.

    Hashable: equal forms write equal frames, so one frame serves every client that asked alike.
    """

    def frame(self, book: Snapshot) -> Payload:
        """Return the frame that carries `book`."""


class VenueSession(Protocol):
    """An exchange's side of one connection, made from the path that the client connected to."""

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the replies to it, in order."""

    @property
    def is_subscribed(self) -> bool:
        """Return whether the client is subscribed to anything, books or other."""

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now: symbols, each with a form."""
