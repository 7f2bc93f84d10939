"""The actor that writes the run log, whatever its disk does."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ticklane.actors import RunLogActor, RunRecorder
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    MetricsSample,
    RemedyTaken,
    Severity,
    Snapshot,
)
from ticklane.runtime import Inbox, Mailbox, RunReader, RunStore
from ticklane.runtime.run_files import day_files

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Stepped

KEY = "x:A"
ALERT = AnomalyAlert(kind="QUEUE_STALL", severity=Severity.ERROR, message="look", key=KEY)
REMEDY = RemedyTaken(name="restart_symbol", key=KEY, reason="stalled", at_unix_s=1.0)


class Log:
    """A run log's actor, fed with a sample a second."""

    def __init__(self, stepped: Stepped, path: Path) -> None:
        self.stepped = stepped
        self.path = path
        self.mailbox = Mailbox(KEY, stepped)
        self.told: list[AnomalyAlert] = []
        self.sequence = 0
        self.inbox = Inbox(stepped)
        RunLogActor.start(
            recorder=RunRecorder({KEY: self.mailbox}, stepped.clock),
            store=RunStore(path),
            tell=self.told.append,
            dispatcher=stepped,
            inbox=self.inbox,
        )
        stepped.run()

    def seconds(self, number: int) -> None:
        """Let seconds pass, with a snapshot in each."""
        for _ in range(number):
            self.sequence += 1
            book = Snapshot("x", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=self.sequence)
            self.mailbox.offer(book)
            self.stepped.advance(1.0)
            at_unix_s = self.stepped.clock.unix_s()
            self.tell(MetricsSample(at_unix_s=at_unix_s, ticks={}, feeds=()))
            self.tell({"timestamp": at_unix_s})

    def tell(self, message: object) -> None:
        self.inbox.tell(message)
        self.stepped.run()

    def stop(self) -> None:
        self.inbox.stop(drain=True)
        self.stepped.run()

    def offered(self) -> int:
        """Return how many snapshots the log knows of."""
        return sum(row.offered for row in RunReader(self.path).rollups())

    def kinds(self) -> list[str]:
        return [event.kind for event in RunReader(self.path).events()]

    def states(self) -> list[tuple[str, str]]:
        return [(alert.kind, alert.state) for alert in self.told]

    def connection(self) -> sqlite3.Connection:
        (file,) = day_files(self.path).values()
        return sqlite3.connect(file, isolation_level=None)


@pytest.fixture
def log(stepped: Stepped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr("ticklane.runtime.run_store.LOCK_WAIT_S", 0.001)
    return Log(stepped, tmp_path / "run.db")


def test_a_file_is_there_from_the_start(log: Log) -> None:
    assert log.kinds() == ["started"]
    log.stop()


def test_every_ten_seconds_a_batch_is_in_the_file(log: Log) -> None:
    log.seconds(9)
    before = log.offered()
    log.seconds(1)

    assert (before, log.offered()) == (0, 10)
    log.stop()


def test_with_the_stop_everything_is_in_the_file(log: Log) -> None:
    log.seconds(17)
    log.stop()

    assert log.offered() == 17
    assert len([*RunReader(log.path).entries()]) == 17
    assert log.kinds() == ["started", "stopped"]


def test_anomalies_and_remedies_are_in_the_file(log: Log) -> None:
    log.tell(ALERT)
    log.tell(REMEDY)
    log.stop()

    assert log.kinds() == ["started", "anomaly", "remedy", "stopped"]


def test_another_message_is_a_dead_letter(log: Log) -> None:
    log.tell("hello")
    log.stop()

    assert log.stepped.dead_letters.counts() == {"unhandled": 1}


def test_a_lock_is_one_anomaly_and_nothing_is_lost(log: Log) -> None:
    with closing(log.connection()) as other:
        other.execute("BEGIN EXCLUSIVE")
        log.seconds(35)
        assert log.states() == [("RUN_LOG", AnomalyState.RAISED)]
        assert "database is locked" in log.told[0].message
        other.execute("ROLLBACK")
    log.seconds(1)
    assert len(log.told) == 1
    log.seconds(34)

    assert log.states()[1:] == [("RUN_LOG", AnomalyState.CLEARED)]
    assert log.told[1].message == "the run log is written again; 0 rows are lost"
    log.stop()
    assert log.offered() == 70


def test_rollups_wait_up_to_a_bound_and_the_oldest_are_lost(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticklane.actors.run_log.MOST_ROWS", 30)
    with closing(log.connection()) as other:
        other.execute("BEGIN EXCLUSIVE")
        log.seconds(100)
        other.execute("ROLLBACK")
    log.seconds(1)
    times = [entry["timestamp"] for entry in RunReader(log.path).entries()]
    log.seconds(40)

    assert 20 <= len(times) <= 30
    assert times == [times[-1] - ago for ago in reversed(range(len(times)))]
    assert log.told[-1].message == "the run log is written again; 87 rows are lost"
    log.stop()


def test_after_it_was_cleared_the_next_trouble_is_told_again(log: Log) -> None:
    for _ in range(2):
        with closing(log.connection()) as other:
            other.execute("BEGIN EXCLUSIVE")
            log.seconds(10)
            other.execute("ROLLBACK")
        log.seconds(50)

    assert [state for _, state in log.states()] == ["raised", "cleared"] * 2
    log.stop()


def test_a_damaged_file_is_told_and_ends_nothing(stepped: Stepped, tmp_path: Path) -> None:
    first = Log(stepped, tmp_path / "run.db")
    first.stop()
    (file,) = day_files(first.path).values()
    file.write_bytes(b"damaged " * 1000)
    log = Log(stepped, tmp_path / "run.db")
    log.seconds(20)

    assert log.states() == [("RUN_LOG", AnomalyState.RAISED)]
    assert log.inbox.actor is not None
    log.stop()


# What root may do anyway, and limits that hold for a whole process, are tried in one of its own.
TROUBLE = """
import os, resource, signal, sys
from pathlib import Path
from ticklane import MarketData, Snapshot
from ticklane.runtime import report_on
from ticklane.simulation import World

import sqlite3
folder = Path(sys.argv[1])

def read_only():
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)

def full():
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

world, told, handled = World(), [], []
market = MarketData(symbols=["x:A"], dispatcher=world, log=folder / "run.db")
market.on_anomaly(lambda alert: told.append(f"{alert.kind} {alert.state}"))
market.subscribe("x:A", handled.append)

def run(seconds):
    for _ in range(seconds):
        market.offer(Snapshot("x", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=len(handled)))
        world.run_for(1.0)

if os.getuid() == 0:
    os.setuid(65534)
trouble = {"read_only": read_only, "full": full}[sys.argv[2]]()
next(trouble)
with market:
    run(300)
    print(len(handled), *told)
    next(trouble, None)
    run(60)
    print(len(handled), *told)
print(report_on(folder / "run.db").totals["handled"])
"""


@pytest.mark.parametrize("trouble", ["read_only", "full"])
def test_a_disk_that_takes_nothing_is_one_anomaly_and_the_market_data_goes_on(
    shared_folder: Path, trouble: str
) -> None:
    told = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", TROUBLE, str(shared_folder), trouble],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert told.stderr == ""
    assert told.stdout.splitlines() == [
        "300 RUN_LOG raised",
        "360 RUN_LOG raised RUN_LOG cleared",
        "360",
    ]
