"""The table of symbols: live on a terminal, plain lines now and then elsewhere."""

import heapq
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol, Self

from ..messages import AnomalyAlert, MetricsSample, QueueMetrics, QueueTick
from .output import tell

__all__ = ["HEADS", "RUNNING", "PlainTable", "Table", "aligned", "feed_lines", "open_table", "rows"]

HEADS = ("symbol", "rate/s", "depth", "lag p50/p99 ms", "shed", "status")
RUNNING = "running"
"""The status of a symbol with nothing to tell."""

_BLOCK_EVERY = 5


class Table(Protocol):
    """Where a run is shown, between entering and leaving it."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *_exc_info: object) -> None:
        """Leave what is shown as it is."""

    def show(self, sample: MetricsSample, alerts: Sequence[AnomalyAlert]) -> None:
        """Show the symbols as they are; called once a second."""

    def say(self, line: str) -> None:
        """Show a line that stays; from any thread."""


class PlainTable:
    """Prints a block of lines every fifth time it is shown something, the first time too."""

    def __init__(self) -> None:
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        pass

    def show(self, sample: MetricsSample, alerts: Sequence[AnomalyAlert]) -> None:
        """Print the symbols as they are, in one piece, or nothing this time."""
        if self._shown % _BLOCK_EVERY == 0:
            tell("\n".join((*aligned([HEADS, *rows(sample, alerts)]), *feed_lines(sample), "")))
        self._shown += 1

    def say(self, line: str) -> None:
        """Print a line."""
        tell(line)


def open_table() -> Table:
    """Return a live table where stdout is a terminal and rich is installed, else a plain one."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return PlainTable()
    try:
        from .live_table import LiveTable  # noqa: PLC0415 - rich is an extra, and slow to import
    except ImportError:
        return PlainTable()
    return LiveTable()


def rows(
    sample: MetricsSample, alerts: Sequence[AnomalyAlert], most: int | None = None
) -> list[tuple[str, ...]]:
    """Return the cells of each symbol under `HEADS`, of the `most` troubled or busy ones only.

    Rate and lag are those of the last interval, `-` where nothing was handled in it.
    """
    kinds = defaultdict(list)
    for alert in alerts:
        kinds[alert.key].append(alert.kind)
    table = {
        key: (*_cells(queue, sample.ticks.get(key)), _status(queue, sample, kinds[key]))
        for key, queue in sample.queues.items()
    }
    if most is None or most >= len(table):
        return list(table.values())

    def weight(key: str) -> tuple[bool, int, int]:
        queue = sample.queues[key]
        return table[key][-1] != RUNNING, queue.depth, queue.handled

    chosen = {*heapq.nlargest(most, table, key=weight)}
    return [cells for key, cells in table.items() if key in chosen]


def feed_lines(sample: MetricsSample) -> list[str]:
    """Return a line for each connection that brings nothing now, with the reason if known."""
    return [
        f"{feed.name}: {feed.state}" + (f", {feed.last_error}" if feed.last_error else "")
        for feed in sample.feeds
        if feed.state != "streaming"
    ]


def aligned(table: Iterable[Sequence[str]]) -> list[str]:
    """Return the rows as lines of text: the outer columns to the left, the others to the right."""
    table = [*table]
    first, *inner, _ = (max(map(len, column)) for column in zip(*table, strict=True))
    return [
        "  ".join((row[0].ljust(first), *map(str.rjust, row[1:-1], inner), row[-1])).rstrip()
        for row in table
    ]


def _cells(queue: QueueMetrics, tick: QueueTick | None) -> tuple[str, ...]:
    rate = lag = "-"
    if tick is not None and tick.handled:
        rate = f"{tick.handled / tick.interval_s:.1f}"
        lag = f"{tick.lag_p50_ms:.2f} / {tick.lag_p99_ms:.2f}"
    return queue.key, rate, str(queue.depth), lag, str(queue.shed)


def _status(queue: QueueMetrics, sample: MetricsSample, kinds: list[str]) -> str:
    if queue.status != RUNNING:
        return queue.status
    exchange = queue.key.partition(":")[0]
    states = [feed.state for feed in sample.feeds if feed.exchange == exchange]
    if states and "streaming" not in states:
        return states[0]
    if kinds:
        return ", ".join(kinds)
    return RUNNING if queue.silence_s is not None else "no book yet"
