"""A supervisor and its children, as a host's thread starts and stops them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import ChildGivenUp, Outcome, Snapshot
from ticklane.runtime import Inbox, Mailbox
from ticklane.supervisors import ChildSpec, Group, RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ticklane.runtime import Dispatcher, Dispatching
    from ticklane.tests.conftest import Stage, Stepped

PATIENCE_S = 5.0


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "KRW-BTC", (), (), sequence=number)


class Symbols:
    """A group of symbols' actors."""

    def __init__(self, dispatcher: Dispatching, **policy: Any) -> None:
        self.dispatcher = dispatcher
        self.given_up: list[ChildGivenUp] = []
        self.group = Group(
            "symbols",
            strategy="one_for_one",
            policy=RestartPolicy(**policy),
            on_give_up=self.given_up.append,
            dispatcher=dispatcher,
        )

    def add(self, key: str, handler: Callable[[Snapshot], object]) -> Mailbox:
        mailbox, audience = Mailbox(key, self.dispatcher), Audience()
        audience.join(key, handler, None)

        def start(supervisor: Inbox) -> object:
            return SymbolActor.start(
                mailbox=mailbox,
                audience=audience,
                dispatcher=self.dispatcher,
                supervisor=supervisor,
            )

        self.group.add(ChildSpec(key, mailbox, start))
        return mailbox


@pytest.fixture
def symbols(stepped: Stepped) -> Symbols:
    """Return a group in virtual time, not started."""
    return Symbols(stepped)


## On threads and in a world


@pytest.fixture
def anywhere(stage: Stage) -> Iterator[Symbols]:
    """Yield a group whose symbols are restarted at once, not started."""
    symbols = Symbols(stage.dispatcher, backoff_first_s=0.001, backoff_cap_s=0.001)
    yield symbols
    symbols.group.stop(drain=False, timeout=0.1)


def test_children_added_before_the_start_wait_for_it(anywhere: Symbols, stage: Stage) -> None:
    mailbox = anywhere.add("upbit:A", stage.note)
    mailbox.offer(book(1))
    before = mailbox.actor
    anywhere.group.start()
    stage.until(lambda: stage.notes == [book(1)])

    assert before is None


def test_children_added_after_the_start_run_at_once(anywhere: Symbols, stage: Stage) -> None:
    anywhere.group.start()
    mailbox = anywhere.add("upbit:A", stage.note)
    mailbox.offer(book(1))
    stage.until(lambda: stage.notes == [book(1)])

    assert mailbox.status == "running"


def test_a_handler_that_raises_costs_one_message(anywhere: Symbols, stage: Stage) -> None:
    def handle(snapshot: Snapshot) -> None:
        stage.note(snapshot.sequence)
        if snapshot.sequence == 2:
            raise ValueError("no")

    mailbox = anywhere.add("upbit:A", handle)
    anywhere.group.start()
    for number in range(1, 5):
        mailbox.offer(book(number))
    stage.until(lambda: mailbox.handled == 3)

    assert (stage.notes, mailbox.failed, mailbox.restarts) == ([1, 2, 3, 4], 1, 1)


def test_a_handler_that_always_raises_is_given_up_with_what_waits(
    anywhere: Symbols, stage: Stage
) -> None:
    mailbox = anywhere.add("upbit:A", lambda _: 1 / 0)
    anywhere.group.start()
    for number in range(10):
        mailbox.offer(book(number))
    stage.until(lambda: bool(anywhere.given_up))

    assert (mailbox.failed, mailbox.depth, mailbox.status) == (4, 6, "quarantined")
    assert [each.key for each in anywhere.given_up] == ["upbit:A"]


def test_a_quarantined_symbol_still_knows_its_latest(anywhere: Symbols, stage: Stage) -> None:
    mailbox = anywhere.add("upbit:A", lambda _: 1 / 0)
    anywhere.group.start()
    for number in range(10):
        mailbox.offer(book(number))
    stage.until(lambda: bool(anywhere.given_up))

    assert mailbox.offer(book(99)) is Outcome.ACCEPTED
    assert mailbox.latest == book(99)


def test_stopping_with_drain_handles_what_waits(anywhere: Symbols, stage: Stage) -> None:
    mailbox = anywhere.add("upbit:A", stage.note)
    anywhere.group.start()
    for number in range(3):
        mailbox.offer(book(number))

    assert anywhere.group.stop(drain=True, timeout=5.0) == []
    assert (len(stage.notes), mailbox.depth, mailbox.status) == (3, 0, "stopped")


def test_stopping_twice_is_fine(anywhere: Symbols, stage: Stage) -> None:
    anywhere.add("upbit:A", stage.note)
    anywhere.group.start()

    assert anywhere.group.stop(drain=True, timeout=1.0) == []
    assert anywhere.group.stop(drain=True, timeout=0.01) == []


def test_after_the_stop_the_supervisor_is_gone_too(anywhere: Symbols, stage: Stage) -> None:
    anywhere.group.start()
    anywhere.group.stop(drain=True, timeout=1.0)
    stage.until(lambda: anywhere.group._inbox.actor is None)

    assert anywhere.given_up == []


def test_a_child_removed_takes_nothing_more_and_the_others_go_on(
    anywhere: Symbols, stage: Stage
) -> None:
    mailbox, other = anywhere.add("upbit:A", stage.note), anywhere.add("upbit:B", stage.note)
    anywhere.group.start()
    anywhere.group.remove(next(iter(anywhere.group._specs)))
    stage.until(lambda: mailbox.offer(book(1)) is Outcome.STOPPED)
    other.offer(book(2))
    stage.until(lambda: book(2) in stage.notes)

    assert anywhere.group.stop(drain=True, timeout=1.0) == []


## Step by step


def test_stopping_without_drain_leaves_what_waits(symbols: Symbols, stepped: Stepped) -> None:
    seen: list[Snapshot] = []
    mailbox = symbols.add("upbit:A", seen.append)
    symbols.group.start()
    stepped.run()
    mailbox.offer(book(1))
    stepped.line.remove(mailbox)
    # It is run again only once it has been told to stop.
    stepped.call_later(0.5, lambda: stepped.submit(mailbox))

    assert symbols.group.stop(drain=False, timeout=1.0) == []
    assert (seen, mailbox.depth) == ([], 1)


def test_a_second_stop_waits_for_nobody(symbols: Symbols, stepped: Stepped) -> None:
    symbols.add("upbit:A", print)
    symbols.group.start()
    symbols.group.stop(drain=True, timeout=5.0)
    stopped_ns = stepped.time.ns

    assert symbols.group.stop(drain=True, timeout=5.0) == []
    assert stepped.time.ns == stopped_ns


def test_stopping_names_those_stuck_in_a_handler(dispatcher: Dispatcher) -> None:
    entered, release = threading.Event(), threading.Event()

    def stuck(_: Snapshot) -> None:
        entered.set()
        release.wait(PATIENCE_S)

    symbols = Symbols(dispatcher)
    symbols.add("upbit:A", print)
    mailbox = symbols.add("upbit:B", stuck)
    symbols.group.start()
    mailbox.offer(book(1))
    entered.wait(PATIENCE_S)
    left = symbols.group.stop(drain=True, timeout=0.02)
    release.set()

    assert left == ["upbit:B"]


def test_what_does_not_drain_in_time_is_stopped_with_what_waits(dispatcher: Dispatcher) -> None:
    begun = threading.Event()

    def slow(_: Snapshot) -> None:
        begun.set()
        threading.Event().wait(0.02)

    symbols = Symbols(dispatcher)
    mailbox = symbols.add("upbit:A", slow)
    symbols.group.start()
    for number in range(500):
        mailbox.offer(book(number))
    begun.wait(PATIENCE_S)

    assert symbols.group.stop(drain=True, timeout=0.1) == []
    assert 0 < mailbox.depth < 500


def test_real_failures_lose_only_the_messages_they_failed_at(dispatcher: Dispatcher) -> None:
    seen: list[int | None] = []
    done = threading.Event()

    def handle(snapshot: Snapshot) -> None:
        seen.append(snapshot.sequence)
        if snapshot.sequence == 200:
            done.set()
        if snapshot.sequence is not None and snapshot.sequence % 10 == 1:
            raise ValueError("no")

    symbols = Symbols(dispatcher, max_restarts=1000, backoff_first_s=0.0001, backoff_cap_s=0.0001)
    mailbox = symbols.add("upbit:A", handle)
    symbols.group.start()
    for number in range(1, 201):
        mailbox.offer(book(number))

    assert done.wait(PATIENCE_S)
    assert symbols.group.stop(drain=True, timeout=PATIENCE_S) == []
    assert seen == list(range(1, 201))
    assert (mailbox.failed, mailbox.handled, mailbox.restarts) == (20, 180, 20)


def test_one_of_many_children_is_removed_without_looking_at_the_others(symbols: Symbols) -> None:
    compared: list[object] = []

    class Key(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return str.__eq__(self, other)

    specs = [ChildSpec(Key(f"upbit:{n}"), Inbox(symbols.dispatcher), print) for n in range(200)]
    for spec in specs:
        symbols.group.add(spec)
    symbols.group.remove(specs[-1])

    assert len(compared) < 10


def test_a_child_removed_before_the_start_never_runs(symbols: Symbols, stepped: Stepped) -> None:
    mailbox = symbols.add("upbit:A", print)
    symbols.group.remove(next(iter(symbols.group._specs)))
    symbols.group.start()
    stepped.run()

    assert mailbox.actor is None
