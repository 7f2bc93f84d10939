"""The object a host holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pykka

from ..actors import Sampler, Subscription
from ..analysis import LongrunAnalyzer, LongrunReport, RunSummary, Watch
from ..exchanges import Feed, split_key
from ..messages import (
    AnomalyAlert,
    ChildGivenUp,
    FeedEvent,
    InvalidOption,
    MetricsSample,
    Outcome,
    QueueMetrics,
    Severity,
    Snapshot,
    WaitTimeout,
    WrongState,
)
from ..runtime import (
    Clock,
    Dispatcher,
    Dispatching,
    Reply,
    Transport,
    WebSocketTransport,
    queue_metrics,
)
from .children import RestartPolicy
from .feeds import Feeds
from .group import Group
from .symbols import PerSymbol, Symbols
from .watchers import Watchers

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
    `log`: a file to append a metrics log to, one JSON line for each interval.
    `restarts`: how often a handler may fail before its symbol is given up.
    `interval_s`: how often everything is measured. `scenario`: whose limits `report` uses.
    `max_symbols`: after so many a new key is an error. `dispatcher`, `clock`, `transport`: what it
    runs on, for a simulation or to share threads; a dispatcher given is not started nor stopped.

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
        restarts: RestartPolicy | None = None,
        interval_s: float = 1.0,
        scenario: str = "S1",
        max_symbols: int = 100_000,
        clock: Clock | None = None,
        dispatcher: Dispatching | None = None,
        transport: Transport | None = None,
    ) -> None:
        if not interval_s > 0:
            raise InvalidOption("interval_s", interval_s, "a number above 0")
        self._watch = Watch(thresholds or {})
        self._summary = RunSummary(LongrunAnalyzer(scenario, **self._watch.thresholds))
        self._own = Dispatcher(clock=clock) if dispatcher is None else None
        self._dispatcher: Dispatching = dispatcher or self._own  # type: ignore[assignment]
        self._state = "new"
        self._lifecycle = threading.Lock()
        self._watcher_group = self._group("watchers", "rest_for_one", RestartPolicy())
        self._symbol_group = self._group("symbols", "one_for_one", restarts or RestartPolicy())
        self._feed_group = self._group("feeds", "one_for_one", RestartPolicy())
        self._symbols = Symbols(
            capacity=capacity,
            overflow=overflow,
            adaptive=adaptive,
            max_symbols=max_symbols,
            dispatcher=self._dispatcher,
            start=self._symbol_group.add,
        )
        self._mailboxes = self._symbols.by_exchange
        for key in symbols:
            self._symbols.add(*split_key(key))
        feeds = tuple(feeds)
        # A transport reads the system's certificates, which takes longer than all the rest.
        if feeds and transport is None:
            transport = self._web_sockets()
        connections = Feeds(feeds, self._symbols, transport, self._dispatcher)
        for child in connections.children:
            self._feed_group.add(child)
        self._sampler = Sampler(self._symbols.mailboxes, connections.statuses, self._dispatcher)
        self._watchers = Watchers(
            sampler=self._sampler,
            watch=self._watch,
            summary=self._summary,
            interval_s=interval_s,
            log=log,
            dispatcher=self._dispatcher,
        )

    # -- life

    def start(self) -> None:
        """Connect the feeds and begin to handle.

        Raises WrongState unless it is the first time, InvalidOption for a `log` that cannot be
        written.
        """
        with self._lifecycle:
            if self._state != "new":
                raise WrongState(f"start() on market data that is {self._state}; make a new one")
            self._watchers.add_to(self._watcher_group)
            self._state = "running"
            if self._own is not None:
                self._own.start()
            for group in (self._watcher_group, self._symbol_group, self._feed_group):
                group.start()

    def stop(self, drain: bool = True, timeout: float = 5.0) -> None:
        """Stop feeds, symbols and watchers, in this order, `timeout` seconds each at most.

        With `drain` what waits in mailboxes is handled first. Handlers still stuck after that are
        named in the log and left behind. Snapshots offered from now on are dead letters. Twice is
        fine.
        """
        with self._lifecycle:
            was, self._state = self._state, "stopped"
            if was == "running":
                self._feed_group.stop(drain=drain, timeout=timeout)
                self._symbol_group.stop(drain=drain, timeout=timeout)
                self._watcher_group.stop(drain=True, timeout=timeout)
                self._summary.add(self._sampler.tick())
            for mailbox in [*self._symbols.mailboxes.values()]:
                mailbox.close()
            if was == "running" and self._own is not None:
                self._own.stop(timeout)

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
        not name and no snapshot has brought.
        """
        return self._symbols.audience(key).join(key, handler, on_event)

    def offer(self, snapshot: Snapshot) -> Outcome:
        """Put a snapshot that the host itself received into its symbol's mailbox; never blocks.

        The first snapshot of a new key makes its actor. Raises TooManySymbols.
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

        Raises WaitTimeout when none has come within `timeout` seconds, UnknownKey.
        """
        mailbox = self._symbols.mailbox(key)
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
        return self._sampler.sample()

    def anomalies(self) -> tuple[AnomalyAlert, ...]:
        """Return what is wrong now."""
        return self._watch.open

    def on_anomaly(self, callback: Callable[[AnomalyAlert], object]) -> None:
        """Call `callback` with every anomaly raised, changed or cleared, on a thread of ours."""
        self._watchers.callbacks.append(callback)

    def report(self) -> LongrunReport:
        """Return the report on the run so far."""
        return self._summary.report()

    # -- inside

    def _group(self, name: str, strategy: str, policy: RestartPolicy) -> Group:
        return Group(
            name,
            strategy=strategy,
            policy=policy,
            on_give_up=self._on_give_up,
            dispatcher=self._dispatcher,
        )

    def _on_give_up(self, given_up: ChildGivenUp) -> None:
        self._watchers.tell(
            AnomalyAlert(
                kind="QUARANTINED",
                severity=Severity.ERROR,
                key=given_up.key,
                value=float(given_up.restarts),
                since_unix_s=self._dispatcher.clock.unix_s(),
                message=f"{given_up.key} is given up after {given_up.restarts} restarts, the last "
                f"time for {given_up.error!r}: look at its handler and restart the process",
            )
        )

    def _web_sockets(self) -> Transport:
        if not isinstance(self._dispatcher, Dispatcher):
            raise InvalidOption("transport", None, "given where the dispatcher is no Dispatcher")
        return WebSocketTransport(self._dispatcher)


def _set_once(reply: Reply) -> None:
    if not reply.done:
        reply.set()
