"""The actor that writes the run log."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

from ..messages import AnomalyAlert, AnomalyState, MetricsSample, RemedyTaken, Severity
from ..runtime import Actor, Dispatching, Inbox, RunBatch, RunStore
from .run_recorder import RunRecorder

__all__ = ["RunLogActor"]

MOST_ROWS = 100_000
"""How many rows may wait for a disk that takes none: 50 to 60 MB."""
CALM_NS = 30_000_000_000
"""How long writing must have gone well before its trouble counts as over."""


class RunLogActor(Actor):
    """Write a roll-up of all symbols every ten seconds, with the events and entries in between.

    Where it cannot be written (a full disk, a read-only folder, a lock of another process) one
    anomaly `RUN_LOG` is told, roll-ups wait, at most 100,000 rows of them, and writing is tried
    again with each sample. The anomaly clears when nothing waits and writing has gone well for
    30 s: a disk that is all but full takes a little every now and then.

    `recorder` outlives the actor. `tell`: whom to tell the anomaly.
    """

    def __init__(
        self,
        *,
        recorder: RunRecorder,
        store: RunStore,
        tell: Callable[[AnomalyAlert], object],
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="run log", supervisor=supervisor)
        self._recorder = recorder
        self._store = store
        self._tell = tell
        self._waiting: deque[RunBatch] = deque()
        self._lost_rows = 0
        self._alert: AnomalyAlert | None = None
        self._well_since_ns: int | None = None

    def on_start(self) -> None:
        """Begin a file at once, so that a log that cannot be written is known from the start."""
        self._put(self._recorder.cut())

    def on_receive(self, message: Any) -> None:
        """Take in a sample, its entry, an anomaly, or what was done about one."""
        if isinstance(message, MetricsSample):
            if (batch := self._recorder.add(message)) is not None:
                self._put(batch)
            elif self._waiting:
                self._write()
        elif isinstance(message, dict):
            self._recorder.add_entry(message)
        elif isinstance(message, AnomalyAlert):
            self._recorder.note(message)
        elif isinstance(message, RemedyTaken):
            self._recorder.note_remedy(message)
        else:
            super().on_receive(message)

    def on_stop(self) -> None:
        """Write the rest and close the file."""
        self._put(self._recorder.end())
        self._store.close()

    def on_failure(self, *_exc_info: object) -> None:
        """Close the file."""
        self._store.close()

    def _put(self, batch: RunBatch) -> None:
        self._waiting.append(batch)
        while len(self._waiting) > 1 and sum(map(len, self._waiting)) > MOST_ROWS:
            self._lost_rows += len(self._waiting.popleft())
        self._write()

    def _write(self) -> None:
        try:
            while self._waiting:
                self._store.write(self._waiting[0])
                self._waiting.popleft()
        except (OSError, sqlite3.Error) as error:
            self._raise(error)
        else:
            self._note_well()

    def _raise(self, error: Exception) -> None:
        self._well_since_ns = None
        if self._alert is None:
            self._alert = AnomalyAlert(
                kind="RUN_LOG",
                severity=Severity.WARN,
                since_unix_s=self.dispatcher.clock.unix_s(),
                message=f"the run log cannot be written ({error}): look at its disk, its folder's "
                "permissions and who else has it open",
            )
            self._tell(self._alert)

    def _note_well(self) -> None:
        now_ns = self.dispatcher.clock.now_ns()
        if self._well_since_ns is None:
            self._well_since_ns = now_ns
        if self._alert is not None and now_ns - self._well_since_ns >= CALM_NS:
            message = f"the run log is written again; {self._lost_rows} rows are lost"
            self._tell(attrs.evolve(self._alert, state=AnomalyState.CLEARED, message=message))
            self._alert, self._lost_rows = None, 0
