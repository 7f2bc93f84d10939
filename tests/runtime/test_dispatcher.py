"""Real threads: nobody waits for another's slow handler, nothing is lost, nothing is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import InvalidOption, Outcome, Snapshot, WrongState
from ticklane.runtime import OVERFLOW_POLICIES, Actor, Dispatcher, Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import pykka

PATIENCE_S = 5.0
PRODUCERS = 8
OFFERS_EACH = 3000


def book(number: int, symbol: str = "KRW-BTC") -> Snapshot:
    return Snapshot("upbit", symbol, (), (), sequence=number)


def our_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("ticklane-")}


class Symbol:
    """A mailbox with an actor and one handler."""

    def __init__(
        self, dispatcher: Dispatcher, handler: Callable[[Snapshot], object], **options: Any
    ) -> None:
        self.mailbox = Mailbox("upbit:KRW-BTC", dispatcher, **options)
        self.numbers = count(1)
        self.audience = Audience()
        self.audience.join(self.mailbox.key, handler, None)
        self.dispatcher = dispatcher
        self.ref: pykka.ActorRef[Any] = self.start()

    def start(self) -> pykka.ActorRef[Any]:
        return SymbolActor.start(
            mailbox=self.mailbox, audience=self.audience, dispatcher=self.dispatcher
        )

    def offer(self) -> Outcome:
        return self.mailbox.offer(book(next(self.numbers)))

    def drain(self) -> None:
        """Return when everything that waits was handled."""
        self.mailbox.stop(drain=True)
        assert self.ref.actor_stopped.wait(PATIENCE_S)


class Stuck:
    """A handler that holds its thread until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self, _: Snapshot) -> None:
        self.thread = threading.current_thread()
        self.entered.set()
        self.release.wait(PATIENCE_S)


class Handled:
    """A handler that says when it has handled so many."""

    def __init__(self, most: int = 1) -> None:
        self.seen: list[int | None] = []
        self.most = most
        self.done = threading.Event()

    def __call__(self, snapshot: Snapshot) -> None:
        self.seen.append(snapshot.sequence)
        if len(self.seen) == self.most:
            self.done.set()


# -- one slow handler


def test_a_stuck_handler_does_not_delay_another_symbol(dispatcher: Dispatcher) -> None:
    stuck, handled = Stuck(), Handled(100)
    Symbol(dispatcher, stuck).offer()
    stuck.entered.wait(PATIENCE_S)
    other = Symbol(dispatcher, handled)
    for _ in range(100):
        other.offer()

    assert handled.done.wait(PATIENCE_S)
    stuck.release.set()


def test_more_stuck_handlers_than_workers_do_not_delay_another_symbol(
    dispatcher: Dispatcher,
) -> None:
    all_stuck = [Stuck() for _ in range(20)]
    for stuck in all_stuck:
        Symbol(dispatcher, stuck).offer()
    entered = [stuck.entered.wait(PATIENCE_S) for stuck in all_stuck]
    handled = Handled()
    Symbol(dispatcher, handled).offer()

    assert handled.done.wait(PATIENCE_S)
    assert all(entered)
    for stuck in all_stuck:
        stuck.release.set()


def test_a_stuck_handler_in_a_plain_actor_does_not_delay_other_actors(
    dispatcher: Dispatcher,
) -> None:
    class Waiting(Actor):
        def on_receive(self, message: Any) -> Any:
            return message.wait(PATIENCE_S) if isinstance(message, threading.Event) else message

    release = threading.Event()
    one, other = Waiting.start(dispatcher=dispatcher), Waiting.start(dispatcher=dispatcher)
    answer = one.ask(release, block=False)

    assert other.ask("hello", timeout=PATIENCE_S) == "hello"
    release.set()
    assert answer.get(timeout=PATIENCE_S) is True


def test_threads_that_were_relieved_end_with_their_handlers(dispatcher: Dispatcher) -> None:
    all_stuck = [Stuck() for _ in range(5)]
    for stuck in all_stuck:
        Symbol(dispatcher, stuck).offer()
    for stuck in all_stuck:
        stuck.entered.wait(PATIENCE_S)
    handled = Handled()
    Symbol(dispatcher, handled).offer()
    handled.done.wait(PATIENCE_S)
    for stuck in all_stuck:
        stuck.release.set()
    threads = [stuck.thread for stuck in all_stuck if stuck.thread is not None]
    for thread in threads:
        thread.join(PATIENCE_S)

    assert [thread.is_alive() for thread in threads] == [False] * 5


def test_at_most_so_many_threads_are_stuck_at_a_time() -> None:
    dispatcher = Dispatcher(max_threads=2)
    dispatcher.start()
    all_stuck = [Stuck() for _ in range(2)]
    for stuck in all_stuck:
        Symbol(dispatcher, stuck).offer()
    for stuck in all_stuck:
        stuck.entered.wait(PATIENCE_S)
    handled = Handled()
    Symbol(dispatcher, handled).offer()
    early = handled.done.wait(0.05)
    for stuck in all_stuck:
        stuck.release.set()

    assert not early
    assert handled.done.wait(PATIENCE_S)
    assert dispatcher.stop() == []


def test_a_slow_handler_that_is_known_to_be_slow_keeps_its_order(dispatcher: Dispatcher) -> None:
    handled = Handled(20)

    def slow(snapshot: Snapshot) -> None:
        threading.Event().wait(0.002)
        handled(snapshot)

    symbol = Symbol(dispatcher, slow)
    for _ in range(20):
        symbol.offer()

    assert handled.done.wait(PATIENCE_S)
    assert handled.seen == list(range(1, 21))


# -- order, one at a time, exact counts


@pytest.fixture(params=[1, 4])
def any_dispatcher(request: pytest.FixtureRequest) -> Any:
    """Yield a running dispatcher, with one worker and with several."""
    running = Dispatcher(workers=request.param)
    running.start()
    yield running
    assert running.stop() == []


def test_one_actor_handles_one_message_at_a_time_in_order(any_dispatcher: Dispatcher) -> None:
    inside = threading.Lock()
    overlaps: list[bool] = []
    handled = Handled(5000)

    def handle(snapshot: Snapshot) -> None:
        if inside.acquire(blocking=False):
            handled(snapshot)
            inside.release()
        else:
            overlaps.append(True)

    symbol = Symbol(any_dispatcher, handle, capacity=5000)
    for _ in range(5000):
        symbol.offer()

    assert handled.done.wait(PATIENCE_S)
    assert (handled.seen, overlaps) == (list(range(1, 5001)), [])


def produce(mailbox: Mailbox, numbers: count[int]) -> Counter[Outcome]:
    """Offer to one mailbox from many threads at once; return what became of it all."""
    begin = threading.Barrier(PRODUCERS)
    each: list[Counter[Outcome]] = [Counter() for _ in range(PRODUCERS)]

    def offer(outcomes: Counter[Outcome]) -> None:
        begin.wait(PATIENCE_S)
        for _ in range(OFFERS_EACH):
            outcomes[mailbox.offer(book(next(numbers)))] += 1

    threads = [threading.Thread(target=offer, args=(outcomes,)) for outcomes in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(each, Counter())


def check_counts(mailbox: Mailbox, outcomes: Counter[Outcome]) -> None:
    shed = mailbox.dropped + mailbox.conflated + mailbox.expired + mailbox.rejected
    assert mailbox.offered == PRODUCERS * OFFERS_EACH == sum(outcomes.values())
    assert mailbox.offered == mailbox.handled + mailbox.failed + shed + mailbox.depth
    assert mailbox.rejected == outcomes[Outcome.REJECTED]
    assert mailbox.conflated == outcomes[Outcome.CONFLATED]
    assert mailbox.dropped == outcomes[Outcome.DISPLACED] + outcomes[Outcome.DROPPED]


@pytest.mark.parametrize("overflow", OVERFLOW_POLICIES)
def test_counts_are_exact_whoever_offers_at_the_same_time(
    any_dispatcher: Dispatcher, overflow: str
) -> None:
    handled = Handled()
    symbol = Symbol(any_dispatcher, handled, capacity=10, overflow=overflow)
    outcomes = produce(symbol.mailbox, count(1))
    symbol.drain()

    check_counts(symbol.mailbox, outcomes)
    assert (symbol.mailbox.handled, symbol.mailbox.depth) == (len(handled.seen), 0)


@pytest.mark.parametrize("overflow", OVERFLOW_POLICIES)
def test_what_many_offer_is_handled_once_and_never_goes_back(
    any_dispatcher: Dispatcher, overflow: str
) -> None:
    handled = Handled()
    symbol = Symbol(any_dispatcher, handled, capacity=10, overflow=overflow)
    produce(symbol.mailbox, count(1))
    newest = symbol.mailbox.latest
    symbol.drain()

    assert handled.seen == sorted(set(handled.seen))  # type: ignore[type-var]
    assert newest is not None
    assert handled.seen[-1] == newest.sequence


def test_counts_are_exact_while_the_actor_fails_and_is_replaced(
    any_dispatcher: Dispatcher,
) -> None:
    handled = Handled()
    over = threading.Event()
    done = threading.Event()

    def handle(snapshot: Snapshot) -> None:
        if snapshot.sequence is not None and snapshot.sequence % 100 == 0:
            raise ValueError("every hundredth")
        handled(snapshot)

    symbol = Symbol(any_dispatcher, handle, capacity=10)

    def replace() -> None:
        while not over.is_set() or symbol.mailbox.depth:
            if symbol.ref.actor_stopped.wait(0.001) and symbol.mailbox.actor is None:
                symbol.ref = symbol.start()
        done.set()

    replacing = threading.Thread(target=replace)
    replacing.start()
    outcomes = produce(symbol.mailbox, count(1))
    over.set()
    done.wait(PATIENCE_S)
    replacing.join()
    symbol.ref.stop(timeout=PATIENCE_S)

    check_counts(symbol.mailbox, outcomes)
    assert symbol.mailbox.failed > 0
    assert symbol.mailbox.handled == len(handled.seen)


def test_many_symbols_are_handled_whole(any_dispatcher: Dispatcher) -> None:
    all_handled = [Handled(20) for _ in range(500)]
    symbols = [Symbol(any_dispatcher, handled) for handled in all_handled]
    for _ in range(20):
        for symbol in symbols:
            symbol.offer()

    assert all(handled.done.wait(PATIENCE_S) for handled in all_handled)
    assert all(handled.seen == list(range(1, 21)) for handled in all_handled)


# -- life


def test_what_was_offered_before_the_start_is_handled_after_it() -> None:
    dispatcher, handled = Dispatcher(), Handled()
    Symbol(dispatcher, handled).offer()
    early = list(handled.seen)
    dispatcher.start()

    assert handled.done.wait(PATIENCE_S)
    assert early == []
    assert dispatcher.stop() == []


def test_starting_twice_is_fine(dispatcher: Dispatcher) -> None:
    before = our_threads()
    dispatcher.start()

    assert our_threads() == before


def test_stop_leaves_no_thread() -> None:
    before = our_threads()
    dispatcher, handled = Dispatcher(workers=3), Handled()
    dispatcher.start()
    dispatcher.call_later(3600, lambda: None)
    Symbol(dispatcher, handled).offer()
    handled.done.wait(PATIENCE_S)
    during = our_threads()

    assert dispatcher.stop() == []
    assert during > before
    assert our_threads() == before


def test_stopping_twice_is_fine() -> None:
    dispatcher = Dispatcher()
    dispatcher.start()

    assert [dispatcher.stop(), dispatcher.stop()] == [[], []]


def test_stopping_what_was_never_started_is_fine() -> None:
    assert Dispatcher().stop() == []


def test_a_stopped_dispatcher_cannot_be_started_again() -> None:
    dispatcher = Dispatcher()
    dispatcher.start()
    dispatcher.stop()

    with pytest.raises(WrongState, match="make a new one"):
        dispatcher.start()


def test_stop_names_the_threads_that_are_stuck() -> None:
    dispatcher, stuck = Dispatcher(), Stuck()
    dispatcher.start()
    Symbol(dispatcher, stuck).offer()
    stuck.entered.wait(PATIENCE_S)
    left = dispatcher.stop(timeout_s=0.01)
    stuck.release.set()

    assert stuck.thread is not None
    assert left == [stuck.thread.name]
    stuck.thread.join(PATIENCE_S)


def test_many_stuck_handlers_do_not_make_stop_wait_longer_than_one() -> None:
    dispatcher, all_stuck = Dispatcher(), [Stuck() for _ in range(10)]
    dispatcher.start()
    for stuck in all_stuck:
        Symbol(dispatcher, stuck).offer()
    for stuck in all_stuck:
        stuck.entered.wait(PATIENCE_S)
    before = time.monotonic()
    left = dispatcher.stop(timeout_s=0.2)
    took_s = time.monotonic() - before
    for stuck in all_stuck:
        stuck.release.set()

    assert len(left) == 10
    assert took_s < 1.0
    for stuck in all_stuck:
        assert stuck.thread is not None
        stuck.thread.join(PATIENCE_S)


def test_stop_may_come_from_a_handler() -> None:
    dispatcher, stopped = Dispatcher(), threading.Event()
    dispatcher.start()

    def stop(_: Snapshot) -> None:
        dispatcher.stop()
        stopped.set()

    Symbol(dispatcher, stop).offer()

    assert stopped.wait(PATIENCE_S)


def test_a_call_is_made_later(dispatcher: Dispatcher) -> None:
    made = threading.Event()
    dispatcher.call_later(0.001, made.set)

    assert made.wait(PATIENCE_S)


def test_the_same_seed_draws_the_same_numbers() -> None:
    draws = [Dispatcher(seed=7).random.random() for _ in range(2)]

    assert draws[0] == draws[1]


@pytest.mark.parametrize("options", [{"max_threads": 0}, {"throughput": 0}, {"workers": -1}])
def test_options_below_one_are_errors(options: dict[str, int]) -> None:
    with pytest.raises(InvalidOption, match=r"must be .*at least 1, not"):
        Dispatcher(**options)  # type: ignore[arg-type]
