"""The chain that watches: the metrics log, metrics → analyzer → callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from ..actors import AnalyzerActor, CallbackActor, MetricsActor, RunLogActor, Sampler
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
        log: IO[str] | None,
        dispatcher: Dispatching,
    ) -> None:
        self.callbacks: list[Callable[[AnomalyAlert], object]] = []
        self._analyzer = Inbox(dispatcher)
        self._host = Inbox(dispatcher)
        self._sampler = sampler
        self._watch = watch
        self._summary = summary
        self._interval_s = interval_s
        self._log_file = log
        self._log = Inbox(dispatcher)
        self._metrics = Inbox(dispatcher)
        self._dispatcher = dispatcher

    def add_to(self, group: Group) -> None:
        """Have `group` start them, in order."""
        if self._log_file is not None:
            group.add(ChildSpec("run log", self._log, self._start_log(self._log_file)))
        group.add(ChildSpec("metrics", self._metrics, self._start_metrics))
        group.add(ChildSpec("analyzer", self._analyzer, self._start_analyzer))
        group.add(ChildSpec("callbacks", self._host, self._start_callbacks))

    def tell(self, alert: AnomalyAlert) -> None:
        """Tell an anomaly that is not read off a sample; any thread."""
        self._analyzer.tell(alert)

    def _start_log(self, file: IO[str]) -> Callable[[Inbox], object]:
        return lambda supervisor: RunLogActor.start(
            file=file, dispatcher=self._dispatcher, inbox=self._log, supervisor=supervisor
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
            log=self._log if self._log_file is not None else None,
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
