"""The run log's file."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ticklane.messages import Rollup, RunEvent, RunSecond
from ticklane.runtime import RunBatch, RunReader, RunStore

NOON_S = 1_795_348_800.0
DAY_S = 86_400.0
ROLLUP = Rollup._make((NOON_S, 10.0, "x:A", *range(9), 0.5, 0.1, 0.2, 0.3, 0.4, b"B\x01\x00\x05"))
SECOND = RunSecond(NOON_S, "x:A", 1, 2, 3, 4, 0.5, 0.6, 0.7, 0.8, 0.9)
EVENT = RunEvent(NOON_S, "started", None, "{}")
BATCH = RunBatch(NOON_S, [ROLLUP], [SECOND], [EVENT], [{"timestamp": NOON_S, "note": "가"}])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def store(path: Path) -> Iterator[RunStore]:
    store = RunStore(path, keep_days=2)
    yield store
    store.close()


def open_day(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.with_suffix(".2026-11-22.db"), isolation_level=None)


def test_what_is_written_is_read_as_it_was(store: RunStore, path: Path) -> None:
    store.write(BATCH)
    reader = RunReader(path)

    assert [*reader.rollups()] == [ROLLUP]
    assert [*reader.seconds()] == [SECOND]
    assert [*reader.events()] == [EVENT]
    assert [*reader.entries()] == BATCH.entries


def test_a_file_says_its_version_and_is_in_wal_mode(store: RunStore, path: Path) -> None:
    store.write(BATCH)
    with closing(open_day(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()

    assert (version, mode) == (1, "wal")


@pytest.mark.parametrize("rows", [1, 499, 500, 501, 2345])
def test_any_number_of_rows_is_written_in_order(store: RunStore, path: Path, rows: int) -> None:
    batch = RunBatch(NOON_S, [ROLLUP._replace(offered=number) for number in range(rows)])
    store.write(batch)

    assert [row.offered for row in RunReader(path).rollups()] == [*range(rows)]


def test_a_log_that_is_there_is_continued(store: RunStore, path: Path) -> None:
    store.write(BATCH)
    store.close()
    store.write(BATCH)

    assert len([*RunReader(path).rollups()]) == 2


def test_a_new_day_begins_a_new_file(store: RunStore, path: Path) -> None:
    store.write(BATCH)
    store.write(RunBatch(NOON_S + DAY_S, events=[EVENT]))

    assert [each.name for each in RunReader(path).files] == [
        "run.2026-11-22.db",
        "run.2026-11-23.db",
    ]
    assert len([*RunReader(path).events()]) == 2


def test_days_older_than_those_to_keep_are_deleted(store: RunStore, path: Path) -> None:
    for day in range(4):
        store.write(RunBatch(NOON_S + day * DAY_S, events=[EVENT]))

    assert [each.name for each in RunReader(path).files] == [
        "run.2026-11-24.db",
        "run.2026-11-25.db",
    ]


def test_an_old_day_that_cannot_be_deleted_keeps_nobody_from_writing(
    store: RunStore, path: Path
) -> None:
    path.with_suffix(".2026-11-01.db").mkdir()
    store.write(BATCH)

    assert [*RunReader(path.with_suffix(".2026-11-22.db")).rollups()] == [ROLLUP]


def test_a_batch_that_fails_leaves_nothing_of_itself(store: RunStore, path: Path) -> None:
    store.write(BATCH)
    bad = RunBatch(NOON_S, [ROLLUP], events=[EVENT._replace(detail=object())])  # type: ignore[arg-type]

    with pytest.raises(sqlite3.Error):
        store.write(bad)

    assert len([*RunReader(path).rollups()]) == 1
    store.write(BATCH)
    assert len([*RunReader(path).rollups()]) == 2


def test_a_lock_of_somebody_else_is_waited_for_for_50_ms_at_most(
    store: RunStore, path: Path
) -> None:
    store.write(BATCH)
    with closing(open_day(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before_s = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.write(BATCH)

        assert time.monotonic() - before_s < 1.0
        other.execute("ROLLBACK")
    store.write(BATCH)

    assert len([*RunReader(path).rollups()]) == 2


def test_somebody_elses_database_is_left_alone(store: RunStore, path: Path) -> None:
    with closing(open_day(path)) as other:
        other.execute("CREATE TABLE theirs (a)")

    with pytest.raises(sqlite3.DatabaseError, match="no run log of version 1"):
        store.write(BATCH)
