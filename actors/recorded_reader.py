"""Who stands between a desk and a connection whose answers are recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..exchanges import BookRequest
from ..runtime import Answer, Link
from .book_desk import BookReader

__all__ = ["RecordedReader"]


class RecordedReader:
    """Keep what a REST side answers until the connection it is for reads it, and record it then.

    Told by the desk from any thread; handed on by the reading thread alone, just before a frame
    that is recorded next. So a capture has every answer where its connection has read it, and
    whoever replays it keeps the same books.
    """

    def __init__(
        self,
        reader: BookReader,
        base: str,
        link: Link,
        record: Callable[[str, Answer], object],
    ) -> None:
        self._reader = reader
        self._base = base
        self._link = link
        self._record = record
        self._answers: deque[tuple[BookRequest, Answer]] = deque()

    @property
    def name(self) -> str:
        """What the connection is called in the log."""
        return self._reader.name

    def wants(self, request: BookRequest) -> bool:
        """Say whether the connection has not changed its mind; from any thread."""
        return self._reader.wants(request)

    def answered(self, request: BookRequest, answer: Answer) -> None:
        """Take an answer, from any thread."""
        self._answers.append((request, answer))

    def nudge(self, request: BookRequest) -> None:
        """Make a frame come, if that answer has waited longest for one; from any thread."""
        waits = next(iter(self._answers.copy()), None)
        if waits is not None and waits[0] is request:
            self._link.ping()

    def hand_on(self) -> None:
        """Record what there is, and give it to the connection; on the reading thread."""
        while self._answers:
            request, answer = self._answers.popleft()
            self._record(f"{self._base}{request.path}", answer)
            self._reader.answered(request, answer)
