"""The table on a terminal, drawn in place; what is said and logged scrolls by above it."""

import sys
from collections.abc import Sequence
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..messages import AnomalyAlert, MetricsSample
from .table import HEADS, RUNNING, feed_lines, rows

__all__ = ["LiveTable"]

_FRAME_LINES = 2
"""The heads, and an empty line at the end for the ^C that a terminal echoes."""


class LiveTable:
    """Draws the symbols that fit the terminal, the most troubled and busy ones where not all do.

    While it is open, what is written to a `sys.stderr` on the terminal appears above it.
    """

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stderr=sys.stderr.isatty()
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._live.stop()

    def show(self, sample: MetricsSample, alerts: Sequence[AnomalyAlert]) -> None:
        """Draw the symbols as they are."""
        self._live.update(self._drawn(sample, alerts), refresh=True)

    def say(self, line: str) -> None:
        """Print a line above the table."""
        self._console.print(Text(line, style="bold"))

    def _drawn(self, sample: MetricsSample, alerts: Sequence[AnomalyAlert]) -> Group:
        notes = feed_lines(sample)
        room = self._console.height - _FRAME_LINES - len(notes)
        if len(sample.queues) > room:
            # One line more, for what is left out.
            room = max(room - 1, 1)
            notes.append(f"and {len(sample.queues) - room} quieter symbols")
        table = Table(*HEADS[:1], box=None, header_style="bold", pad_edge=False)
        for head in HEADS[1:-1]:
            table.add_column(head, justify="right", no_wrap=True)
        table.add_column(HEADS[-1], no_wrap=True)
        for cells in rows(sample, alerts, room):
            table.add_row(*cells, style="" if cells[-1] == RUNNING else "red")
        return Group(table, *(Text(note, style="yellow", no_wrap=True) for note in (*notes, "")))
