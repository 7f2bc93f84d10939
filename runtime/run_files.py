"""Where a run log is: one file for each day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from glob import escape
from pathlib import Path

__all__ = ["day_file", "day_files", "day_of", "forget_days"]


def day_file(path: Path, unix_s: float) -> Path:
    """Return the file for one day, UTC: `run.2026-11-22.db` for `run.db`."""
    return path.with_suffix(f".{day_of(unix_s)}{path.suffix}")


def day_files(path: Path) -> dict[date, Path]:
    """Return the files there are, by day, the oldest first."""
    found = {}
    for each in path.parent.glob(f"{escape(path.stem)}.????-??-??{path.suffix}"):
        try:
            day = date.fromisoformat(each.name[len(path.stem) + 1 : -len(path.suffix)])
        except ValueError:  # somebody else's
            continue
        found[day] = each
    return dict(sorted(found.items()))


def forget_days(path: Path, unix_s: float, keep_days: int) -> list[Path]:
    """Delete the files of days before the last `keep_days`; return which."""
    first = day_of(unix_s) - timedelta(days=keep_days - 1)
    old = [file for day, file in day_files(path).items() if day < first]
    for file in old:
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    return old


def day_of(unix_s: float) -> date:
    """Return the day, UTC, of a time."""
    return datetime.fromtimestamp(unix_s, UTC).date()
