"""The run log's file: SQLite, written in one transaction for each roll-up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import attrs
from loguru import logger

from ..analysis import parse_unix_s
from ..messages import Rollup, RunEvent, RunSecond
from .run_files import day_file, forget_days

__all__ = ["SCHEMA_VERSION", "RunBatch", "RunStore"]

SCHEMA_VERSION = 1
LOCK_WAIT_S = 0.05
"""How long a lock is waited for: whoever writes holds up a thread that others might need."""
_VALUES_AT_ONCE = 9000
"""Bound to one statement: SQLite allows 32,766, and each statement gives up the GIL once."""

_TABLES: Mapping[str, tuple[str, ...]] = {
    "rollups": Rollup._fields,
    "seconds": RunSecond._fields,
    "events": RunEvent._fields,
    "entries": ("at_unix_s", "entry"),
}


@attrs.define
class RunBatch:
    """What is written together, or not at all."""

    day_unix_s: float
    """Any time of the day whose file it goes to."""
    rollups: list[Rollup] = attrs.field(factory=list)
    seconds: list[RunSecond] = attrs.field(factory=list)
    events: list[RunEvent] = attrs.field(factory=list)
    entries: list[dict[str, Any]] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self.rollups) + len(self.seconds) + len(self.events) + len(self.entries)


class RunStore:
    """Append to the run log; one thread at a time.

    `path` names the log; the files are one for each day, UTC (`run_files`). With `keep_days`, those
    older are deleted when a new one is begun. A file is in WAL mode: others may read it
    meanwhile, and what was committed survives a writer that is killed.
    """

    def __init__(self, path: Path, *, keep_days: int | None = None) -> None:
        self._path = path
        self._keep_days = keep_days
        self._file: Path | None = None
        self._connection: sqlite3.Connection | None = None

    def write(self, batch: RunBatch) -> None:
        """Write the batch in one transaction.

        Waits at most 50 ms for a lock. Raises OSError or sqlite3.Error where it cannot be written;
        nothing of it is then, and the file is opened anew by the next call.
        """
        try:
            _write(self._open(day_file(self._path, batch.day_unix_s), batch.day_unix_s), batch)
        except (OSError, sqlite3.Error):
            self.close()
            raise

    def close(self) -> None:
        """Close the file, if one is open."""
        connection, self._connection, self._file = self._connection, None, None
        if connection is not None:
            connection.close()

    def _open(self, file: Path, unix_s: float) -> sqlite3.Connection:
        if self._connection is None or self._file != file:
            self.close()
            self._connection = _connect(file)
            self._file = file
            self._forget(unix_s)
        return self._connection

    def _forget(self, unix_s: float) -> None:
        if self._keep_days is None:
            return
        try:
            for old in forget_days(self._path, unix_s, self._keep_days):
                logger.info("{} is older than {} days: deleted", old, self._keep_days)
        except OSError as error:  # no reason not to write today's
            logger.warning("an old day of the run log cannot be deleted: {}", error)


def _connect(file: Path) -> sqlite3.Connection:
    # An actor may run on another thread with each message, on one at a time.
    connection = sqlite3.connect(
        file, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        _set_mode(connection)
    elif version or connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise sqlite3.DatabaseError(f"{file} is no run log of version {SCHEMA_VERSION}")
    else:
        _set_mode(connection)
        connection.executescript(_schema())


def _set_mode(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    # No wait for the disk at each commit: a process that is killed loses nothing by it, a machine
    # that loses power the last commits (sqlite.org/pragma.html#pragma_synchronous).
    connection.execute("PRAGMA synchronous=NORMAL")


def _schema() -> str:
    tables = "".join(f"CREATE TABLE {name} ({', '.join(of)});" for name, of in _TABLES.items())
    return f"BEGIN IMMEDIATE; {tables} PRAGMA user_version={SCHEMA_VERSION}; COMMIT"


def _write(connection: sqlite3.Connection, batch: RunBatch) -> None:
    entries = [(parse_unix_s(each.get("timestamp")), json.dumps(each)) for each in batch.entries]
    connection.execute("BEGIN IMMEDIATE")
    try:
        _insert(connection, "rollups", batch.rollups)
        _insert(connection, "seconds", batch.seconds)
        _insert(connection, "events", batch.events)
        _insert(connection, "entries", entries)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert many rows by few statements.

    Each statement gives up the GIL, and to get it back from a thread that computes takes up to
    5 ms.
    """
    width = len(_TABLES[table])
    at_once = _VALUES_AT_ONCE // width
    for first in range(0, len(rows), at_once):
        part = rows[first : first + at_once]
        connection.execute(_statement(table, width, len(part)), [*chain.from_iterable(part)])


def _statement(table: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608 - a table of ours
