"""Planted bugs: every patch still applies, and is named with the tests that must find it.

`make mutants` plants each of them and runs its tests (tests/mutants/run.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PATCHES = ROOT / "tests" / "mutants"

FOUND_BY: Mapping[str, tuple[str, ...]] = {
    "alert_flaps": ("analysis/test_alert_rules.py",),
    "backoff_without_cap": ("analysis/test_backoff.py",),
    "bucket_by_its_end": ("analysis/test_histogram.py",),
    "budget_not_shared": ("supervisors/test_connect_budget.py",),
    "capacity_off_by_one": ("runtime/test_mailbox.py",),
    "dependents_not_restarted": ("supervisors/test_supervisor_model.py",),
    "events_out_of_order": ("runtime/test_mailbox.py",),
    "failed_not_counted": ("test_behaviour.py",),
    "gap_not_told": ("exchanges/test_book_sync.py",),
    "half_open_not_noticed": ("actors/test_feed_silence.py",),
    "lag_of_the_batch": ("runtime/test_mailbox.py",),
    "late_farewell": ("actors/test_feed_roll.py",),
    "lost_wake_up": ("test_behaviour.py",),
    "older_overwrites_newer": ("analysis/test_freshness.py",),
    "quarantine_not_told": ("test_behaviour.py",),
    "racing_wake_up": ("runtime/test_inbox.py",),
    "rejected_not_counted": ("runtime/test_mailbox.py",),
    "resolve_not_told": ("analysis/test_alert_rules.py",),
    "restart_loses_what_waits": ("supervisors/test_group.py",),
    "restarted_not_in_line": ("simulation/test_inspection.py",),
    "restarts_for_ever": ("analysis/test_restart_window.py",),
    "resync_slot_leaks": ("analysis/test_resync.py",),
    "stop_does_not_drain": ("test_behaviour.py",),
    "stuck_worker_not_relieved": ("runtime/test_dispatcher.py",),
    "symbol_shut_out": ("analysis/test_freshness.py",),
    "two_readers": ("runtime/test_reader.py",),
    "waiting_differences_lost": ("exchanges/test_book_sync.py",),
}


def mutated(name: str) -> dict[str, str]:
    """Return the files that a patch changes, by their paths, as they are with its bug.

    A hunk applies where its old lines stand, and nowhere else: line numbers may move.
    """
    files: dict[str, str] = {}
    for path, old, new in _hunks((PATCHES / f"{name}.patch").read_text("utf-8")):
        source = files.get(path) or (ROOT / path).read_text("utf-8")
        assert source.count(old) == 1, f"{name} applies {source.count(old)} times to {path}:\n{old}"
        files[path] = source.replace(old, new)
    return files


def _hunks(patch: str) -> Iterator[tuple[str, str, str]]:
    _, *of_files = re.split(r"^--- .*\n\+\+\+ b/", patch, flags=re.MULTILINE)
    for each in of_files:
        path, *hunks = re.split(r"\n@@ .* @@$", each, flags=re.MULTILINE)
        for hunk in hunks:
            lines = hunk.strip("\n").split("\n")
            yield path.strip(), _side(lines, " -"), _side(lines, " +")


def _side(lines: list[str], marks: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in marks)


def test_there_are_at_least_ten_and_every_one_has_its_tests() -> None:
    patches = {path.stem for path in PATCHES.glob("*.patch")}

    assert len(patches) >= 10
    assert patches == FOUND_BY.keys()
    assert all((ROOT / "tests" / each).is_file() for files in FOUND_BY.values() for each in files)


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_planted_bug_applies_and_is_python(name: str) -> None:
    for path, source in mutated(name).items():
        compile(source, path, "exec")

        assert source != (ROOT / path).read_text("utf-8")
