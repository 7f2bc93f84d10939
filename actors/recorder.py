"""The actor that writes raw frames to a file."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from loguru import logger

from ..runtime import Actor, Dispatching, Inbox
from .capture_file import CaptureFile
from .recording import Recording

__all__ = ["RecorderActor"]

FLUSH_S = 0.1
RETRY_S = 1.0


class RecorderActor(Actor):
    """Append what a `Recording` has waiting to its file, ten times a second.

    A file that cannot be written any more, on a full disk above all, is told once in the log and
    tried again every second; meanwhile what comes waits, as far as it fits. The file holds whole
    lines at all times, but for one that a killed process was writing.
    """

    def __init__(
        self,
        *,
        recording: Recording,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="recorder", supervisor=supervisor)
        self._recording = recording

    def on_start(self) -> None:
        """Open the file, and write what an actor before this one has left."""
        self._file = CaptureFile(self._recording.path)
        self._write()

    def on_receive(self, message: Any) -> None:
        """Write soon: a batch is cheaper than line after line."""
        if message is self._recording:
            self.dispatcher.call_later(FLUSH_S, lambda: self.inbox.tell(_WRITE))
        elif message is _WRITE:
            self._write()
        else:
            super().on_receive(message)

    def on_stop(self) -> None:
        """Write what is left, and close the file."""
        self._write()
        self._file.close()
        if left := self._recording.metrics().waiting:
            logger.error("{}: {} lines could not be written", self._recording.path, left)

    def on_failure(self, *_exc_info: object) -> None:
        """Close the file."""
        with suppress(OSError, AttributeError):
            self._file.close()

    def _write(self) -> None:
        clock = self.dispatcher.clock
        unix_less_monotonic_s = clock.unix_s() - clock.now_ns() / 1e9
        while entries := self._recording.waiting():
            try:
                length = self._file.append(each.line(unix_less_monotonic_s) for each in entries)
            except OSError as error:
                self._tell_failed(error)
                return
            self._recording.written(entries, length)
            self._tell_resumed()

    def _tell_failed(self, error: OSError) -> None:
        recording = self._recording
        if recording.last_error is None:
            logger.error("{} cannot be written: {}; trying on", recording.path, error)
        recording.last_error = str(error)
        self.dispatcher.call_later(RETRY_S, lambda: self.inbox.tell(_WRITE))

    def _tell_resumed(self) -> None:
        recording = self._recording
        if recording.last_error is not None:
            recording.last_error = None
            logger.warning("{} is written again; {} frames lost", recording.path, recording.lost)


_WRITE = object()
"""It is time to write."""
