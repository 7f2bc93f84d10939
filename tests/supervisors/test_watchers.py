"""The chain that watches, and what is left when a part of it fails."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from ticklane.actors import Audience, Sampler, SymbolActor
from ticklane.analysis import Anomalies, LongrunAnalyzer, RunSummary, Watch
from ticklane.messages import AnomalyAlert, AnomalyState, ChildGivenUp, Severity, Snapshot
from ticklane.runtime import Mailbox
from ticklane.supervisors import Group, RestartPolicy
from ticklane.supervisors.watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ticklane.tests.conftest import Stage

KEY = "upbit:KRW-BTC"
AT_ONCE = RestartPolicy(max_restarts=2, within_s=60.0, backoff_first_s=0.001)


def alert(kind: str = "QUARANTINED") -> AnomalyAlert:
    return AnomalyAlert(kind=kind, severity=Severity.ERROR, message="look", key=KEY)


@attrs.frozen
class Chain:
    """The watchers of one mailbox, run by a group."""

    watchers: Watchers
    mailbox: Mailbox
    anomalies: Anomalies
    summary: RunSummary


@contextmanager
def chain(stage: Stage, log: Path | None = None) -> Iterator[Chain]:
    """Yield watchers that run; what the host is told, and who is given up, is noted."""
    mailbox = Mailbox(KEY, stage.dispatcher)
    anomalies = Anomalies()
    summary = RunSummary(LongrunAnalyzer("S1"))
    watchers = Watchers(
        sampler=Sampler({KEY: mailbox}, (), stage.dispatcher),
        watch=Watch({"ws_queue_depth_max": 2}),
        anomalies=anomalies,
        listeners=(),
        summary=summary,
        interval_s=0.005,
        log=log,
        log_days=7,
        mailboxes={KEY: mailbox},
        dispatcher=stage.dispatcher,
    )
    watchers.callbacks.append(stage.note)
    group = Group(
        "watchers",
        strategy="rest_for_one",
        policy=AT_ONCE,
        on_give_up=stage.note,
        dispatcher=stage.dispatcher,
    )
    for child in watchers.children():
        group.add(child)
    group.start()
    yield Chain(watchers, mailbox, anomalies, summary)
    group.stop(drain=True, timeout=10.0)


def fill(mailbox: Mailbox, depth: int) -> None:
    for number in range(depth):
        mailbox.offer(Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), None, number))


def told(stage: Stage, **fields: Any) -> bool:
    """Say whether the host was told of an anomaly like that."""
    return any(
        all(getattr(note, name) == value for name, value in fields.items())
        for note in stage.notes
        if isinstance(note, AnomalyAlert)
    )


def test_what_a_mailbox_does_comes_to_the_host_as_an_anomaly(stage: Stage) -> None:
    with chain(stage) as watching:
        fill(watching.mailbox, 3)

        stage.until(lambda: told(stage, kind="WS_QUEUE_DEPTH", key=KEY))


def test_an_anomaly_that_is_told_comes_to_the_host_and_stays_open(stage: Stage) -> None:
    with chain(stage) as watching:
        watching.watchers.tell(alert())
        stage.until(lambda: alert() in stage.notes)

        assert alert() in watching.anomalies.open


def test_every_interval_leaves_a_line_in_the_log(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with chain(stage, path) as watching:
        fill(watching.mailbox, 3)
        stage.until(lambda: told(stage, kind="WS_QUEUE_DEPTH"))
    entries = [json.loads(line) for line in path.read_text().splitlines()]

    assert max(entry["ws_queue_depth"] for entry in entries) == 3
    assert watching.summary.report().ws_queue_depth_max == 3


def test_after_a_callback_has_raised_the_host_is_told_what_comes_next(stage: Stage) -> None:
    def raise_once(alert: AnomalyAlert) -> None:
        if alert.kind == "first":
            raise ValueError

    with chain(stage) as watching:
        watching.watchers.callbacks.append(raise_once)
        watching.watchers.tell(alert("first"))
        watching.watchers.tell(alert("second"))

        stage.until(lambda: told(stage, kind="second"))


def test_a_callback_that_always_raises_leaves_the_others_theirs(stage: Stage) -> None:
    def fail(_: AnomalyAlert) -> None:
        raise ValueError

    alerts = [alert(str(number)) for number in range(10)]
    with chain(stage) as watching:
        watching.watchers.callbacks.insert(0, fail)
        for each in alerts:
            watching.watchers.tell(each)
        stage.until(lambda: alerts[-1] in stage.notes)

        assert stage.notes == alerts


def test_a_full_disk_is_told_and_does_not_stop_the_watching(stage: Stage, tmp_path: Path) -> None:
    full = tmp_path / "run.jsonl"
    full.symlink_to("/dev/full")
    with chain(stage, full) as watching:
        stage.until(lambda: any(isinstance(note, ChildGivenUp) for note in stage.notes))
        watching.watchers.tell(alert())
        stage.until(lambda: alert() in stage.notes)

    assert [note.key for note in stage.notes if isinstance(note, ChildGivenUp)] == ["run log"]


def test_what_was_raised_is_cleared_when_it_is_over(stage: Stage) -> None:
    with chain(stage) as watching:
        fill(watching.mailbox, 3)
        stage.until(lambda: told(stage, state=AnomalyState.RAISED))
        symbol = SymbolActor.start(
            mailbox=watching.mailbox, audience=Audience(), dispatcher=stage.dispatcher
        )
        stage.until(lambda: told(stage, state=AnomalyState.CLEARED))

        assert watching.anomalies.open == ()
        symbol.stop()
