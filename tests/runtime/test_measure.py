"""A mailbox read from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import QueueMetrics, QueueTick, Snapshot
from ticklane.runtime import Mailbox, TickTaker, queue_metrics

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stepped

KEY = "upbit:KRW-BTC"
MS = 1_000_000
BUCKET = 0.016


class Line:
    """A mailbox, its actor and the time."""

    def __init__(self, stepped: Stepped, capacity: int = 1000) -> None:
        self.stepped = stepped
        self.mailbox = Mailbox(KEY, stepped, capacity=capacity)
        self.taker = TickTaker(self.mailbox)
        self.sequence = 0
        self.audience = Audience()
        self.start()

    def start(self) -> None:
        SymbolActor.start(mailbox=self.mailbox, audience=self.audience, dispatcher=self.stepped)
        self.stepped.run()

    def offer(self, count: int) -> None:
        for _ in range(count):
            self.sequence += 1
            self.mailbox.offer(Snapshot("upbit", "KRW-BTC", (), (), sequence=self.sequence))

    def handle_after(self, ms: int) -> None:
        self.stepped.time.ns += ms * MS
        self.stepped.run()

    def metrics(self) -> QueueMetrics:
        return queue_metrics(self.mailbox, self.stepped.time.ns)

    def tick(self) -> QueueTick:
        return self.taker.take(self.stepped.time.ns, 1.0)


@pytest.fixture
def line(stepped: Stepped) -> Line:
    """Return a mailbox with room for four and an idle actor."""
    return Line(stepped, capacity=4)


def test_before_the_first_snapshot_everything_is_nothing(line: Line) -> None:
    metrics = line.metrics()

    assert (metrics.depth, metrics.lag_ms, metrics.lag_p99_ms, metrics.oldest_age_ms) == (0,) * 4
    assert (metrics.silence_s, metrics.status, metrics.capacity) == (None, "running", 4)


def test_what_waits_is_deep_and_old(line: Line) -> None:
    line.offer(3)
    line.stepped.time.ns += 7 * MS
    metrics = line.metrics()

    assert (metrics.depth, metrics.depth_max, metrics.oldest_age_ms) == (3, 3, 7.0)


def test_silence_is_the_time_since_the_last_acceptance(line: Line) -> None:
    line.offer(1)
    line.handle_after(1500)

    assert line.metrics().silence_s == 1.5


def test_lag_is_that_of_the_snapshot_handled_last(line: Line) -> None:
    for ms in (5, 20, 10):
        line.offer(1)
        line.handle_after(ms)

    assert line.metrics().lag_ms == 10.0


def test_the_greatest_lag_and_the_quantiles_are_of_all(line: Line) -> None:
    for ms in (5, 20, 10):
        line.offer(1)
        line.handle_after(ms)
    metrics = line.metrics()
    lags = (metrics.lag_p50_ms, metrics.lag_p99_ms, metrics.lag_max_ms)

    assert lags == pytest.approx((10, 20, 20), rel=BUCKET)


def test_what_was_shed_is_counted_by_reason(line: Line) -> None:
    line.offer(6)
    line.sequence -= 1
    line.offer(1)
    line.stepped.run()
    metrics = line.metrics()

    assert (metrics.offered, metrics.handled, metrics.dropped, metrics.rejected) == (7, 4, 2, 1)
    assert metrics.shed == 3


def test_what_its_supervisor_did_is_told(line: Line) -> None:
    line.mailbox.restarts, line.mailbox.status = 2, "quarantined"

    assert (line.metrics().restarts, line.metrics().status) == (2, "quarantined")


def test_a_tick_of_nothing_is_all_zeros(line: Line) -> None:
    assert line.tick() == QueueTick(
        lag_min_ms=0, lag_max_ms=0, depth_max=0, handled=0, oldest_age_ms=0
    )


def test_a_tick_tells_what_was_done_in_it(line: Line) -> None:
    line.offer(2)
    line.handle_after(8)
    tick = line.tick()

    assert (tick.handled, tick.depth_max, tick.shed, tick.failed) == (2, 2, 0, 0)
    assert (tick.lag_min_ms, tick.lag_max_ms, tick.lag_p50_ms) == pytest.approx(
        (8, 8, 8), rel=BUCKET
    )


def test_a_tick_does_not_tell_what_was_done_before_it(line: Line) -> None:
    line.offer(2)
    line.handle_after(800)
    line.tick()
    line.offer(1)
    line.handle_after(8)
    tick = line.tick()

    assert (tick.handled, tick.depth_max) == (1, 1)
    assert tick.lag_max_ms == pytest.approx(8, rel=BUCKET)


def test_a_tick_of_a_stall_tells_how_long_the_head_waits(line: Line) -> None:
    line.offer(1)
    line.stepped.time.ns += 3000 * MS
    tick = line.tick()

    assert (tick.handled, tick.depth_max, tick.oldest_age_ms) == (0, 1, 3000.0)


def test_a_tick_counts_what_was_lost_and_not_what_was_rejected(line: Line) -> None:
    line.offer(6)
    line.sequence -= 1
    line.offer(1)

    assert line.tick().shed == 2


def test_a_tick_counts_failures(line: Line) -> None:
    line.audience.join(KEY, lambda _: 1 / 0, None)
    line.offer(1)
    line.stepped.run()

    assert line.tick().failed == 1


def test_what_still_waits_is_the_next_ticks_depth_from_its_beginning(line: Line) -> None:
    line.offer(3)
    ticks = [line.tick().depth_max, line.tick().depth_max]

    assert ticks == [3, 3]
