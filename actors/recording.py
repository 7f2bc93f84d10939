"""Recording raw frames as they come, by a transport between ours and the feeds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice

from ..messages import RecordingMetrics, Refusal
from ..runtime import Answer, Clock, Inbox, Link, Reader, Receiver, Transport
from .book_desk import OK, BookReader
from .capture_file import ANSWER, CaptureEntry
from .recorded_reader import RecordedReader

__all__ = ["Recording", "RecordingTransport"]

MAX_WAITING_BYTES = 64 * 2**20
LINE_BYTES = 200
"""What an entry takes besides its content, about."""


class Recording:
    """What waits to be written, within a bound, and what became of it. Outlives its actor.

    Any thread puts; `inbox` is told (`self`) when there is something again. What comes while
    `max_waiting_bytes` wait (64 MiB) does not fit and is counted, but for what tells of the
    connection, which is little.
    """

    def __init__(
        self, path: str, inbox: Inbox, *, max_waiting_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        self.path = path
        self.inbox = inbox
        self.frames = self.bytes = self.lost = 0
        self.last_error: str | None = None
        self._room = max_waiting_bytes
        self._entries: deque[CaptureEntry] = deque()
        self._told = False
        self._lock = threading.Lock()

    def put(self, entry: CaptureEntry) -> bool:
        """Keep it to be written; say whether it fits. Never blocks."""
        size = LINE_BYTES + len(entry.content)
        with self._lock:
            if size > self._room and not entry.is_mark:
                self.lost += 1
                return False
            self._room -= size
            self._entries.append(entry)
            tell, self._told = not self._told, True
        if tell:
            self.inbox.tell(self)
        return True

    def waiting(self, most: int = 1000) -> Sequence[CaptureEntry]:
        """Return the oldest that wait; they are kept until they are `written`."""
        with self._lock:
            self._told = bool(self._entries)
            return [*islice(self._entries, most)]

    def written(self, entries: Sequence[CaptureEntry], length: int) -> None:
        """Forget the oldest, which take `length` bytes of the file now."""
        with self._lock:
            for entry in entries:
                self._entries.popleft()
                self._room += LINE_BYTES + len(entry.content)
        self.frames += sum(not entry.arrow for entry in entries)
        self.bytes += length

    def metrics(self) -> RecordingMetrics:
        """Return what is written, what waits, what did not fit; any thread."""
        return RecordingMetrics(
            path=self.path,
            frames=self.frames,
            bytes=self.bytes,
            waiting=len(self._entries),
            lost=self.lost,
            last_error=self.last_error,
        )


class RecordingTransport:
    """Make another transport's connections, and record every frame before anybody decodes it.

    What a REST side answers is recorded where its connection reads it, just before a frame.
    """

    def __init__(self, transport: Transport, recording: Recording, clock: Clock) -> None:
        self._transport = transport
        self._recording = recording
        self._clock = clock
        self._taps: dict[int, _Tap] = {}
        """Of the connections that are open, by the id of who receives."""

    def open(self, name: str, url: str, receiver: Receiver) -> Link:
        """Begin to connect and return at once; `receiver` is told how it goes."""
        tap = _Tap(name, url, receiver, self._recording, self._clock, taps=self._taps)
        return _TappedLink(self._transport.open(name, url, tap), tap)

    def reader(self, reader: BookReader, base: str) -> BookReader:
        """Return who is to be told a book in place of a connection of ours; on its reading thread.

        `base`: the REST side's address.
        """
        tap = self._taps.get(id(reader))
        return reader if tap is None else tap.reading(reader, base)


class _Tap:
    """A receiver that records what it is told, and tells it on."""

    def __init__(
        self,
        name: str,
        url: str,
        receiver: Receiver,
        recording: Recording,
        clock: Clock,
        *,
        taps: dict[int, _Tap],
    ) -> None:
        self._name = name
        self._url = url
        self._receiver = receiver
        self._recording = recording
        self._clock = clock
        self._taps = taps
        self._link: Link | None = None
        self._books: RecordedReader | None = None
        self._missed = 0

    def __str__(self) -> str:
        return str(self._receiver)

    def opened(self, link: Link) -> None:
        self._link = link
        self._taps[id(self._receiver)] = self
        self.mark("<->")
        self._receiver.opened(_TappedLink(link, self))

    def reading(self, reader: BookReader, base: str) -> BookReader:
        if self._books is None and self._link is not None:
            self._books = RecordedReader(reader, base, self._link, self._record)
        return self._books or reader

    def received(self, payload: bytes, received_ns: int) -> None:
        if self._books is not None:
            self._books.hand_on()
        is_text = getattr(self._link, "text", False)
        entry = CaptureEntry(self._name, received_ns, payload, is_text=is_text)
        if not self._recording.put(entry):
            self._missed += 1
        elif self._missed:
            self.mark("---", f"{self._missed} frames did not fit before the line above")
            self._missed = 0
        self._receiver.received(payload, received_ns)

    def oversized(self, length: int, received_ns: int) -> None:
        self.mark("---", f"a frame of {length} bytes or more")
        self._receiver.oversized(length, received_ns)

    def heard(self, received_ns: int) -> None:
        if self._books is not None:
            self._books.hand_on()
        self._receiver.heard(received_ns)

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        self.mark(">-<", reason)
        self._receiver.closed(reason, refusal)
        self._taps.pop(id(self._receiver), None)

    def mark(self, arrow: str, said: str = "") -> None:
        """Record what happened to the connection."""
        now_ns = self._clock.now_ns()
        content = " ".join(said.splitlines()).encode()
        self._recording.put(CaptureEntry(self._name, now_ns, content, self._url, arrow))

    def _record(self, url: str, answer: Answer) -> None:
        body, at_ns = answer.body, answer.received_ns
        entry = CaptureEntry(self._name, at_ns, body, url, ANSWER, is_text=body.isascii())
        if answer.status != OK:
            self.mark("---", f"HTTP {answer.status} from {url}")
        elif not self._recording.put(entry):
            self.mark("---", f"{len(body)} bytes from {url} did not fit")


class _TappedLink:
    """A link that records what is sent."""

    def __init__(self, link: Link, tap: _Tap) -> None:
        self._link = link
        self._tap = tap

    @property
    def here(self) -> Reader | None:
        return self._link.here

    def send(self, text: str) -> None:
        self._tap.mark("<-", text)
        self._link.send(text)

    def ping(self) -> None:
        self._link.ping()

    def close(self, reason: str) -> None:
        self._link.close(reason)

    def backlog(self) -> int:
        return self._link.backlog()
