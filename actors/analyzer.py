"""The actor that turns samples into anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loguru import logger

from ..analysis import Anomalies, RunSummary, Watch
from ..messages import AnomalyAlert, AnomalyState, MetricsSample
from ..runtime import Actor, Dispatching, Inbox

__all__ = ["AnalyzerActor"]

LATE_MS = 100.0


class AnalyzerActor(Actor):
    """Judge every sample; tell what it raises and clears to the log and to `listeners`.

    Anomalies that others raise (a symbol given up) come here, too, so that all are told in one
    place, each raised once and cleared once (`anomalies`, which outlives the actor). A lag over
    100 ms, and what a mailbox shed, is logged once an interval. Each sample's entry goes to `log`.
    """

    def __init__(
        self,
        *,
        watch: Watch,
        anomalies: Anomalies,
        summary: RunSummary,
        listeners: Sequence[Inbox],
        log: Inbox | None,
        dispatcher: Dispatching,
        inbox: Inbox,
        supervisor: Inbox | None = None,
    ) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox, key="analyzer", supervisor=supervisor)
        self._watch = watch
        self._anomalies = anomalies
        self._summary = summary
        self._listeners = listeners
        self._log = log

    def on_receive(self, message: Any) -> None:
        """Judge a sample, or pass on an anomaly that somebody else has raised."""
        if isinstance(message, MetricsSample):
            self._judge(message)
        elif isinstance(message, AnomalyAlert):
            self._note(message)
        else:
            super().on_receive(message)

    def _judge(self, sample: MetricsSample) -> None:
        entry = self._summary.add(sample)
        if self._log is not None:
            self._log.tell(entry)
        _log_lateness(sample)
        for alert in self._watch.judge(sample):
            self._note(alert)
        for alert in self._anomalies.tick(self._now_s(), self.dispatcher.clock.unix_s()):
            self._tell(alert)

    def _note(self, alert: AnomalyAlert) -> None:
        for each in self._anomalies.note(alert, self._now_s(), self.dispatcher.clock.unix_s()):
            self._tell(each)

    def _tell(self, alert: AnomalyAlert) -> None:
        level = "INFO" if alert.state is AnomalyState.CLEARED else "WARNING"
        logger.log(level, "{} {}: {}", alert.kind, alert.state, alert.message)
        for listener in self._listeners:
            listener.tell(alert)

    def _now_s(self) -> float:
        return self.dispatcher.clock.now_ns() / 1e9


def _log_lateness(sample: MetricsSample) -> None:
    for key, tick in sample.ticks.items():
        if tick.shed:
            logger.warning("{} shed {} snapshots", key, tick.shed)
    late = {key: tick.lag_max_ms for key, tick in sample.ticks.items() if tick.lag_max_ms > LATE_MS}
    if late:
        worst = max(late, key=late.__getitem__)
        logger.warning("{} symbols late, {} most: {:.0f} ms", len(late), worst, late[worst])
