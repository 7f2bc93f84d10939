"""Reading a run log."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ticklane.messages import InvalidOption, RunEvent
from ticklane.runtime import RunBatch, RunReader, RunStore

NOON_S = 1_795_348_800.0
EVENT = RunEvent(NOON_S, "started", None, "{}")


def write(path: Path, *days: int) -> None:
    store = RunStore(path)
    for day in days:
        store.write(RunBatch(NOON_S + day * 86_400, events=[EVENT._replace(key=str(day))]))
    store.close()


def keys(path: Path) -> list[str | None]:
    return [event.key for event in RunReader(path).events()]


def test_all_days_are_read_in_order_under_the_name_of_the_log(tmp_path: Path) -> None:
    write(tmp_path / "run.db", 2, 0, 1)

    assert keys(tmp_path / "run.db") == ["0", "1", "2"]


def test_one_day_is_read_under_its_own_name(tmp_path: Path) -> None:
    write(tmp_path / "run.db", 0, 1)

    assert keys(tmp_path / "run.2026-11-23.db") == ["1"]


def test_a_log_that_is_still_written_is_read_up_to_now(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.db")
    store.write(RunBatch(NOON_S, events=[EVENT]))
    first = RunReader(tmp_path / "run.db").events()
    next(first)
    store.write(RunBatch(NOON_S, events=[EVENT]))

    assert [*first] == []
    assert len(keys(tmp_path / "run.db")) == 2
    store.close()


def test_a_reader_does_not_keep_the_writer_from_writing(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.db")
    store.write(RunBatch(NOON_S, events=[EVENT] * 100))
    reading = RunReader(tmp_path / "run.db").events()
    next(reading)
    store.write(RunBatch(NOON_S, events=[EVENT]))

    assert len([*reading]) == 99
    store.close()


def test_no_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="path must be a run log: there is no such file"):
        RunReader(tmp_path / "run.db")


@pytest.mark.parametrize("content", [b"hello\n" * 1000, b"SQLite format 3\0 and then not"])
def test_another_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.db"
    path.write_bytes(content)

    with pytest.raises(InvalidOption, match="a run log that can be read"):
        next(RunReader(path).events())


def test_a_log_of_another_version_is_a_clear_error(tmp_path: Path) -> None:
    write(tmp_path / "run.db", 0)
    with closing(sqlite3.connect(tmp_path / "run.2026-11-22.db")) as connection:
        connection.execute("PRAGMA user_version=7")

    with pytest.raises(InvalidOption, match=r"of version 1 \(it says version 7\)"):
        keys(tmp_path / "run.db")


def test_a_file_damaged_within_is_a_clear_error(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run.db")
    store.write(RunBatch(NOON_S, events=[EVENT] * 1000))
    store.close()
    with (tmp_path / "run.2026-11-22.db").open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(4096))

    with pytest.raises(InvalidOption, match=r"can be read \(database disk image is malformed\)"):
        keys(tmp_path / "run.db")


@pytest.mark.parametrize("damaged", ['{"timest', None, b"\xff"])
def test_a_damaged_entry_is_none_as_in_json_lines(tmp_path: Path, damaged: object) -> None:
    store = RunStore(tmp_path / "run.db")
    store.write(RunBatch(NOON_S, entries=[{"n": 1}, {"n": 2}]))
    store.close()
    with closing(sqlite3.connect(tmp_path / "run.2026-11-22.db")) as connection:
        connection.execute("UPDATE entries SET entry = ? WHERE rowid = 1", (damaged,))
        connection.commit()

    assert [*RunReader(tmp_path / "run.db").entries()] == [None, {"n": 2}]


READ = """
import os, sys
from ticklane.runtime import RunReader
if os.getuid() == 0:
    os.setuid(65534)
print([event.key for event in RunReader(sys.argv[1]).events()])
"""


def test_a_log_in_a_folder_that_cannot_be_written_is_read(shared_folder: Path) -> None:
    write(shared_folder / "run.db", 0)
    (shared_folder / "run.2026-11-22.db").chmod(0o444)
    shared_folder.chmod(0o555)
    told = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", READ, str(shared_folder / "run.db")],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )

    assert (told.stdout, told.stderr) == ("['0']\n", "")
