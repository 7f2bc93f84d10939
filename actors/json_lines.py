"""The actor that writes the metrics log as JSON Lines."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ..messages import InvalidOption
from ..runtime import Actor, Dispatching, Inbox

__all__ = ["JsonLinesActor", "open_json_lines"]


def open_json_lines(path: str | Path) -> IO[str]:
    """Open a metrics log for appending: JSON Lines, flushed line by line.

    A line that a full disk or a loss of power has cut off is ended, so that it costs no other one.
    Raises InvalidOption when the file cannot be written.
    """
    try:
        _end_last_line(Path(path))
        return Path(path).open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        allowed = f"a file that can be written ({error.strerror})"
        raise InvalidOption("log", str(path), allowed) from error


def _end_last_line(path: Path) -> None:
    if path.is_file() and path.stat().st_size:
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                file.write(b"\n")


class JsonLinesActor(Actor):
    """Append one entry for each interval to the metrics log, which it closes when it stops."""

    def __init__(
        self,
        *,
        path: str | Path,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="run log", supervisor=supervisor)
        self._path = path

    def on_start(self) -> None:
        """Open the file."""
        self._file = open_json_lines(self._path)

    def on_receive(self, message: Any) -> None:
        """Write an entry."""
        if isinstance(message, dict):
            self._file.write(json.dumps(message) + "\n")
        else:
            super().on_receive(message)

    def on_stop(self) -> None:
        """Close the file."""
        self._file.close()

    def on_failure(self, *_exc_info: object) -> None:
        """Close the file; what a full disk did not take is lost."""
        with suppress(OSError):
            self._file.close()
