"""What goes to the run log, and when. Outlives the actor that writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from ..analysis import Closeups, FeedHistory
from ..messages import AnomalyAlert, MetricsSample, RemedyTaken, Rollup, RunEvent
from ..runtime import ROLLUP_S, Clock, Mailbox, Rollups, RunBatch

__all__ = ["RunRecorder"]


class RunRecorder:
    """Gather what happens into one batch for each ten seconds of the wall clock.

    One thread at a time; `mailboxes` by key is live.
    """

    def __init__(self, mailboxes: Mapping[str, Mailbox], clock: Clock) -> None:
        self._clock = clock
        self._rollups = Rollups(mailboxes, clock.now_ns())
        self._closeups = Closeups()
        self._feeds = FeedHistory()
        self._batch = RunBatch(clock.unix_s())
        self._tell("started", None, {})

    def add(self, sample: MetricsSample) -> RunBatch | None:
        """Take in one interval; return a batch where its ten seconds are over."""
        self._batch.seconds += self._closeups.add(sample)
        self._batch.events += self._feeds.add(sample)
        is_over = sample.at_unix_s // ROLLUP_S != self._batch.day_unix_s // ROLLUP_S
        batch = self.cut() if is_over else None
        self._keep(self._rollups.add(sample, self._clock.now_ns()))
        return batch

    def add_entry(self, entry: dict[str, Any]) -> None:
        """Take in what a metrics log says of one interval."""
        self._batch.entries.append(entry)

    def note(self, alert: AnomalyAlert) -> None:
        """Take in an anomaly that was raised, changed or cleared."""
        self._batch.seconds += self._closeups.note(alert)
        detail = {name: value for name, value in attrs.asdict(alert).items() if value is not None}
        self._tell("anomaly", alert.key, detail)

    def note_remedy(self, remedy: RemedyTaken) -> None:
        """Take in what was done about an anomaly."""
        self._tell("remedy", remedy.key, {"name": remedy.name, "reason": remedy.reason})

    def cut(self) -> RunBatch:
        """Return what was gathered, and begin anew."""
        self._finish()
        batch, self._batch = self._batch, RunBatch(self._clock.unix_s())
        return batch

    def end(self) -> RunBatch:
        """Return what was gathered when nothing more is to come."""
        self._tell("stopped", None, {})
        # Those whose place had not come yet; and all, since theirs came.
        self._finish()
        return self.cut()

    def _tell(self, kind: str, key: str | None, detail: dict[str, object]) -> None:
        event = RunEvent(self._clock.unix_s(), kind, key, json.dumps(detail))
        self._batch.events.append(event)

    def _finish(self) -> None:
        self._keep(self._rollups.finish(self._clock.unix_s(), self._clock.now_ns()))

    def _keep(self, rollups: list[Rollup]) -> None:
        self._batch.rollups += rollups
        self._batch.events += [
            RunEvent(row.at_unix_s, "restart", row.key, json.dumps({"times": row.restarts}))
            for row in rollups
            if row.restarts
        ]
