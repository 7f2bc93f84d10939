"""One file for each day."""

from datetime import date
from pathlib import Path

from ticklane.runtime.run_files import day_file, day_files, forget_days

DAY_S = 86_400
NOON_S = 1_795_348_800.0
"""The 22nd of November 2026, UTC."""


def touch(path: Path, days_ago: int) -> Path:
    file = day_file(path, NOON_S - days_ago * DAY_S)
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).touch()
    return file


def test_a_file_is_named_by_its_day(tmp_path: Path) -> None:
    assert day_file(tmp_path / "run.db", NOON_S) == tmp_path / "run.2026-11-22.db"


def test_the_day_changes_at_midnight_utc() -> None:
    midnight_s = NOON_S + DAY_S / 2

    assert day_file(Path("run.db"), midnight_s - 0.001).name == "run.2026-11-22.db"
    assert day_file(Path("run.db"), midnight_s).name == "run.2026-11-23.db"


def test_days_are_found_oldest_first_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run[1].db"
    for days_ago in (0, 2, 1):
        touch(path, days_ago)
    for name in ("run[1].db", "run[1].2026-99-99.db", "other.2026-11-22.db", "run1.2026-11-22.db"):
        (tmp_path / name).touch()

    assert [*day_files(path)] == [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]


def test_older_days_are_deleted_with_what_belongs_to_them(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    files = [touch(path, days_ago) for days_ago in range(5)]

    assert forget_days(path, NOON_S, keep_days=2) == [files[4], files[3], files[2]]
    assert sorted(day_files(path).values()) == [files[1], files[0]]
    assert len([*tmp_path.iterdir()]) == 6
