"""The object a host holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pykka

from ..actors import Sink, Subscription
from ..analysis import (
    AlertSettings,
    LongrunAnalyzer,
    LongrunReport,
    RunSummary,
    Watch,
)
from ..analysis.checks import check_finite
from ..exchanges import Feed, parse_key, split_key
from ..messages import (
    AnomalyAlert,
    FeedEvent,
    MetricsSample,
    Outcome,
    QueueMetrics,
    ReceiverMetrics,
    RecordingMetrics,
    Snapshot,
    WaitTimeout,
    WrongState,
)
from ..runtime import (
    Clock,
    Dispatching,
    Reply,
    Rest,
    Transport,
    queue_metrics,
)
from . import options
from .children import RestartPolicy
from .house import House
from .symbols import PerSymbol
from .vitals import Vitals

__all__ = ["MarketData"]


class MarketData:
    """Receive order books, hand them to handlers, and watch how deep and how late they wait.

    Every symbol has an actor and a bounded mailbox; a handler that is slow or raises costs its own
    symbol only. All methods may be called from any thread.

    `feeds`: what to receive, and from where. `symbols`: more keys, for books that the host itself
    brings by `offer`.
    `capacity` (1000 waiting snapshots), `overflow` (`drop_oldest`, `drop_newest`, `conflate`): for
    all symbols, or a mapping by key; `adaptive`: shed by controlled delay, too.
    `thresholds`: of the anomalies: `ws_queue_lag_warn_max` (10), `ws_queue_depth_max` (100).
    `log`: `run.db` is a run log in SQLite, one file a day (`run.2026-11-22.db`), kept `log_days`
    days; `run.jsonl` a metrics log of one JSON line for each interval.
    `record`: a file to write every raw frame to as it comes, which `ticklane replay` reads.
    `alerts`: who is told of anomalies by HTTP: webhooks (`https://…`), an Alertmanager
    (`alertmanager+http://host:9093`), anything apprise knows (extra `alerts`), or sinks of your
    own; `alert_settings`: when, and how often. `auto_recover`: what may be done about anomalies by
    itself: nothing, everything (True), or names among `restart_symbol`, `shed_symbol`,
    `reconnect_feed`.
    `restarts`: how often a handler may fail before its symbol is given up.
    `interval_s`: how often everything is measured. `scenario`: whose limits `report` uses.
    `max_symbols`: after so many a new key is an error. `dispatcher`, `clock`, `transport`,
    `rest`: what it runs on, for a simulation or to share threads; a dispatcher given is not started
    nor stopped.

    Raises InvalidOption for what is not allowed.
    """

    def __init__(
        self,
        feeds: Iterable[Feed] = (),
        *,
        symbols: Iterable[str] = (),
        capacity: PerSymbol[int] = 1000,
        overflow: PerSymbol[str] = "drop_oldest",
        adaptive: bool = False,
        thresholds: Mapping[str, int] | None = None,
        log: str | Path | None = None,
        log_days: int = 7,
        record: str | Path | None = None,
        alerts: Iterable[str | Sink] = (),
        alert_settings: AlertSettings | None = None,
        auto_recover: bool | Iterable[str] = False,
        restarts: RestartPolicy | None = None,
        interval_s: float = 1.0,
        scenario: str = "S1",
        max_symbols: int = 100_000,
        clock: Clock | None = None,
        dispatcher: Dispatching | None = None,
        transport: Transport | None = None,
        rest: Rest | None = None,
    ) -> None:
        watch = Watch(options.mapping("thresholds", thresholds))
        self._state = "new"
        # Whoever starts or stops may be interrupted by one of its own that stops: a signal handler,
        # or in a world a handler of snapshots.
        self._lifecycle = threading.RLock()
        self._house = house = House(
            options.several(Feed, "feeds", feeds, "a list of Feed(...)"),
            symbols=options.several(str, "symbols", symbols, "a list of keys"),
            capacity=capacity,
            overflow=overflow,
            adaptive=adaptive,
            max_symbols=max_symbols,
            watch=watch,
            summary=RunSummary(LongrunAnalyzer(scenario, **watch.thresholds)),
            interval_s=options.positive("interval_s", interval_s),
            log=options.path("log", log),
            log_days=log_days,
            record=options.path("record", record),
            alerts=alerts,
            alert_settings=options.settings(AlertSettings, "alert_settings", alert_settings),
            auto_recover=auto_recover,
            restarts=options.settings(RestartPolicy, "restarts", restarts),
            clock=clock,
            dispatcher=dispatcher,
            transport=transport,
            rest=rest,
        )
        self._dispatcher = house.dispatcher
        self._symbols = house.symbols
        self._mailboxes = house.symbols.by_exchange

    # -- life

    def start(self) -> None:
        """Connect the feeds and begin to handle.

        Raises WrongState unless it is the first time, InvalidOption for a `log` or a
        `record` that cannot be written.
        """
        with self._lifecycle:
            if self._state != "new":
                raise WrongState(f"start() on market data that is {self._state}; make a new one")
            self._state = "starting"
            try:
                self._house.start()
            except BaseException:
                self._state = "new"
                raise
            was, self._state = self._state, "running"
            if was == "stopped":
                self.stop()

    def stop(self, drain: bool = True, timeout: float = 5.0) -> None:
        """Stop feeds, symbols and watchers, in this order, `timeout` seconds each at most.

        With `drain` what waits in mailboxes is handled first. Handlers still stuck after that are
        named in the log and left behind, and so is one that calls this: give it a short `timeout`
        there. Snapshots offered from now on are dead letters. Twice is fine. Raises InvalidOption
        for a `timeout` that is no finite number.
        """
        check_finite("timeout", timeout)
        with self._lifecycle:
            was, self._state = self._state, "stopped"
            if was == "running":
                self._house.stop(drain=drain, timeout=timeout)
            elif was == "new":
                self._house.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await asyncio.to_thread(self.stop)

    # -- symbols

    def add(self, key: str) -> None:
        """Have a feed of the key's exchange bring it, too, without reconnecting; known ones stay.

        Before `start` as well, from any thread. Raises InvalidOption where no feed is of this
        exchange or the symbol is not one of its, TooManySymbols, WrongState after `stop`.
        """
        self._check_not_stopped("add()")
        self._house.feeds.add(*parse_key(key))

    def remove(self, key: str) -> None:
        """Stop bringing a key, and forget it: its actor stops, what waits is not handled.

        Who subscribed hears nothing of it any more, not even if it is added again.
        Before `start` as well, from any thread. Raises UnknownKey, WrongState after `stop`.
        """
        self._check_not_stopped("remove()")
        child = self._symbols.remove(key)
        self._house.feeds.remove(*split_key(key))
        self._house.symbol_group.remove(child)
        self._house.streams.end(key)

    # -- snapshots

    def subscribe(
        self,
        key: str,
        handler: Callable[[Snapshot], object],
        *,
        on_event: Callable[[FeedEvent], object] | None = None,
    ) -> Subscription:
        """Call `handler` with every snapshot of a symbol, in order, one at a time.

        What happens to its feed goes to `on_event`, in its place among the snapshots. Both are
        called on threads of ours. Raises UnknownKey for a key that no feed declares, `symbols` does
        not name and no snapshot has brought, InvalidOption for what is no plain function.
        """
        options.handler("handler", handler)
        if on_event is not None:
            options.handler("on_event", on_event)
        return self._symbols.audience(key).join(key, handler, on_event)

    def stream(self, key: str) -> AsyncIterator[Snapshot]:
        """Iterate over a symbol's snapshots in an asyncio program, from the first step on.

        `async for snapshot in market.stream(key)`. It is bounded as the symbol's mailbox: of what
        waits for the loop the oldest gives way. Ends after `stop`, or when the key is removed.
        Raises UnknownKey.
        """
        capacity = self._symbols.mailbox(key).capacity
        return self._house.streams.of(key, lambda put: self.subscribe(key, put), capacity)

    def offer(self, snapshot: Snapshot) -> Outcome:
        """Put a snapshot that the host itself received into its symbol's mailbox; never blocks.

        The first snapshot of a new key makes its actor. Raises TooManySymbols, InvalidOption for an
        exchange and a symbol that make no key.
        """
        try:
            mailbox = self._mailboxes[snapshot.exchange][snapshot.symbol]
        except KeyError:
            if self._state == "stopped":
                self._dispatcher.dead_letters.add("stopped", snapshot)
                return Outcome.STOPPED
            mailbox = self._symbols.add(snapshot.exchange, snapshot.symbol)
        return mailbox.offer(snapshot)

    def latest(self, key: str) -> Snapshot | None:
        """Return the newest accepted snapshot; never blocks. Raises UnknownKey."""
        return self._symbols.mailbox(key).latest

    def latest_all(self) -> dict[str, Snapshot]:
        """Return the newest accepted snapshot of every symbol that has one, by key."""
        mailboxes = [*self._symbols.mailboxes.values()]
        return {box.key: latest for box in mailboxes if (latest := box.latest) is not None}

    def wait_for(self, key: str, timeout: float) -> Snapshot:
        """Return the newest snapshot of a symbol, the first one if need be.

        Raises WaitTimeout when none has come within `timeout` seconds, WrongState when none has by
        the time of `stop`, UnknownKey, InvalidOption.
        """
        mailbox = self._symbols.mailbox(key)
        check_finite("timeout", timeout)
        if mailbox.latest is None:
            self._check_not_stopped("wait_for()")
        first = Reply()
        self._dispatcher.lend(first, mailbox)
        subscription = self.subscribe(key, lambda _: _set_once(first))
        try:
            if mailbox.latest is None:
                first.get(timeout=timeout)
        except pykka.Timeout:
            pass
        finally:
            subscription.cancel()
        if mailbox.latest is None:
            raise WaitTimeout(f"snapshot of {key}", timeout)
        return mailbox.latest

    # -- what there is to know

    def queue(self, key: str) -> QueueMetrics:
        """Return how deep and how late a symbol's mailbox is. Raises UnknownKey."""
        return queue_metrics(self._symbols.mailbox(key), self._dispatcher.clock.now_ns())

    def metrics(self) -> MetricsSample:
        """Return the same of all symbols, the feeds, and the totals."""
        return self._house.sampler.sample()

    def vitals(self) -> Vitals:
        """Return what an exporter reads, live."""
        return self._house.vitals()

    def recording(self) -> RecordingMetrics | None:
        """Return how the recording goes; None without `record`."""
        recorder = self._house.recorder
        return None if recorder is None else recorder.metrics()

    def anomalies(self) -> tuple[AnomalyAlert, ...]:
        """Return what is wrong now."""
        return self._house.anomalies.open

    def on_anomaly(self, callback: Callable[[AnomalyAlert], object]) -> None:
        """Call `callback` with every anomaly raised, changed or cleared, on a thread of ours.

        Raises InvalidOption for what is no plain function.
        """
        options.handler("callback", callback)
        self._house.watchers.callbacks.append(callback)

    def receivers(self) -> tuple[ReceiverMetrics, ...]:
        """Return how sending goes to each receiver of `alerts`, in their order."""
        return tuple(receiver.metrics() for receiver in self._house.alerting.receivers)

    def remedies(self) -> dict[tuple[str, str], int]:
        """Return how often each remedy was chosen, by its name and its outcome.

        `taken`, `impossible`, or `limited`: 3 for a key and 30 in all are allowed in ten minutes.
        """
        return dict(self._house.remedying.plan.counts)

    def report(self) -> LongrunReport:
        """Return the report on the run so far."""
        return self._house.summary.report()

    # -- inside

    def _check_not_stopped(self, call: str) -> None:
        if self._state == "stopped":
            raise WrongState(f"{call} on market data that is stopped")


def _set_once(reply: Reply) -> None:
    if not reply.done:
        reply.set()
