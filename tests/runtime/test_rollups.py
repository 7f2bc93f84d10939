"""What mailboxes do in ten seconds, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.analysis import LagHistogram, unpack_lags
from ticklane.messages import MetricsSample, QueueTick, Rollup, Snapshot
from ticklane.runtime import Mailbox, Rollups

if TYPE_CHECKING:
    from conftest import Stepped

START_S = 1_700_000_000.0
"""A whole ten seconds."""


class Run:
    """Mailboxes with actors, and the rows they come to."""

    def __init__(self, stepped: Stepped, *symbols: str) -> None:
        self.stepped = stepped
        self.mailboxes: dict[str, Mailbox] = {}
        for symbol in symbols:
            self.add(symbol)
        self.rollups = Rollups(self.mailboxes, stepped.time.ns)
        self.second = 0

    def add(self, symbol: str) -> None:
        mailbox = Mailbox(f"x:{symbol}", self.stepped)
        self.mailboxes[mailbox.key] = mailbox
        SymbolActor.start(mailbox=mailbox, audience=Audience(), dispatcher=self.stepped)
        self.stepped.run()

    def offer(self, symbol: str, sequence: int, lag_s: float = 0.0) -> None:
        book = Snapshot("x", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=sequence)
        self.mailboxes[f"x:{symbol}"].offer(book)
        self.stepped.time.ns += int(lag_s * 1e9)
        self.stepped.run()

    def sample(self, seconds: float = 1.0, **depths: int) -> list[Rollup]:
        """Let an interval pass; return the rows that are due by then."""
        self.stepped.time.ns += int(seconds * 1e9)
        self.second += int(seconds)
        ticks = {
            key: QueueTick(0.0, 0.0, depths.get(key.partition(":")[2], 0), 0, 0.0)
            for key in self.mailboxes
        }
        sample = MetricsSample(at_unix_s=START_S + self.second, ticks=ticks, feeds=())
        return self.rollups.add(sample, self.stepped.time.ns)

    def finish(self) -> list[Rollup]:
        return self.rollups.finish(START_S + self.second, self.stepped.time.ns)


@pytest.fixture
def run(stepped: Stepped) -> Run:
    return Run(stepped, "A")


def test_a_row_counts_what_was_done_since_the_row_before(run: Run) -> None:
    run.offer("A", 1)
    run.offer("A", 2)
    (first,) = run.finish()
    run.offer("A", 2)
    (second,) = run.finish()

    assert (first.offered, first.handled, first.rejected) == (2, 2, 0)
    assert (second.offered, second.handled, second.rejected) == (1, 0, 1)


def test_a_row_has_the_lags_of_its_time_only(run: Run) -> None:
    run.offer("A", 1, lag_s=0.5)
    run.finish()
    run.offer("A", 2, lag_s=0.001)
    (row,) = run.finish()

    assert unpack_lags(row.lags).total == 1
    assert row.lag_min_ms == row.lag_p50_ms == row.lag_p99_ms == row.lag_max_ms
    assert 0.98 < row.lag_max_ms < 1.02


def test_rows_merge_to_all_lags(run: Run) -> None:
    merged = LagHistogram()
    for sequence in range(1, 30):
        run.offer("A", sequence, lag_s=sequence / 1000)
        merged.add(unpack_lags(run.finish()[0].lags))

    assert merged.counts == run.mailboxes["x:A"].lags.counts


def test_a_symbol_that_did_nothing_has_no_row(run: Run) -> None:
    run.offer("A", 1)
    run.finish()

    assert run.finish() == []


def test_a_row_has_the_greatest_depth_of_its_intervals(run: Run) -> None:
    run.sample(A=3)
    run.sample(A=7)
    run.sample(A=2)
    (row,) = run.finish()

    assert row.depth_max == 7


def test_a_row_says_how_long_its_time_was(run: Run) -> None:
    run.offer("A", 1)
    run.sample(seconds=4.0)
    (row,) = run.finish()

    assert (row.seconds, row.at_unix_s) == (4.0, START_S + 4)


def test_symbols_have_their_places_in_the_ten_seconds(stepped: Stepped) -> None:
    symbols = [f"S{number}" for number in range(10)]
    run = Run(stepped, *symbols)
    places = []
    for sequence in range(1, 21):
        for symbol in symbols:
            run.offer(symbol, sequence)
        rows = run.finish() if sequence % 10 == 0 else []
        places.append([row.key for row in [*rows, *run.sample()]])

    assert [len(rows) for rows in places] == [1] * 9 + [1] + [1] * 9 + [1]
    assert sorted(key for rows in places[:10] for key in rows) == sorted(run.mailboxes)


def test_nothing_is_lost_or_counted_twice_whatever_the_places(stepped: Stepped) -> None:
    run = Run(stepped, *"ABCDEFG")
    rows: list[Rollup] = []
    for sequence in range(1, 101):
        run.offer("ABCDEFG"[sequence % 7], sequence)
        rows += run.sample()
        if run.second % 10 == 9:
            rows += run.finish()
    rows += [*run.finish(), *run.finish()]

    assert sum(row.handled for row in rows) == 100


def test_one_added_later_is_in_the_rows(run: Run) -> None:
    run.finish()
    run.add("B")
    run.offer("B", 1)

    assert [row.key for row in run.finish()] == ["x:B"]


def test_one_removed_has_its_last_row_and_then_none(run: Run) -> None:
    run.offer("A", 1)
    run.finish()
    run.offer("A", 2)
    del run.mailboxes["x:A"]

    assert [(row.key, row.handled) for row in run.finish()] == [("x:A", 1)]
    assert run.finish() == []


def test_one_removed_and_added_again_begins_at_nothing(run: Run) -> None:
    for sequence in range(1, 6):
        run.offer("A", sequence)
    run.finish()
    run.add("A")
    run.offer("A", 1)

    assert [row.handled for row in run.finish()] == [1]
