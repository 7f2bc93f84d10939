"""All that runs inside market data, and in which order it starts and ends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..actors import Sampler, Sink
from ..analysis import AlertSettings, Anomalies, RunSummary, Watch
from ..exchanges import Feed, split_key
from ..messages import AnomalyAlert, ChildGivenUp, InvalidOption, Severity
from ..runtime import (
    Clock,
    Dispatcher,
    Dispatching,
    HttpRest,
    Rest,
    Transport,
    WebSocketTransport,
)
from .alerting import Alerting
from .children import RestartPolicy
from .feeds import Feeds
from .group import Group
from .recorder import Recorder
from .remedying import Remedying
from .stream import Streams
from .symbols import PerSymbol, Symbols
from .vitals import Vitals
from .watchers import Watchers

__all__ = ["House"]


class House:
    """The parts of market data, each made once and known to those that need it.

    `MarketData` says what the options mean.
    """

    def __init__(
        self,
        feeds: tuple[Feed, ...],
        *,
        symbols: Iterable[str],
        capacity: PerSymbol[int],
        overflow: PerSymbol[str],
        adaptive: bool,
        max_symbols: int,
        watch: Watch,
        summary: RunSummary,
        interval_s: float,
        log: str | Path | None,
        log_days: int,
        record: str | Path | None,
        alerts: Iterable[str | Sink],
        alert_settings: AlertSettings,
        auto_recover: bool | Iterable[str],
        restarts: RestartPolicy,
        clock: Clock | None,
        dispatcher: Dispatching | None,
        transport: Transport | None,
        rest: Rest | None,
    ) -> None:
        self._own = Dispatcher(clock=clock) if dispatcher is None else None
        self.dispatcher: Dispatching = dispatcher or self._own  # type: ignore[assignment]
        self._watcher_group = self._group("watchers", "rest_for_one", RestartPolicy())
        self.symbol_group = self._group("symbols", "one_for_one", restarts)
        self._feed_group = self._group("feeds", "one_for_one", RestartPolicy())
        self._alert_group = self._group("alerts", "one_for_one", RestartPolicy())
        self.symbols = Symbols(
            capacity=capacity,
            overflow=overflow,
            adaptive=adaptive,
            max_symbols=max_symbols,
            dispatcher=self.dispatcher,
            start=self.symbol_group.add,
        )
        for key in symbols:
            self.symbols.add(*split_key(key))
        self.streams = Streams()
        self.recorder = None if record is None else Recorder(record, self.dispatcher)
        self.feeds = Feeds(
            feeds,
            self.symbols,
            self._feed_group,
            transport=self._transport(transport) if feeds else None,
            rest=self._rest(rest),
            dispatcher=self.dispatcher,
        )
        self.sampler = Sampler(self.symbols.mailboxes, self.feeds.statuses, self.dispatcher)
        self._watch = watch
        self.summary = summary
        self.anomalies = Anomalies(alert_settings)
        self.alerting = Alerting(
            alerts, alert_settings, cut_off=self.feeds.cut_off, dispatcher=self.dispatcher
        )
        self.remedying = Remedying(
            auto_recover,
            mailboxes=self.symbols.mailboxes,
            symbols=self.symbol_group,
            feeds=self.feeds.inboxes,
            # The watchers are made below, since they tell the remedies what is wrong.
            tell=lambda remedy: self.watchers.record(remedy),  # noqa: PLW0108
            dispatcher=self.dispatcher,
        )
        self.watchers = Watchers(
            sampler=self.sampler,
            watch=watch,
            anomalies=self.anomalies,
            listeners=(*self.alerting.hears, *self.remedying.hears),
            summary=summary,
            interval_s=interval_s,
            log=log,
            log_days=log_days,
            mailboxes=self.symbols.mailboxes,
            dispatcher=self.dispatcher,
        )

    def start(self) -> None:
        """Start everything, feeds last; raises InvalidOption for a file that cannot be written."""
        watchers = self.watchers.children()
        if self.recorder is not None:
            watchers.append(self.recorder.child())
        alerts = (*self.alerting.children(), *self.remedying.children())
        for group, children in ((self._watcher_group, watchers), (self._alert_group, alerts)):
            for child in children:
                group.add(child)
        if self._own is not None:
            self._own.start()
        for group in (self._alert_group, self._watcher_group, self.symbol_group, self._feed_group):
            group.start()

    def stop(self, *, drain: bool, timeout: float) -> None:
        """Stop everything that was started, feeds first."""
        self._feed_group.stop(drain=drain, timeout=timeout)
        self.symbol_group.stop(drain=drain, timeout=timeout)
        # Before the watchers, which may take long: nobody is left to handle what comes.
        self.close()
        self._watcher_group.stop(drain=True, timeout=timeout)
        self._alert_group.stop(drain=True, timeout=timeout)
        self.summary.add(self.sampler.tick())
        if self._own is not None:
            self._own.stop(timeout)

    def close(self) -> None:
        """Take no snapshot any more, and end the streams."""
        self.streams.end_all()
        for mailbox in [*self.symbols.mailboxes.values()]:
            mailbox.close()

    def vitals(self) -> Vitals:
        """Return what an exporter reads, live."""
        clock = self.dispatcher.clock
        return Vitals(
            mailboxes=self.symbols.mailboxes,
            feeds=lambda: tuple(each.metrics(clock.now_ns()) for each in [*self.feeds.statuses]),
            anomalies=lambda: self.anomalies.open,
            remedies=lambda: dict(self.remedying.plan.counts),
            threshold_ms=self._watch.threshold_ms,
            dead_letters=self.dispatcher.dead_letters.counts,
            delays=self.sampler.delays,
            clock=clock,
        )

    def _group(self, name: str, strategy: str, policy: RestartPolicy) -> Group:
        return Group(
            name,
            strategy=strategy,
            policy=policy,
            on_give_up=self._on_give_up,
            dispatcher=self.dispatcher,
        )

    def _on_give_up(self, given_up: ChildGivenUp) -> None:
        self.watchers.tell(
            AnomalyAlert(
                kind="QUARANTINED",
                severity=Severity.ERROR,
                key=given_up.key,
                value=float(given_up.restarts),
                since_unix_s=self.dispatcher.clock.unix_s(),
                message=f"{given_up.key} is given up after {given_up.restarts} restarts, the last "
                f"time for {given_up.error!r}: look at its handler and restart the process",
            )
        )

    def _transport(self, transport: Transport | None) -> Transport:
        if transport is None:
            if not isinstance(self.dispatcher, Dispatcher):
                allowed = "given where the dispatcher is no Dispatcher"
                raise InvalidOption("transport", None, allowed)
            transport = WebSocketTransport(self.dispatcher)
        return transport if self.recorder is None else self.recorder.around(transport)

    def _rest(self, rest: Rest | None) -> Rest | None:
        if rest is None and isinstance(self.dispatcher, Dispatcher):
            return HttpRest(self.dispatcher)
        return rest
