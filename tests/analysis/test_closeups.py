"""Which seconds of which symbols are kept."""

from collections.abc import Iterable

import attrs
import pytest

from ticklane.analysis import Closeups
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    MetricsSample,
    QueueTick,
    RunSecond,
    Severity,
)

KEY = "upbit:KRW-BTC"
OTHER = "upbit:KRW-ETH"
TICK = QueueTick(0.1, 0.4, 3, 10, 0.5, 1.0, 0.2, 0.3, 7, 2)
RAISED = AnomalyAlert(kind="QUEUE_STALL", severity=Severity.ERROR, message="look", key=KEY)
CLEARED = attrs.evolve(RAISED, state=AnomalyState.CLEARED)


def sample(second: int, *keys: str) -> MetricsSample:
    ticks = dict.fromkeys(keys or (KEY, OTHER), TICK)
    return MetricsSample(at_unix_s=float(second), ticks=ticks, feeds=())


def seconds(rows: Iterable[RunSecond], key: str = KEY) -> list[int]:
    return [int(row.at_unix_s) for row in rows if row.key == key]


@pytest.fixture
def closeups() -> Closeups:
    """Return some that have seen twenty quiet seconds."""
    seen = Closeups()
    for second in range(20):
        assert seen.add(sample(second)) == []
    return seen


def test_a_row_has_what_the_tick_has(closeups: Closeups) -> None:
    last = closeups.note(RAISED)[-1]

    assert last == RunSecond(19.0, KEY, 10, 2, 7, 3, 0.5, 0.1, 0.2, 0.3, 0.4)


def test_with_an_anomaly_come_the_five_seconds_before_it(closeups: Closeups) -> None:
    assert seconds(closeups.note(RAISED)) == [15, 16, 17, 18, 19]


def test_a_symbol_is_followed_until_five_seconds_after_its_anomaly(closeups: Closeups) -> None:
    closeups.note(RAISED)
    during = [row for second in range(20, 40) for row in closeups.add(sample(second))]
    closeups.note(CLEARED)
    after = [row for second in range(40, 60) for row in closeups.add(sample(second))]

    assert seconds(during) == [*range(20, 40)]
    assert seconds(after) == [40, 41, 42, 43, 44]
    assert seconds(during, OTHER) == seconds(after, OTHER) == []


def test_another_kind_of_anomaly_keeps_it_followed(closeups: Closeups) -> None:
    depth = attrs.evolve(RAISED, kind="WS_QUEUE_DEPTH")
    closeups.note(RAISED)

    assert closeups.note(depth) == []
    closeups.note(CLEARED)
    rows = [row for second in range(20, 40) for row in closeups.add(sample(second))]

    assert seconds(rows) == [*range(20, 40)]


def test_an_anomaly_of_the_whole_run_follows_nobody(closeups: Closeups) -> None:
    assert closeups.note(attrs.evolve(RAISED, key=None)) == []
    assert closeups.add(sample(20)) == []


def test_a_symbol_that_is_gone_has_no_rows(closeups: Closeups) -> None:
    closeups.note(RAISED)

    assert closeups.add(sample(20, OTHER)) == []


def test_one_cleared_that_was_not_raised_changes_nothing(closeups: Closeups) -> None:
    assert closeups.note(CLEARED) == []
    assert closeups.add(sample(20)) == []


def test_at_most_100_symbols_are_followed_at_one_time() -> None:
    closeups = Closeups()
    keys = [f"upbit:KRW-{number}" for number in range(150)]
    for key in keys:
        closeups.note(attrs.evolve(RAISED, key=key))

    assert len(closeups.add(sample(1, *keys))) == 100
