"""The chain that watches: the metrics log, metrics → analyzer → callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ..actors import AnalyzerActor, CallbackActor, MetricsActor, Sampler
from ..analysis import Anomalies, RunSummary, Watch
from ..messages import AnomalyAlert, RemedyTaken
from ..runtime import Dispatching, Inbox, Mailbox
from .children import ChildSpec
from .run_log import RunLog

__all__ = ["Watchers"]


class Watchers:
    """The actors that watch, and what they leave to the next when they fail."""

    def __init__(
        self,
        *,
        sampler: Sampler,
        watch: Watch,
        anomalies: Anomalies,
        listeners: tuple[Inbox, ...],
        summary: RunSummary,
        interval_s: float,
        log: str | Path | None,
        log_days: int,
        mailboxes: Mapping[str, Mailbox],
        dispatcher: Dispatching,
    ) -> None:
        self.callbacks: list[Callable[[AnomalyAlert], object]] = []
        self._analyzer = Inbox(dispatcher)
        self._host = Inbox(dispatcher)
        self._sampler = sampler
        self._watch = watch
        self._anomalies = anomalies
        self._summary = summary
        self._interval_s = interval_s
        self._metrics = Inbox(dispatcher)
        self._dispatcher = dispatcher
        self._log = (
            None
            if log is None
            else RunLog(
                log, keep_days=log_days, mailboxes=mailboxes, tell=self.tell, dispatcher=dispatcher
            )
        )
        self._hears_all = (self._log.inbox,) if self._log and self._log.hears_all else ()
        self._listeners = (self._host, *self._hears_all, *listeners)
        self._lock = threading.Lock()

    def children(self) -> list[ChildSpec]:
        """Return how to start them, in order; raises InvalidOption for a log not to be written."""
        return [
            ChildSpec("metrics", self._metrics, self._start_metrics),
            ChildSpec("analyzer", self._analyzer, self._start_analyzer),
            ChildSpec("callbacks", self._host, self._start_callbacks),
            # The last, since nobody depends on it: a full disk ends the log and nothing else.
            *([self._log.child()] if self._log else ()),
        ]

    def tell(self, alert: AnomalyAlert) -> None:
        """Tell an anomaly that is not read off a sample; any thread."""
        if self._analyzer.status != "quarantined":
            self._analyzer.tell(alert)
            return
        clock = self._dispatcher.clock
        with self._lock:
            told = self._anomalies.note(alert, clock.now_ns() / 1e9, clock.unix_s())
        for each in told:
            for listener in self._listeners:
                listener.tell(each)

    def record(self, remedy: RemedyTaken) -> None:
        """Have the run log keep what was done; any thread."""
        for listener in self._hears_all:
            listener.tell(remedy)

    def _start_callbacks(self, supervisor: Inbox) -> object:
        return CallbackActor.start(
            callbacks=self.callbacks,
            dispatcher=self._dispatcher,
            inbox=self._host,
            supervisor=supervisor,
        )

    def _start_analyzer(self, supervisor: Inbox) -> object:
        return AnalyzerActor.start(
            watch=self._watch,
            anomalies=self._anomalies,
            summary=self._summary,
            listeners=self._listeners,
            log=self._log.inbox if self._log else None,
            dispatcher=self._dispatcher,
            inbox=self._analyzer,
            supervisor=supervisor,
        )

    def _start_metrics(self, supervisor: Inbox) -> object:
        return MetricsActor.start(
            sampler=self._sampler,
            listeners=(self._analyzer, *self._hears_all),
            interval_s=self._interval_s,
            dispatcher=self._dispatcher,
            inbox=self._metrics,
            supervisor=supervisor,
        )
