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

    def frame(self, book: Snapshot, before: Snapshot | None = None, /) -> Payload:
        """Return the frame that carries `book`, or what it changed of the one before."""


class VenueSession(Protocol):
    """An exchange's side of one connection, made from the path that the client connected to."""

    def receive(self, message: Payload) -> Sequence[Payload]:
        """Take a client's message; return the replies to it, in order."""

    def reject(self, message: Payload | None) -> Sequence[Payload]:
        """Answer with the exchange's own error what would subscribe; other messages as ever.

        None is for what the path has subscribed to: it is forgotten.
        """

    def greet(self, form: BookForm, book: Snapshot) -> Sequence[Payload]:
        """Return what who has just subscribed gets of the book there is, before the next one."""

    def farewell(self, now_ms: int) -> Sequence[Payload]:
        """Return what the exchange says before it closes the connection, at its time `now_ms`."""

    @property
    def is_subscribed(self) -> bool:
        """Return whether the client is subscribed to anything, books or other."""

    def subscriptions(self) -> Iterable[tuple[str, BookForm]]:
        """Return the books the client is subscribed to now: symbols, each with a form."""
