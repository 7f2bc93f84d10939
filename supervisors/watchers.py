"""The chain that watches: the metrics log, metrics → analyzer → callbacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..actors import AnalyzerActor, CallbackActor, MetricsActor, RunLogActor, Sampler, open_run_log
from ..analysis import RunSummary, Watch
from ..messages import AnomalyAlert
from ..runtime import Dispatching, Inbox
from .children import ChildSpec
from .group import Group

__all__ = ["Watchers"]


class Watchers:
    """The actors that watch, and what they leave to the next when they fail."""

    def __init__(
        self,
        *,
        sampler: Sampler,
        watch: Watch,
        summary: RunSummary,
        interval_s: float,
        log: str | Path | None,
        dispatcher: Dispatching,
    ) -> None:
        self.callbacks: list[Callable[[AnomalyAlert], object]] = []
        self._analyzer = Inbox(dispatcher)
        self._host = Inbox(dispatcher)
        self._sampler = sampler
        self._watch = watch
        self._summary = summary
        self._interval_s = interval_s
        self._log_path = log
        self._log = Inbox(dispatcher)
        self._metrics = Inbox(dispatcher)
        self._dispatcher = dispatcher

    def add_to(self, group: Group) -> None:
        """Have `group` start them, in order; raises InvalidOption for a log not to be written."""
        group.add(ChildSpec("metrics", self._metrics, self._start_metrics))
        group.add(ChildSpec("analyzer", self._analyzer, self._start_analyzer))
        group.add(ChildSpec("callbacks", self._host, self._start_callbacks))
        # The last, since nobody depends on it: a full disk ends the log and nothing else.
        if self._log_path is not None:
            open_run_log(self._log_path).close()
            group.add(ChildSpec("run log", self._log, self._start_log(self._log_path)))

    def tell(self, alert: AnomalyAlert) -> None:
        """Tell an anomaly that is not read off a sample; any thread."""
        if self._analyzer.status != "quarantined":
            self._analyzer.tell(alert)
            return
        self._watch.note(alert)
        self._host.tell(alert)

    def _start_log(self, path: str | Path) -> Callable[[Inbox], object]:
        return lambda supervisor: RunLogActor.start(
            path=path, dispatcher=self._dispatcher, inbox=self._log, supervisor=supervisor
        )

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
            summary=self._summary,
            listeners=(self._host,),
            log=None if self._log_path is None else self._log,
            dispatcher=self._dispatcher,
            inbox=self._analyzer,
            supervisor=supervisor,
        )

    def _start_metrics(self, supervisor: Inbox) -> object:
        return MetricsActor.start(
            sampler=self._sampler,
            listeners=(self._analyzer,),
            interval_s=self._interval_s,
            dispatcher=self._dispatcher,
            inbox=self._metrics,
            supervisor=supervisor,
        )
