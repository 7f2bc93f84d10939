"""The chain that watches, and what is left when a part of it fails."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from ticklane.actors import Audience, Sampler, SymbolActor
from ticklane.analysis import Anomalies, LongrunAnalyzer, RunSummary, Watch
from ticklane.messages import AnomalyAlert, AnomalyState, ChildGivenUp, Severity, Snapshot
from ticklane.runtime import Dispatcher, Mailbox
from ticklane.supervisors import Group, RestartPolicy
from ticklane.supervisors.watchers import Watchers

KEY = "upbit:KRW-BTC"
TIMEOUT_S = 10.0
AT_ONCE = RestartPolicy(max_restarts=2, within_s=60.0, backoff_first_s=0.001)


def alert(kind: str = "QUARANTINED") -> AnomalyAlert:
    return AnomalyAlert(kind=kind, severity=Severity.ERROR, message="look", key=KEY)


@attrs.define
class Told:
    """A callback that keeps what it was told."""

    alerts: list[AnomalyAlert] = attrs.field(factory=list)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def add(self, alert: AnomalyAlert) -> None:
        with self._changed:
            self.alerts.append(alert)
            self._changed.notify_all()

    def has(self, condition: Callable[[AnomalyAlert], bool], timeout: float = TIMEOUT_S) -> bool:
        """Wait until one was told for which it holds."""
        with self._changed:
            return self._changed.wait_for(lambda: any(map(condition, self.alerts)), timeout=timeout)


@attrs.frozen
class Chain:
    """The watchers of one mailbox, run by a group."""

    watchers: Watchers
    group: Group
    mailbox: Mailbox
    anomalies: Anomalies
    summary: RunSummary
    told: Told
    given_up: Told


@contextmanager
def chain(dispatcher: Dispatcher, log: str | Path | None = None) -> Iterator[Chain]:
    """Yield watchers that run."""
    mailbox = Mailbox(KEY, dispatcher)
    anomalies = Anomalies()
    summary = RunSummary(LongrunAnalyzer("S1"))
    watchers = Watchers(
        sampler=Sampler({KEY: mailbox}, (), dispatcher),
        watch=Watch({"ws_queue_depth_max": 2}),
        anomalies=anomalies,
        listeners=(),
        summary=summary,
        interval_s=0.005,
        log=log,
        log_days=7,
        mailboxes={KEY: mailbox},
        dispatcher=dispatcher,
    )
    told, given_up = Told(), Told()
    watchers.callbacks.append(told.add)

    def on_give_up(child: ChildGivenUp) -> None:
        given_up.add(alert(child.key))

    group = Group(
        "watchers",
        strategy="rest_for_one",
        policy=AT_ONCE,
        on_give_up=on_give_up,
        dispatcher=dispatcher,
    )
    for child in watchers.children():
        group.add(child)
    group.start()
    yield Chain(watchers, group, mailbox, anomalies, summary, told, given_up)
    group.stop(drain=True, timeout=TIMEOUT_S)


def fill(mailbox: Mailbox, depth: int) -> None:
    for number in range(depth):
        mailbox.offer(Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), None, number))


def test_what_a_mailbox_does_comes_to_the_host_as_an_anomaly(dispatcher: Dispatcher) -> None:
    with chain(dispatcher) as watching:
        fill(watching.mailbox, 3)

        assert watching.told.has(lambda it: it.kind == "WS_QUEUE_DEPTH" and it.key == KEY)


def test_an_anomaly_that_is_told_comes_to_the_host_and_stays_open(dispatcher: Dispatcher) -> None:
    with chain(dispatcher) as watching:
        watching.watchers.tell(alert())

        assert watching.told.has(lambda it: it == alert())
        assert alert() in watching.anomalies.open


def test_every_interval_leaves_a_line_in_the_log(dispatcher: Dispatcher, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with chain(dispatcher, path) as watching:
        fill(watching.mailbox, 3)
        assert watching.told.has(lambda it: it.kind == "WS_QUEUE_DEPTH")
    entries = [json.loads(line) for line in path.read_text().splitlines()]

    assert max(entry["ws_queue_depth"] for entry in entries) == 3
    assert watching.summary.report().ws_queue_depth_max == 3


def test_after_a_callback_has_raised_the_host_is_told_what_comes_next(
    dispatcher: Dispatcher,
) -> None:
    with chain(dispatcher) as watching:

        def raise_once(told: AnomalyAlert) -> None:
            if told.kind == "first":
                raise ValueError

        watching.watchers.callbacks.append(raise_once)
        watching.watchers.tell(alert("first"))
        watching.watchers.tell(alert("second"))

        assert watching.told.has(lambda it: it.kind == "second")


def test_a_callback_that_always_raises_leaves_the_others_theirs(dispatcher: Dispatcher) -> None:
    def fail(_: AnomalyAlert) -> None:
        raise ValueError

    with chain(dispatcher) as watching:
        watching.watchers.callbacks.append(fail)
        kinds = [str(number) for number in range(10)]
        for kind in kinds:
            watching.watchers.tell(alert(kind))

        assert watching.told.has(lambda it: it.kind == kinds[-1], timeout=2.0)
        assert [each.kind for each in watching.told.alerts] == kinds


def test_a_full_disk_is_told_and_does_not_stop_the_watching(
    dispatcher: Dispatcher, tmp_path: Path
) -> None:
    full = tmp_path / "run.jsonl"
    full.symlink_to("/dev/full")
    with chain(dispatcher, full) as watching:
        assert watching.given_up.has(lambda it: it.kind == "run log")
        watching.watchers.tell(alert())

        assert watching.told.has(lambda it: it == alert(), timeout=2.0)


def test_what_was_raised_is_cleared_when_it_is_over(dispatcher: Dispatcher) -> None:
    with chain(dispatcher) as watching:
        fill(watching.mailbox, 3)
        assert watching.told.has(lambda it: it.state is AnomalyState.RAISED)
        symbol = SymbolActor.start(
            mailbox=watching.mailbox, audience=Audience(), dispatcher=dispatcher
        )

        assert watching.told.has(lambda it: it.state is AnomalyState.CLEARED)
        assert watching.anomalies.open == ()
        symbol.stop()
