"""A file of raw frames that a killed process leaves readable."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from ..messages import InvalidOption

__all__ = ["ANSWER", "CaptureEntry", "CaptureFile"]

ANSWER = "->"
"""The arrow of what a REST side has answered."""

_BEGINNINGS = (b"ws://", b"wss://")
_CHUNK_BYTES = 2**16


class CaptureEntry(NamedTuple):
    """One line: a frame, or with an `arrow` an answer, or what happened to its connection."""

    connection: str
    """The name of the feed's connection: `upbit`, `upbit#2`."""
    at_ns: int
    """When it was received, monotonic."""
    content: bytes
    url: str = ""
    arrow: str = ""
    """Empty for a frame, `->` for an answer of the REST side at `url`; what happened otherwise:
    `<->` opened, `<-` sent by us, `>-<` closed, `---` not recorded."""
    is_text: bool = False

    @property
    def is_mark(self) -> bool:
        """Whether it tells of the connection, and is small."""
        return self.arrow not in ("", ANSWER)

    def line(self, unix_less_monotonic_s: float) -> bytes:
        """Return it as `simulation.read_capture` reads it, with its end.

        `[url arrow ]unix seconds connection monotonic ns: frame`, where a binary frame is a Python
        bytes literal, as is a text that does not stay on its line. Answers are written like frames.
        """
        at_unix_s = self.at_ns / 1e9 + unix_less_monotonic_s
        said = f"{self.url} {self.arrow} " if self.arrow else ""
        head = f"{said}{at_unix_s:.6f} {self.connection} {self.at_ns}: ".encode()
        return head + (self.content if self._is_plain else repr(self.content).encode()) + b"\n"

    @property
    def _is_plain(self) -> bool:
        content = self.content
        fits = b"\n" not in content and not content.endswith(b"\r")
        return (self.is_text or self.is_mark) and fits and not content.startswith((b"b'", b'b"'))


class CaptureFile:
    """Append lines to a capture, whole ones only.

    A capture that is there is continued; what a killed process left of a last line is cut off
    first. Raises InvalidOption for a file that cannot be written or is no capture.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = FileIO(os.fspath(path), "a+")
        except OSError as error:
            allowed = f"a file that can be written ({error.strerror})"
            raise InvalidOption("record", str(path), allowed) from error
        self._end = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        if not _may_begin(self._file.read(len(_BEGINNINGS[1]))):
            self._file.close()
            raise InvalidOption("record", str(path), "a new file or a capture to be continued")
        self._cut(self._last_line_end())

    def append(self, lines: Iterable[bytes]) -> int:
        """Write all lines or none, and return how many bytes that were.

        Raises OSError when the disk is full, with the file as it was.
        """
        batch = b"".join(lines)
        left = memoryview(batch)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with suppress(OSError):
                self._cut(self._end)
            raise
        self._end += len(batch)
        return len(batch)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _last_line_end(self) -> int:
        start = self._end
        while start > 0:
            end, start = start, max(0, start - _CHUNK_BYTES)
            self._file.seek(start)
            if (place := self._file.read(end - start).rfind(b"\n")) >= 0:
                return start + place + 1
        return 0

    def _cut(self, end: int) -> None:
        if end < self._file.seek(0, os.SEEK_END):
            self._file.truncate(end)
        self._end = end


def _may_begin(head: bytes) -> bool:
    # A writer may have been killed in its first line.
    return any(head.startswith(each) or each.startswith(head) for each in _BEGINNINGS)
