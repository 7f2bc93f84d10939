"""One symbol's snapshots for a host that runs in asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress

from ..actors import Subscription
from ..messages import Snapshot

__all__ = ["Stream", "Streams"]

Join = Callable[[Callable[[Snapshot], object]], Subscription]


class Stream:
    """Carries snapshots from the thread that handles them to an event loop.

    Of those that wait the oldest gives way, as in a mailbox. The loop is woken once for all that
    came since it last looked, not once for each.
    """

    def __init__(self, capacity: int) -> None:
        self.ended = False
        self._waiting: deque[Snapshot] = deque(maxlen=capacity)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._told = False

    def put(self, snapshot: Snapshot) -> None:
        """Take a snapshot, on the thread that handles it."""
        self._waiting.append(snapshot)
        self._tell()

    def end(self) -> None:
        """Let the iteration end after what waits; from any thread."""
        self.ended = True
        self._tell()

    async def get(self) -> Snapshot | None:
        """Return the next one; None at the end."""
        while not self._waiting:
            if self.ended:
                return None
            self._news.clear()
            # Whoever puts one from here on tells it; who put one before is seen by the next look.
            self._told = False
            if not (self._waiting or self.ended):
                await self._news.wait()
        return self._waiting.popleft()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._news.set)


class Streams:
    """The streams of a host that are being read."""

    def __init__(self) -> None:
        self._open: dict[Stream, str] = {}
        """By stream, its key."""
        self._ended = False

    async def of(self, key: str, join: Join, capacity: int) -> AsyncIterator[Snapshot]:
        """Yield what comes from now on, until the end."""
        stream = Stream(capacity)
        with ExitStack() as afterwards:
            # Known before it listens: who ends it meanwhile must find it.
            self._open[stream] = key
            afterwards.callback(self._open.pop, stream)
            afterwards.callback(join(stream.put).cancel)
            if self._ended:
                stream.end()
            while (snapshot := await stream.get()) is not None:
                yield snapshot

    def end(self, key: str) -> None:
        """End those of a key, after what waits."""
        for stream, of_key in [*self._open.items()]:
            if of_key == key:
                stream.end()

    def end_all(self) -> None:
        """End them all, and those to come, after what waits."""
        self._ended = True
        for stream in [*self._open]:
            stream.end()
