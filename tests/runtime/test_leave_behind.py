"""Leaving an actor behind that is stuck in a handler."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import FeedConnected, Snapshot
from ticklane.runtime import Mailbox, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ticklane.runtime import Dispatcher

KEY = "upbit:KRW-BTC"


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)


@attrs.define
class Handler:
    """Gets stuck on some snapshots until it is let go; notes who is inside at a time."""

    stuck_on: frozenset[int] = frozenset({1})
    error: BaseException | None = None
    let_go: threading.Event = attrs.field(factory=threading.Event)
    seen: list[int] = attrs.field(factory=list)
    inside: int = 0
    most_inside: int = 0

    def __call__(self, snapshot: Snapshot) -> None:
        number = snapshot.sequence or 0
        self.seen.append(number)
        if number in self.stuck_on:
            self.let_go.wait(10.0)
            if self.error is not None:
                raise self.error
            return
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        threading.Event().wait(0.0005)
        self.inside -= 1


@attrs.frozen
class Rig:
    mailbox: Mailbox
    audience: Audience
    dispatcher: Dispatcher

    def start(self) -> Any:
        return SymbolActor.start(
            mailbox=self.mailbox, audience=self.audience, dispatcher=self.dispatcher
        )


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticklane.runtime.handling.LEFT_BEHIND_NS", 50_000_000)


@pytest.fixture
def rig(dispatcher: Dispatcher) -> Iterator[Rig]:
    rig = Rig(Mailbox(KEY, dispatcher), Audience(), dispatcher)
    yield rig
    until(lambda: identity(rig.mailbox))
    rig.mailbox.stop(drain=False)
    until(lambda: rig.mailbox.actor is None)


def identity(mailbox: Mailbox) -> bool:
    settled = mailbox.handled + mailbox.failed + mailbox.lost + mailbox.rejected
    return mailbox.offered == settled + mailbox.depth


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.002)


def test_a_handler_that_runs_for_a_short_time_is_not_left(rig: Rig) -> None:
    handler = Handler()
    rig.audience.join(KEY, handler, None)
    rig.start()
    rig.mailbox.offer(book(1))
    until(lambda: handler.seen == [1])

    assert not rig.mailbox.leave_behind()
    handler.let_go.set()
    until(lambda: rig.mailbox.handled == 1)


def test_an_idle_actor_is_not_left(rig: Rig) -> None:
    rig.start()

    assert not rig.mailbox.leave_behind()


def stuck(rig: Rig, handler: Handler, offered: int) -> None:
    """Let the handler be stuck on the first of several snapshots, and leave it behind."""
    rig.audience.join(KEY, handler, None)
    rig.start()
    for number in range(1, offered + 1):
        rig.mailbox.offer(book(number))
    until(rig.mailbox.leave_behind)


def test_the_next_actor_handles_what_waits_in_its_order(rig: Rig) -> None:
    handler = Handler()
    stuck(rig, handler, 20)
    rig.start()
    until(lambda: rig.mailbox.depth == 0 and identity(rig.mailbox))
    handler.let_go.set()

    assert handler.seen == list(range(1, 21))
    assert (rig.mailbox.handled, rig.mailbox.failed) == (19, 1)


@pytest.mark.parametrize("error", [None, ValueError(), SystemExit()])
def test_who_returns_after_all_handles_nothing_more_and_counts_nothing(
    rig: Rig, error: BaseException | None
) -> None:
    handler = Handler(error=error)
    stuck(rig, handler, 1)
    ref = rig.start()
    handler.let_go.set()
    for number in range(2, 300):
        rig.mailbox.offer(book(number))
    until(lambda: rig.mailbox.depth == 0 and identity(rig.mailbox))

    assert handler.seen == list(range(1, 300))
    assert handler.most_inside == 1
    assert (rig.mailbox.handled, rig.mailbox.failed) == (298, 1)
    assert ref.is_alive()


def test_who_returns_while_nobody_has_the_place_leaves_it_free(rig: Rig) -> None:
    handler = Handler()
    stuck(rig, handler, 5)
    handler.let_go.set()
    rig.start()
    until(lambda: rig.mailbox.depth == 0)

    assert handler.seen == [1, 2, 3, 4, 5]


def test_it_can_be_left_again_and_again(rig: Rig) -> None:
    handler = Handler(stuck_on=frozenset({1, 2, 3}))
    stuck(rig, handler, 4)
    for _ in range(2):
        rig.start()
        until(rig.mailbox.leave_behind)
    rig.start()
    until(lambda: handler.seen == [1, 2, 3, 4])
    handler.let_go.set()
    until(lambda: identity(rig.mailbox))

    assert (rig.mailbox.handled, rig.mailbox.failed) == (1, 3)


def test_others_are_served_meanwhile(rig: Rig) -> None:
    other = Rig(Mailbox("upbit:B", rig.dispatcher), Audience(), rig.dispatcher)
    seen: list[Snapshot] = []
    other.audience.join("upbit:B", seen.append, None)
    other.start()
    handler = Handler(stuck_on=frozenset({1, 2}))
    stuck(rig, handler, 3)
    rig.start()
    until(lambda: len(handler.seen) == 2)
    for number in range(100):
        other.mailbox.offer(book(number))
    until(lambda: len(seen) == 100)
    handler.let_go.set()
    other.mailbox.stop(drain=True)

    until(lambda: identity(rig.mailbox))


def test_what_told_the_old_one_to_stop_is_not_for_the_new_one(rig: Rig) -> None:
    handler = Handler()
    rig.audience.join(KEY, handler, None)
    old = rig.start()
    rig.mailbox.offer(book(1))
    until(lambda: handler.seen == [1])
    stopped = old.stop(block=False)
    until(rig.mailbox.leave_behind)
    new = rig.start()
    rig.mailbox.offer(book(2))
    until(lambda: rig.mailbox.handled == 1)
    handler.let_go.set()

    assert stopped.get(timeout=5.0) is True
    assert (old.is_alive(), new.is_alive()) == (False, True)


def test_a_handler_of_events_is_not_left(rig: Rig) -> None:
    entered, let_go = threading.Event(), threading.Event()

    def on_event(_: object) -> None:
        entered.set()
        let_go.wait(10.0)

    rig.audience.join(KEY, lambda _: None, on_event)
    rig.start()
    rig.mailbox.post(FeedConnected(key=KEY, url="wss://here"))
    entered.wait(10.0)
    threading.Event().wait(0.1)

    assert not rig.mailbox.leave_behind()
    let_go.set()


@pytest.mark.parametrize("error", [None, ValueError()])
def test_a_reading_thread_that_is_stuck_can_be_left_too(
    rig: Rig, error: BaseException | None
) -> None:
    handler = Handler(error=error)
    rig.audience.join(KEY, handler, None)
    rig.start()
    numbers = iter(range(1, 11))

    def read() -> bool:
        number = next(numbers, None)
        if number is not None:
            rig.mailbox.offer_here(book(number), reader)
        return number is not None

    reader: Reader = rig.dispatcher.read("upbit", read)
    reader.start()
    until(rig.mailbox.leave_behind)
    rig.start()
    until(lambda: rig.mailbox.handled == 9)
    handler.let_go.set()
    until(reader.ended.is_set)

    assert handler.seen == list(range(1, 11))
    assert (rig.mailbox.offered, rig.mailbox.failed) == (10, 1)
