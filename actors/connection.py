"""What the reading thread does with a connection's frames: decode, stamp, offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from loguru import logger

from ..exchanges import ExchangeProtocol
from ..messages import (
    BadFrame,
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
    ExchangeReplied,
    FeedConnected,
    FeedEvent,
    FeedLost,
    Snapshot,
)
from ..runtime import Inbox, Link, Mailbox

__all__ = ["Connection"]


class Connection:
    """One connection of a feed: its protocol, and where its snapshots go.

    Called on the reading thread only, which it never holds up: it decodes, offers and, where a
    symbol is idle and quick, handles. The feed's actor is told what changes the connection's life.
    `tells_loss`: whether its symbols are told when it is not even made.
    What cannot be used is counted in `bad_frames` by reason, logged once for each reason, and the
    connection goes on.
    """

    def __init__(
        self,
        name: str,
        url: str,
        protocol: ExchangeProtocol,
        mailboxes: Mapping[str, Mailbox],
        feed: Inbox,
        *,
        tells_loss: bool = True,
    ) -> None:
        self.name = name
        self.url = url
        self.frames = self.snapshots = 0
        self.bad_frames: Counter[str] = Counter()
        self.last_frame_ns: int | None = None
        self._protocol = protocol
        self._mailboxes = mailboxes
        self._feed = feed
        self._link: Link | None = None
        self._tells_loss = tells_loss

    def opened(self, link: Link) -> None:
        """Subscribe, and tell every symbol that it is connected."""
        self._link = link
        self._tells_loss = True
        for text in self._protocol.greeting():
            link.send(text)
        for mailbox in self._mailboxes.values():
            mailbox.post(FeedConnected(key=mailbox.key, url=self.url))
        self._feed.tell(ConnectionOpened(self))

    def received(self, payload: bytes, received_ns: int) -> None:
        """Offer what a frame brought to its symbols, in order."""
        self.frames += 1
        self.last_frame_ns = received_ns
        brought = self._decoded(payload, received_ns)
        if not brought:
            return
        if not self.snapshots:
            self._feed.tell(ConnectionStreaming(self))
        self.snapshots += len(brought)
        self._deliver(brought)

    def oversized(self, length: int, received_ns: int) -> None:
        """Count a message that was too long to be kept."""
        self.frames += 1
        self.last_frame_ns = received_ns
        self._note_bad("oversized", f"{length} bytes")

    def heard(self, received_ns: int) -> None:
        """Note that the connection lives."""
        self.last_frame_ns = received_ns

    def closed(self, reason: str) -> None:
        """Tell the feed, and every symbol that does not know yet, that it is gone."""
        if self._tells_loss:
            for mailbox in self._mailboxes.values():
                mailbox.post(FeedLost(key=mailbox.key, reason=reason))
        self._feed.tell(ConnectionLost(self, reason))

    def _decoded(self, payload: bytes, received_ns: int) -> Sequence[Snapshot | FeedEvent]:
        try:
            return self._protocol.receive(payload, received_ns)
        except BadFrame as bad:
            self._note_bad(bad.reason, bad.detail)
        except ExchangeReplied as reply:
            self._note_bad("error_reply", reply)
            self._feed.tell(ConnectionRefused(self, reply))
        except Exception as error:  # noqa: BLE001 - no payload may end a connection
            self._note_bad("unexpected", repr(error))
        return ()

    def _deliver(self, brought: Sequence[Snapshot | FeedEvent]) -> None:
        *others, last = brought
        for each in others:
            self._offer(each, None)
        # Only the last may be handled here: nothing of this frame may be left to do if another
        # thread has to take over the reading.
        self._offer(last, self._link)

    def _offer(self, brought: Snapshot | FeedEvent, link: Link | None) -> None:
        if isinstance(brought, Snapshot):
            self._mailboxes[brought.symbol].offer(brought, link.here if link else None)
        else:
            self._mailboxes[brought.key.partition(":")[2]].post(brought)

    def _note_bad(self, reason: str, detail: object) -> None:
        self.bad_frames[reason] += 1
        if self.bad_frames[reason] == 1:
            logger.warning("{}: frames that cannot be used ({}): {}", self.name, reason, detail)
