"""Logs of either kind: what they come to, and one made from the other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..analysis import RunReport, RunTally, parse_unix_s, read_longrun_log
from ..messages import InvalidOption
from .run_files import day_files, day_of
from .run_reader import RunReader
from .run_store import RunBatch, RunStore

__all__ = ["convert_log", "read_entries", "report_on"]

_SQLITE = b"SQLite format 3\0"
_AT_ONCE = 10_000


def report_on(path: str | Path, scenario: str = "S1") -> RunReport:
    """Return what a log comes to: a run log (`run.db`, or one day's file) or JSON Lines.

    It may still be written. Raises InvalidOption for what is no log, or an unknown scenario.
    """
    tally = RunTally()
    if _is_run_log(Path(path)):
        reader = RunReader(path)
        for event in reader.events():
            tally.add_event(event)
        for row in reader.rollups():
            tally.add_rollup(row)
        for second in reader.seconds():
            tally.add_second(second)
    for entry in read_entries(path):
        tally.add_entry(entry)
    return tally.report(scenario)


def read_entries(path: str | Path) -> Iterator[object]:
    """Yield a log's entries, one dict for each interval, for `LongrunAnalyzer`."""
    yield from RunReader(path).entries() if _is_run_log(Path(path)) else read_longrun_log(path)


def convert_log(source: str | Path, target: str | Path) -> int:
    """Write a log's entries to a new log of the kind its name says; return how many.

    `*.jsonl` gets a line for each entry. `*.db` gets each entry in its day's file; an entry without
    a `timestamp` stands with the one before it. Lines that are no JSON object are left out.

    Raises InvalidOption for a target of another name, or one that is there or cannot be written.
    """
    target = Path(target)
    if target.suffix not in {".db", ".jsonl"}:
        raise InvalidOption("target", str(target), "a file named *.db or *.jsonl")
    if target.exists() or day_files(target):
        raise InvalidOption("target", str(target), "new: there is a log of this name")
    entries = (dict(entry) for entry in read_entries(source) if isinstance(entry, Mapping))
    write = _to_run_log if target.suffix == ".db" else _to_lines
    try:
        return write(entries, target)
    except (OSError, sqlite3.Error) as error:
        allowed = f"a file that can be written ({error})"
        raise InvalidOption("target", str(target), allowed) from error


def _to_lines(entries: Iterable[dict[str, Any]], target: Path) -> int:
    number = 0
    with target.open("x", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(entry) + "\n")
            number += 1
    return number


def _to_run_log(entries: Iterable[dict[str, Any]], target: Path) -> int:
    number, store = 0, RunStore(target)
    try:
        for at_unix_s, part in _by_day(entries):
            store.write(RunBatch(at_unix_s, entries=part))
            number += len(part)
    finally:
        store.close()
    return number


def _by_day(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[float, list[dict[str, Any]]]]:
    """Yield entries that follow one another on the same day, 10,000 at most, with a time of it."""
    at_unix_s, part = 0.0, list[dict[str, Any]]()
    for entry in entries:
        before, given = at_unix_s, parse_unix_s(entry.get("timestamp"))
        at_unix_s = before if given is None else given
        if part and (len(part) == _AT_ONCE or day_of(before) != day_of(at_unix_s)):
            yield before, part
            part = []
        part.append(entry)
    if part:
        yield at_unix_s, part


def _is_run_log(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:  # not there, or not to be read: who reads it says so
        return path.suffix == ".db"
