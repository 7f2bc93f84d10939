"""The symbols that one connection brings, and what their consumers know of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..messages import (
    BookResynced,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedStalled,
    GapDetected,
)
from ..runtime import Mailbox

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["FeedPart"]


class FeedPart:
    """The symbols of one connection, shared with its hot standbys and with its successor.

    Consumers are told in band, and only what concerns them: `FeedConnected` when the first of these
    connections is open, `FeedLost` when the last one is lost, or when all `redundancy` of them
    could not even be made. Any thread; told in the order it happened.
    """

    def __init__(self, mailboxes: Mapping[str, Mailbox], redundancy: int = 1) -> None:
        self.mailboxes = dict(mailboxes)
        """By symbol. Reading threads look into it at any time; only this class changes it."""
        self._redundancy = redundancy
        self._lock = threading.Lock()
        self._open: dict[Connection, str] = {}
        """Those that are open, and their addresses."""
        self._down: set[str] = set()
        """The feeds whose last attempt failed."""
        self._told_lost = False
        self._quiet: dict[str, int | None] = {}
        """Symbols told to be silent, and when their last snapshot had come."""
        self._gapped: dict[str, int] = {}
        """Symbols told of a gap and not of its end, and how many snapshots had come by then."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols there are now, in the order they were added."""
        return tuple(self.mailboxes.copy())

    def arrivals(self) -> dict[str, int | None]:
        """Return when each symbol's last snapshot was accepted, monotonic nanoseconds."""
        mailboxes = self.mailboxes.copy()
        return {symbol: mailbox.accepted_ns for symbol, mailbox in mailboxes.items()}

    def add(self, symbol: str, mailbox: Mailbox) -> None:
        """Take on a symbol; it is told at once if a connection is there."""
        with self._lock:
            self.mailboxes[symbol] = mailbox
            for url in [*self._open.values()][:1]:
                mailbox.post(FeedConnected(key=mailbox.key, url=url))

    def remove(self, symbol: str) -> None:
        """Leave off a symbol; what still comes for it has nowhere to go."""
        with self._lock:
            self.mailboxes.pop(symbol, None)
            self._quiet.pop(symbol, None)
            self._gapped.pop(symbol, None)

    def opened(self, connection: Connection) -> None:
        """Note that a connection is open."""
        with self._lock:
            first = not self._open
            self._open[connection] = connection.url
            self._down.discard(connection.name)
            if first:
                self._told_lost = False
                for mailbox in self.mailboxes.values():
                    mailbox.post(FeedConnected(key=mailbox.key, url=connection.url))

    def closed(self, connection: Connection, reason: str) -> None:
        """Note that a connection is gone, or was never made."""
        with self._lock:
            was_open = self._open.pop(connection, None) is not None
            self._down.add(connection.name)
            if self._open or self._told_lost:
                return
            if was_open or len(self._down) >= self._redundancy:
                self._told_lost = True
                self._gapped.clear()
                for mailbox in self.mailboxes.values():
                    mailbox.post(FeedLost(key=mailbox.key, reason=reason))

    def stalled(self, connection: Connection, silence_s: float) -> None:
        """Tell every symbol that nothing comes, unless another connection is there."""
        with self._lock:
            if self._open.keys() <= {connection}:
                for mailbox in self.mailboxes.values():
                    mailbox.post(FeedStalled(key=mailbox.key, silence_s=silence_s))

    def quiet(self, symbol: str, silence_s: float) -> None:
        """Tell a symbol once that nothing comes for it, whoever notices."""
        with self._lock:
            mailbox = self.mailboxes.get(symbol)
            if mailbox is not None and self._quiet.get(symbol) != mailbox.accepted_ns:
                self._quiet[symbol] = mailbox.accepted_ns
                mailbox.post(FeedStalled(key=mailbox.key, silence_s=silence_s))

    def post(self, symbol: str, event: FeedEvent) -> None:
        """Tell one symbol something; nobody, where it was removed.

        Of gaps that several connections see at once, the first is told, and the first end.
        """
        with self._lock:
            mailbox = self.mailboxes.get(symbol)
            if mailbox is not None and self._is_news(symbol, event, mailbox.accepted):
                mailbox.post(event)

    def note_filled(self) -> None:
        """Tell the end of gaps that another connection has filled: a book has come since.

        The connection that saw the gap may have been replaced before it had a book again.
        """
        with self._lock:
            for symbol, accepted in [*self._gapped.items()]:
                mailbox = self.mailboxes[symbol]
                if mailbox.accepted != accepted:
                    del self._gapped[symbol]
                    mailbox.post(BookResynced(key=mailbox.key))

    def _is_news(self, symbol: str, event: FeedEvent, accepted: int) -> bool:
        known = symbol in self._gapped
        if isinstance(event, GapDetected):
            self._gapped[symbol] = accepted
            return not known
        if isinstance(event, BookResynced):
            self._gapped.pop(symbol, None)
            return known
        return True
