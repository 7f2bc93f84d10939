"""The actor of one symbol, on its mailbox and with its audience."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import attrs
import pykka
import pytest

from ticklane.actors import Audience, Subscription, SymbolActor
from ticklane.messages import ChildFailed, FeedEvent, FeedLost, Outcome, Snapshot
from ticklane.runtime import Inbox, Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ticklane.tests.conftest import Stage

KEY = "upbit:KRW-BTC"
TIMEOUT_S = 10.0
# In a world nobody can act while a handler has not returned.
on_threads = pytest.mark.parametrize("stage", ["threads"], indirect=True)


def book(number: int, *, exchange: str = "upbit") -> Snapshot:
    bid = 100.0 + number
    return Snapshot(exchange, "KRW-BTC", ((bid, 1.0),), ((bid + 1, 1.0),), None, number)


def lost(reason: str) -> FeedLost:
    return FeedLost(key=KEY, reason=reason)


@attrs.define
class Symbol:
    """One symbol with a supervisor that only notes what it is told."""

    stage: Stage
    mailbox: Mailbox
    supervisor: Inbox
    audience: Audience = attrs.field(factory=Audience)
    refs: list[pykka.ActorRef[SymbolActor]] = attrs.field(factory=list)

    def start(self) -> pykka.ActorRef[SymbolActor]:
        ref = SymbolActor.start(
            mailbox=self.mailbox,
            audience=self.audience,
            dispatcher=self.stage.dispatcher,
            supervisor=self.supervisor,
        )
        self.refs.append(ref)
        return ref

    def finish(self) -> None:
        """Return when what waits has been handled, or has ended the actor."""
        self.mailbox.stop(drain=True)
        self.stage.until(lambda: all(ref.actor_stopped.is_set() for ref in self.refs))

    def join(
        self,
        handler: Callable[[Snapshot], object],
        on_event: Callable[[FeedEvent], object] | None = None,
    ) -> Subscription:
        return self.audience.join(KEY, handler, on_event)

    @property
    def failures(self) -> list[BaseException]:
        told = [self.supervisor.get().message for _ in range(self.supervisor.backlog)]
        return [each.error for each in told if isinstance(each, ChildFailed)]


@pytest.fixture
def symbol(stage: Stage) -> Iterator[Symbol]:
    symbol = Symbol(stage, Mailbox(KEY, stage.dispatcher), Inbox(stage.dispatcher))
    yield symbol
    symbol.finish()


@attrs.define
class Diary:
    """A handler that writes down what it gets, and knows when it has got enough."""

    enough: int
    entries: list[Snapshot | FeedEvent] = attrs.field(factory=list)

    def __call__(self, message: Snapshot | FeedEvent) -> None:
        self.entries.append(message)

    def is_full(self) -> bool:
        return len(self.entries) >= self.enough


def handled_by(symbol: Symbol, *books: Snapshot) -> None:
    """Offer the books and return when they have been handled, or have ended the actor."""
    for each in books:
        symbol.mailbox.offer(each)
    symbol.start()
    symbol.finish()


## Handing on


def test_snapshots_are_handed_on_in_their_order(symbol: Symbol) -> None:
    diary = Diary(100)
    symbol.join(diary)
    books = [book(number) for number in range(100)]
    handled_by(symbol, *books)

    assert diary.entries == books


def test_every_handler_gets_every_snapshot(symbol: Symbol) -> None:
    diaries = [Diary(1) for _ in range(3)]
    for diary in diaries:
        symbol.join(diary)
    handled_by(symbol, book(1))

    assert [diary.entries for diary in diaries] == [[book(1)]] * 3


def test_without_a_handler_snapshots_count_as_handled(symbol: Symbol) -> None:
    handled_by(symbol, book(1), book(2))

    assert (symbol.mailbox.handled, symbol.mailbox.depth) == (2, 0)


def test_events_come_in_their_place_among_the_snapshots(symbol: Symbol) -> None:
    diary = Diary(4)
    symbol.join(diary, diary)
    told: list[Snapshot | FeedEvent] = [book(1), lost("first"), book(2), lost("second")]
    for each in told:
        if isinstance(each, Snapshot):
            symbol.mailbox.offer(each)
        else:
            symbol.mailbox.post(each)
    symbol.start()
    symbol.stage.until(diary.is_full)

    assert diary.entries == told


def test_who_asked_for_no_events_gets_none(symbol: Symbol) -> None:
    diary, events = Diary(1), Diary(1)
    symbol.join(diary)
    symbol.join(lambda _: None, events)
    symbol.mailbox.post(lost("the cable"))
    handled_by(symbol, book(1))

    assert diary.entries == [book(1)]
    assert events.entries == [lost("the cable")]


## Coming and going while it runs


@attrs.define
class Held:
    """A handler that is held up in its first book until it is told to go on."""

    got: list[Snapshot] = attrs.field(factory=list)
    _begun: threading.Event = attrs.field(factory=threading.Event)
    _go_on: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self, each: Snapshot) -> None:
        self.got.append(each)
        self._begun.set()
        self._go_on.wait(TIMEOUT_S)

    def has_begun(self) -> bool:
        return self._begun.wait(TIMEOUT_S)

    def go_on(self) -> None:
        self._go_on.set()


def held(symbol: Symbol, *books: Snapshot) -> tuple[Held, Subscription]:
    """Start the actor; return when its only handler is held up in the first of the books."""
    handler = Held()
    subscription = symbol.join(handler)
    for each in books:
        symbol.mailbox.offer(each)
    symbol.start()
    assert handler.has_begun()
    return handler, subscription


@on_threads
def test_a_cancelled_subscription_gets_nothing_after_the_call_under_way(symbol: Symbol) -> None:
    handler, subscription = held(symbol, book(1), book(2), book(3))
    subscription.cancel()
    handler.go_on()
    symbol.finish()

    assert handler.got == [book(1)]


@on_threads
def test_a_new_subscription_gets_all_that_is_offered_from_then_on(symbol: Symbol) -> None:
    handler, _ = held(symbol, book(1))
    diary = Diary(2)
    symbol.join(diary)
    symbol.mailbox.offer(book(2))
    handler.go_on()
    symbol.mailbox.offer(book(3))
    symbol.finish()

    assert diary.entries == [book(2), book(3)]


## Handlers that raise


def test_a_handler_that_raises_ends_the_actor_and_its_supervisor_is_told(symbol: Symbol) -> None:
    boom = ValueError("boom")

    def handler(_: Snapshot) -> None:
        raise boom

    symbol.join(handler)
    handled_by(symbol, book(1))

    assert symbol.failures == [boom]
    assert symbol.mailbox.failed == 1


def test_the_next_actor_goes_on_with_what_waits(symbol: Symbol) -> None:
    diary = Diary(3)

    def handler(each: Snapshot) -> None:
        diary(each)
        if each == book(1):
            raise ValueError

    symbol.join(handler)
    handled_by(symbol, book(1), book(2), book(3))
    symbol.start()
    symbol.stage.until(diary.is_full)

    assert diary.entries == [book(1), book(2), book(3)]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_not_even_what_ends_a_program_escapes_a_handler(
    symbol: Symbol, error: BaseException
) -> None:
    def handler(_: Snapshot) -> None:
        raise error

    symbol.join(handler)
    handled_by(symbol, book(1))

    assert symbol.failures == [error]


def test_a_handler_that_raises_keeps_nothing_from_the_others(symbol: Symbol) -> None:
    first, last = Diary(1), Diary(1)

    def handler(_: Snapshot) -> None:
        raise ValueError

    for each in (first, handler, last):
        symbol.join(each)
    handled_by(symbol, book(1))

    assert first.entries == last.entries == [book(1)]


def test_a_snapshot_that_several_handlers_fail_on_counts_once(symbol: Symbol) -> None:
    errors = [ValueError("one"), SystemExit("two")]

    def handler(error: BaseException) -> Callable[[Snapshot], object]:
        def fail(_: Snapshot) -> None:
            raise error

        return fail

    for each in errors:
        symbol.join(handler(each))
    handled_by(symbol, book(1))
    (failure,) = symbol.failures

    assert symbol.mailbox.failed == 1
    assert isinstance(failure, BaseExceptionGroup)
    assert list(failure.exceptions) == errors


def test_an_event_handler_that_raises_loses_no_snapshot(symbol: Symbol) -> None:
    diary = Diary(1)

    def on_event(_: FeedEvent) -> None:
        raise ValueError

    symbol.join(diary, on_event)
    symbol.mailbox.post(lost("the cable"))
    handled_by(symbol, book(1))
    symbol.start()
    symbol.stage.until(diary.is_full)

    assert symbol.mailbox.failed == 0


## As a Pykka actor


def test_a_snapshot_that_is_told_lands_in_the_same_mailbox(symbol: Symbol) -> None:
    diary = Diary(2)
    symbol.join(diary)
    ref = symbol.start()
    symbol.mailbox.offer(book(1))
    ref.tell(book(2))
    symbol.stage.until(diary.is_full)

    assert diary.entries == [book(1), book(2)]
    assert symbol.mailbox.offered == 2


def test_a_snapshot_that_is_asked_answers_its_outcome(symbol: Symbol) -> None:
    ref = symbol.start()
    outcomes = [ref.ask(book(number), timeout=TIMEOUT_S) for number in (2, 1, 2, 3)]

    assert outcomes == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REJECTED, Outcome.ACCEPTED]


@on_threads
def test_what_is_told_finds_the_mailbox_full_like_what_is_offered(stage: Stage) -> None:
    full = Mailbox(KEY, stage.dispatcher, capacity=2, overflow="drop_newest")
    symbol = Symbol(stage, full, Inbox(stage.dispatcher))
    handler, _ = held(symbol, book(1))
    (ref,) = symbol.refs
    outcomes = [ref.ask(book(number), timeout=TIMEOUT_S) for number in (2, 3, 4)]
    ref.tell(book(5))
    handler.go_on()
    symbol.finish()

    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DROPPED]
    assert full.dropped == 2


def test_another_message_is_a_dead_letter(symbol: Symbol) -> None:
    symbol.start().tell("hello")
    symbol.finish()

    assert symbol.stage.dispatcher.dead_letters.counts() == {"unhandled": 1}
