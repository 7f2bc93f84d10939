"""Reading a run log, also while it is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ..messages import InvalidOption, Rollup, RunEvent, RunSecond
from .run_files import day_files
from .run_store import SCHEMA_VERSION

__all__ = ["RunReader"]


class RunReader:
    """Read the rows of a run log, in the order they were written.

    `path`: one file, or the name the log was given, for all of its days. One that is still written
    may be read, and so may one whose writer was killed: each row that was committed is there.
    Each method reads anew, row by row. Raises InvalidOption for what is no run log, and as soon as
    one turns out to be damaged.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        self.files = (path,) if path.is_file() else tuple(day_files(path).values())
        if not self.files:
            raise InvalidOption("path", str(path), "a run log: there is no such file, nor a day's")

    def rollups(self) -> Iterator[Rollup]:
        """Yield what each symbol did in each ten seconds."""
        return map(Rollup._make, self._rows("rollups"))

    def seconds(self) -> Iterator[RunSecond]:
        """Yield what symbols did in the seconds around anomalies."""
        return map(RunSecond._make, self._rows("seconds"))

    def events(self) -> Iterator[RunEvent]:
        """Yield what happened."""
        return map(RunEvent._make, self._rows("events"))

    def entries(self) -> Iterator[dict[str, Any] | None]:
        """Yield one dict for each interval, as in JSON Lines; None for one that is damaged."""
        return (_entry(entry) for _, entry in self._rows("entries"))

    def _rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        for file in self.files:
            with closing(_open(file)) as connection:
                try:
                    yield from connection.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 - a table of ours
                except sqlite3.Error as error:
                    raise _damaged(file, error) from error


def _entry(text: Any) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError):
        return None
    return entry


def _open(file: Path) -> sqlite3.Connection:
    """Open a file for reading; one on a disk that cannot be written is taken as it is."""
    failed: sqlite3.Error | None = None
    for how in ("mode=ro", "immutable=1"):
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True, timeout=5.0)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            connection.close()
            failed = failed or error
            continue
        if version == SCHEMA_VERSION:
            return connection
        connection.close()
        allowed = f"a run log of version {SCHEMA_VERSION} (it says version {version})"
        raise InvalidOption("path", str(file), allowed)
    raise _damaged(file, failed)


def _damaged(file: Path, error: sqlite3.Error | None) -> InvalidOption:
    return InvalidOption("path", str(file), f"a run log that can be read ({error})")
