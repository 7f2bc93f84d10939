"""What the reading thread does with a connection's frames: decode, stamp, offer."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from loguru import logger

from ..exchanges import BookRequest, Brought, DiffProtocol, ExchangeProtocol, Send
from ..messages import (
    BadFrame,
    ConnectionAsks,
    ConnectionEnding,
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
    ExchangeReplied,
    FeedEvent,
    GapDetected,
    Refusal,
    Snapshot,
)
from ..runtime import Answer, Inbox, Link, Reader
from .book_desk import OK, BookDesk
from .feed_part import FeedPart

__all__ = ["Connection"]


class Connection:
    """One connection of a feed: its protocol, and where its snapshots go.

    Called on the reading thread only, which it never holds up: it decodes, offers and, where a
    symbol is idle and quick, handles. The feed's actor is told what changes the connection's life.
    Books that its protocol needs are fetched by `desk`; an answer waits for the next frame, so that
    only the reading thread ever touches a book. A connection of differences counts as streaming
    when every symbol has had a book.
    What cannot be used is counted in `bad_frames` by reason, logged once for each reason, and the
    connection goes on.
    """

    def __init__(
        self,
        name: str,
        url: str,
        protocol: ExchangeProtocol,
        part: FeedPart,
        feed: Inbox,
        *,
        desk: BookDesk | None = None,
    ) -> None:
        self.name = name
        self.url = url
        self.frames = self.snapshots = 0
        self.bad_frames: Counter[str] = Counter()
        self.last_frame_ns: int | None = None
        self.newest: Snapshot | None = None
        self.gaps = 0
        self._protocol = protocol
        self._part = part
        self._mailboxes = part.mailboxes
        self._feed = feed
        self._link: Link | None = None
        self._reader: Reader | None = None
        self._desk = desk
        self._answers: deque[tuple[BookRequest, Answer]] = deque()
        self._diffs = protocol if isinstance(protocol, DiffProtocol) else None
        self._awaited = set(part.symbols) if self._diffs else set()
        """Symbols without a book: there must be none for it to be streaming."""
        self._streams = False

    @property
    def data(self) -> int:
        """How much it has brought: differences count while they wait for their book, too."""
        return self.snapshots if self._diffs is None else self.frames

    def opened(self, link: Link) -> None:
        """Tell its symbols and its feed, which subscribes."""
        self._link = link
        self._reader = link.here
        self._part.opened(self)
        self._feed.tell(ConnectionOpened(self))
        if self._diffs is not None:
            self._deliver(self._diffs.missing(), None)

    def received(self, payload: bytes, received_ns: int) -> None:
        """Offer what a frame brought to its symbols, in order."""
        self.frames += 1
        self.last_frame_ns = received_ns
        if self._answers:
            self._read_answers()
        try:
            brought = self._protocol.receive(payload, received_ns)
        except Exception as error:  # noqa: BLE001 - no payload may end a connection
            self._note_failure(error)
            return
        # Nearly every frame is one book.
        if len(brought) == 1 and isinstance(brought[0], Snapshot):
            self._offer(brought[0], self._reader)
        else:
            self._deliver(brought, self._reader)

    def oversized(self, length: int, received_ns: int) -> None:
        """Count a message that was too long to be kept."""
        self.frames += 1
        self.last_frame_ns = received_ns
        self._note_bad("oversized", f"{length} bytes")

    def heard(self, received_ns: int) -> None:
        """Note that the connection lives."""
        self.last_frame_ns = received_ns
        if self._answers:
            self._read_answers()

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        """Tell its symbols and its feed that it is gone."""
        if self._desk is not None:
            self._desk.forget(self)
        self._part.closed(self, reason)
        self._feed.tell(ConnectionLost(self, reason, refusal))

    def wants(self, request: BookRequest) -> bool:
        """Say whether a book's symbol has not been removed; from any thread."""
        return request.symbol in self._mailboxes

    def answered(self, request: BookRequest, answer: Answer) -> None:
        """Take an answer of the desk's, from any thread; it is read with the next frame."""
        self._answers.append((request, answer))

    def nudge(self, request: BookRequest) -> None:
        """Make a frame come, if that answer still waits for one; from any thread.

        Only the answer that has waited longest does so: an exchange rations our pings.
        """
        waits = next(iter(self._answers.copy()), None)
        if waits is not None and waits[0] is request and self._link is not None:
            self._link.ping()

    def _read_answers(self) -> None:
        while self._answers:
            try:
                brought = self._fetched(*self._answers.popleft())
            except Exception as error:  # noqa: BLE001 - as above
                self._note_failure(error)
            else:
                self._deliver(brought, None)

    def _fetched(self, request: BookRequest, answer: Answer) -> Sequence[Brought]:
        symbol, body = request.symbol, answer.body
        if answer.status != OK:
            self._awaited.discard(symbol)
            reply = body[:200].decode(errors="replace")
            raise ExchangeReplied(self.name, f"HTTP {answer.status}", reply, (symbol,))
        brought = self._diffs.fetched(symbol, body, answer.received_ns) if self._diffs else ()
        # A market that is halted has a book without a level, and is not to be waited for.
        if not any(isinstance(each, BookRequest) for each in brought):
            self._awaited.discard(symbol)
        return brought

    def _note_failure(self, error: Exception) -> None:
        if isinstance(error, BadFrame):
            self._note_bad(error.reason, error.detail)
        elif isinstance(error, ExchangeReplied):
            if error.of_rest or not error.symbols:
                self._note_bad("error_reply", error)
            else:  # the feed's actor logs it, and asks for them again
                self.bad_frames["error_reply"] += 1
            self._feed.tell(ConnectionRefused(self, error))
        else:
            self._note_bad("unexpected", repr(error))

    def _deliver(self, brought: Sequence[Brought], reader: Reader | None) -> None:
        for each in brought[:-1]:
            self._hand_on(each, None)
        # Only the last may be handled here: nothing of this frame may be left to do if another
        # thread has to take over the reading.
        for last in brought[-1:]:
            self._hand_on(last, reader)

    def _hand_on(self, brought: Brought, reader: Reader | None) -> None:
        if isinstance(brought, Snapshot):
            self._offer(brought, reader)
        elif isinstance(brought, FeedEvent):
            self.gaps += isinstance(brought, GapDetected)
            self._part.post(brought.key.partition(":")[2], brought)
        elif isinstance(brought, BookRequest):
            if self._desk is not None:
                self._desk.ask(self, brought)
        elif isinstance(brought, BadFrame):
            self._note_bad(brought.reason, brought.detail)
        elif isinstance(brought, Send):
            self._feed.tell(ConnectionAsks(self, brought.text))
        else:
            self._feed.tell(ConnectionEnding(self))

    def _offer(self, snapshot: Snapshot, reader: Reader | None) -> None:
        if not self._streams:
            self._note_book(snapshot.symbol)
        self.snapshots += 1
        self.newest = snapshot
        # A symbol that was removed a moment ago has no mailbox any more.
        if (mailbox := self._mailboxes.get(snapshot.symbol)) is not None:
            if reader is not None:
                mailbox.offer_here(snapshot, reader)
            else:
                mailbox.offer(snapshot)

    def _note_book(self, symbol: str) -> None:
        self._awaited.discard(symbol)
        if not any(each in self._mailboxes for each in self._awaited):
            self._streams = True
            self._feed.tell(ConnectionStreaming(self))

    def _note_bad(self, reason: str, detail: object) -> None:
        self.bad_frames[reason] += 1
        if self.bad_frames[reason] == 1:
            logger.warning("{}: frames that cannot be used ({}): {}", self.name, reason, detail)
