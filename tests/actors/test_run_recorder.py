"""What goes to the run log, and when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ticklane.actors import RunRecorder
from ticklane.messages import (
    AnomalyAlert,
    MetricsSample,
    QueueTick,
    RemedyTaken,
    Severity,
    Snapshot,
)
from ticklane.runtime import Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Stepped

    from ticklane.runtime import RunBatch

KEY = "x:A"
TICK = QueueTick(0.0, 0.0, 1, 1, 0.0)
ALERT = AnomalyAlert(kind="QUEUE_STALL", severity=Severity.ERROR, message="look", key=KEY)


@pytest.fixture
def recorder(stepped: Stepped) -> RunRecorder:
    mailbox = Mailbox(KEY, stepped)
    mailbox.offer(Snapshot("x", "A", ((1.0, 1.0),), ((2.0, 1.0),)))
    return RunRecorder({KEY: mailbox}, stepped.clock)


@pytest.fixture
def second(stepped: Stepped, recorder: RunRecorder) -> Callable[[], RunBatch | None]:
    """Return what lets a second pass and hands in its sample."""

    def pass_one() -> RunBatch | None:
        stepped.advance(1.0)
        sample = MetricsSample(at_unix_s=stepped.clock.unix_s(), ticks={KEY: TICK}, feeds=())
        return recorder.add(sample)

    return pass_one


def kinds(batch: RunBatch) -> list[str]:
    return [event.kind for event in batch.events]


def test_a_batch_is_due_when_ten_seconds_of_the_wall_clock_are_over(
    second: Callable[[], RunBatch | None],
) -> None:
    due = [second() is not None for _ in range(30)]

    assert [number + 1 for number, is_due in enumerate(due) if is_due] == [10, 20, 30]


def test_a_batch_belongs_to_the_day_it_began_in(
    stepped: Stepped, second: Callable[[], RunBatch | None]
) -> None:
    began_s = stepped.clock.unix_s()
    batches = [batch for _ in range(20) if (batch := second())]

    assert [batch.day_unix_s for batch in batches] == [began_s, began_s + 10]


def test_entries_wait_for_their_batch(
    recorder: RunRecorder, second: Callable[[], RunBatch | None]
) -> None:
    recorder.add_entry({"timestamp": 1.0})
    batches = [batch for _ in range(20) if (batch := second())]

    assert [batch.entries for batch in batches] == [[{"timestamp": 1.0}], []]


def test_an_anomaly_is_an_event_with_all_that_is_known(recorder: RunRecorder) -> None:
    recorder.note(ALERT)
    event = recorder.cut().events[-1]

    assert (event.kind, event.key) == ("anomaly", KEY)
    assert json.loads(event.detail) == {
        "kind": "QUEUE_STALL",
        "severity": "ERROR",
        "message": "look",
        "key": KEY,
        "state": "raised",
    }


def test_around_an_anomaly_seconds_are_kept(
    recorder: RunRecorder, second: Callable[[], RunBatch | None]
) -> None:
    for _ in range(7):
        second()
    recorder.note(ALERT)
    second()

    assert len(recorder.cut().seconds) == 6


def test_a_remedy_is_an_event(recorder: RunRecorder) -> None:
    recorder.note_remedy(
        RemedyTaken(name="restart_symbol", key=KEY, reason="stalled", at_unix_s=1.0)
    )
    event = recorder.cut().events[-1]

    assert (event.kind, event.key) == ("remedy", KEY)
    assert json.loads(event.detail) == {"name": "restart_symbol", "reason": "stalled"}


def test_a_restart_is_an_event(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    recorder = RunRecorder({KEY: mailbox}, stepped.clock)
    mailbox.restarts = 2
    (_, event) = recorder.cut().events

    assert (event.kind, event.key, event.detail) == ("restart", KEY, '{"times": 2}')


def test_it_tells_its_beginning_and_its_end_once(recorder: RunRecorder) -> None:
    assert kinds(recorder.cut()) == ["started"]
    assert kinds(recorder.end()) == ["stopped"]


def test_the_end_takes_in_what_was_done_since_each_symbols_place(stepped: Stepped) -> None:
    mailboxes = {f"x:{name}": Mailbox(f"x:{name}", stepped) for name in "ABCDEFGH"}
    recorder = RunRecorder(mailboxes, stepped.clock)
    rows = []
    for sequence in range(1, 16):
        for mailbox in mailboxes.values():
            symbol = mailbox.key.partition(":")[2]
            mailbox.offer(Snapshot("x", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=sequence))
        stepped.advance(1.0)
        sample = MetricsSample(at_unix_s=stepped.clock.unix_s(), ticks={}, feeds=())
        batch = recorder.add(sample)
        rows += batch.rollups if batch else []
    rows += recorder.end().rollups

    assert sum(row.offered for row in rows) == 15 * 8
