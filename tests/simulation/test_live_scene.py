"""A scene in real time: its clock, its timetable, its disk."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from ticklane import MarketData
from ticklane.runtime.run_files import day_file
from ticklane.simulation import ClockDrift, ClockJump, LiveClock, LiveScene, SlowDisk, play


def ahead_s(clock: LiveClock) -> float:
    return clock.unix_s() - time.time()


def scene(log: Path | None = None) -> LiveScene:
    return LiveScene(MarketData(), {}, LiveClock(), log=log)


def test_a_clock_is_right_until_it_is_set() -> None:
    clock = LiveClock()

    assert ahead_s(clock) == pytest.approx(0.0, abs=0.01)
    clock.jump(-5.0)
    clock.jump(2.0)
    assert ahead_s(clock) == pytest.approx(-3.0, abs=0.01)


def test_a_clock_that_drifts_keeps_what_it_has_drifted() -> None:
    here = scene()
    clock = here.clock
    assert isinstance(clock, LiveClock)
    play([ClockJump(0.0, seconds=1.0), ClockDrift(0.0, rate=1.0, seconds=0.1)], here)
    here.run_for(0.2)

    assert 1.1 <= ahead_s(clock) < 1.15
    here.run_for(0.05)
    assert 1.1 <= ahead_s(clock) < 1.15


def test_what_is_due_is_done_in_order_of_time() -> None:
    here, done = scene(), []
    here.later(0.02, lambda: done.append("second"))
    here.later(0.01, lambda: done.append("first"))
    here.later(60.0, lambda: done.append("never"))
    here.run_for(0.05)

    assert done == ["first", "second"]
    assert here.now_s == pytest.approx(0.05, abs=0.03)


def test_a_slow_disk_locks_the_run_log_for_so_long(tmp_path: Path) -> None:
    log = tmp_path / "run.db"
    file = sqlite3.connect(day_file(log, time.time()), isolation_level=None, timeout=0.0)
    here = scene(log)
    play([SlowDisk(0.0, cost_s=1.0, seconds=0.1)], here)
    here.run_for(0.01)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        file.execute("BEGIN IMMEDIATE")
    here.run_for(0.1)
    file.execute("BEGIN IMMEDIATE")
    file.close()


def test_a_slow_disk_is_nothing_without_a_log(tmp_path: Path) -> None:
    for log in (None, tmp_path / "run.jsonl"):
        here = scene(log)
        play([SlowDisk(0.0, cost_s=1.0, seconds=0.1)], here)
        here.run_for(0.01)

    assert [*tmp_path.iterdir()] == []
