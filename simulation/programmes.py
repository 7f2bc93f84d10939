"""What a simulated exchange sends to those who subscribed; runs on its event loop."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from ..messages import Snapshot, WrongState
from .capture import CapturedFrame
from .client import Client
from .hub import Hub, until_gone
from .pacing import is_unpaced, paced
from .timetable import Timetable

__all__ = ["BookProgramme", "Programme", "ReplayProgramme"]


class Programme(Protocol):
    """What is sent, and when."""

    finished: threading.Event

    def joined(self, client: Client) -> None:
        """Take note of a client that has subscribed for the first time."""

    def hurry(self, books: int) -> None:
        """Bring forward the next `books`."""

    async def run(self, hub: Hub) -> None:
        """Send until cancelled."""


class BookProgramme:
    """Books of one exchange, each sent once, to all who are subscribed then.

    Time begins at once, or (`waits`) when the first client has subscribed. A client that leaves
    more than `max_unread_bytes` unread is dropped; at unlimited speed all are waited for instead.
    """

    def __init__(
        self,
        exchange: str,
        books: Iterable[tuple[float, Snapshot]],
        speed: float,
        max_unread_bytes: int,
        *,
        waits: bool,
    ) -> None:
        self.finished = threading.Event()
        self._begun = asyncio.Event()
        if not waits:
            self._begun.set()
        self._exchange = exchange
        self._books = Timetable(books)
        self._speed = speed
        self._max_unread_bytes = max_unread_bytes

    def joined(self, _: Client) -> None:
        """Begin with the first client."""
        self._begun.set()

    def hurry(self, books: int) -> None:
        """Bring forward the next `books`, to when the one after is due."""
        self._books.hurry(books)

    async def run(self, hub: Hub) -> None:
        """Send the books as they are due, to their end."""
        await self._begun.wait()
        async for books in paced(self._books, self._speed):
            for book in books:
                if book.exchange == self._exchange:
                    hub.publish(book)
            hub.drop_unread(self._max_unread_bytes)
            if is_unpaced(self._speed):
                await hub.all_have_read()
        await hub.all_have_read()
        self.finished.set()


class ReplayProgramme:
    """A capture's frames as captured, to all who are subscribed then.

    It begins with the first client, and anew with the next where a frame finds nobody. Who
    subscribes meanwhile hears the rest, as from any exchange: a client that makes a new connection
    before it leaves the old one, since a recorded frame says so, would never come to the end
    otherwise.
    """

    def __init__(self, frames: Sequence[CapturedFrame], speed: float) -> None:
        self.finished = threading.Event()
        self._joined: asyncio.Queue[Client] = asyncio.Queue()
        self._audience: list[Client] = []
        self._frames = frames
        self._speed = speed

    def joined(self, client: Client) -> None:
        """Let this client hear what is to come."""
        self._joined.put_nowait(client)

    def hurry(self, books: int) -> None:  # noqa: ARG002 - it has none
        """Refuse: frames come as captured. Raises WrongState."""
        raise WrongState("a replay sends its frames when they were captured, not in a burst")

    async def run(self, hub: Hub) -> None:
        """Send it as often as there is somebody new and nobody else."""
        while True:
            client = await self._joined.get()
            if hub.peers(self._audience):
                self._audience.append(client)
            else:
                self._audience = [client]
                self.finished.clear()
                await self._send_all(hub)

    async def _send_all(self, hub: Hub) -> None:
        start = self._frames[0].at_unix_s if self._frames else 0.0
        timed = ((frame.at_unix_s - start, frame) for frame in self._frames)
        async for frames in paced(timed, self._speed):
            await hub.stall_is_over()
            while not self._joined.empty():
                self._audience.append(self._joined.get_nowait())
            if not (peers := hub.peers(self._audience)):
                return
            for frame in frames:
                for peer in peers:
                    with until_gone():
                        await peer.connection.send(frame.payload)
                        hub.model.frames_sent += 1
        await hub.all_have_read()
        if hub.peers(self._audience):
            self.finished.set()
