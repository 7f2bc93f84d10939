"""A reader that runs handlers itself, and is relieved when one gets stuck."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import Snapshot
from ticklane.runtime import Dispatcher, Mailbox, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ticklane.runtime import Inbox

PATIENCE_S = 5.0


def reading_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("ticklane-read-")]


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "KRW-BTC", (), (), sequence=number)


class Settling(Dispatcher):
    """A dispatcher whose actors may make their first run at once, on the test's own thread.

    An actor that was only just started is claimed, and nobody would run it here.
    """

    settling = False

    def submit(self, inbox: Inbox) -> None:
        if self.settling:
            inbox.run(1)
        else:
            super().submit(inbox)


class Wire:
    """Frames for mailboxes, and the reader that offers them."""

    def __init__(self, dispatcher: Settling) -> None:
        self.dispatcher = dispatcher
        self.frames: SimpleQueue[tuple[Mailbox, Snapshot] | None] = SimpleQueue()
        self.reader = dispatcher.read("wire", self.read)

    def read(self) -> bool:
        frame = self.frames.get()
        if frame is None:
            return False
        mailbox, snapshot = frame
        mailbox.offer_here(snapshot, self.reader)
        return True

    def symbol(self, handler: Callable[[Snapshot], object]) -> Mailbox:
        mailbox = Mailbox("upbit:KRW-BTC", self.dispatcher)
        audience = Audience()
        audience.join(mailbox.key, handler, None)
        self.dispatcher.settling = True
        SymbolActor.start(mailbox=mailbox, audience=audience, dispatcher=self.dispatcher)
        self.dispatcher.settling = False
        return mailbox

    def bring(self, mailbox: Mailbox, *numbers: int) -> None:
        for number in numbers:
            self.frames.put((mailbox, book(number)))


@pytest.fixture
def settling() -> Iterator[Settling]:
    """Yield a running dispatcher on real threads."""
    running = Settling()
    running.start()
    yield running
    assert running.stop() == []


@pytest.fixture
def wire(settling: Settling) -> Iterator[Wire]:
    """Yield a wire whose reader has begun; it has ended when the test is over."""
    wire = Wire(settling)
    wire.reader.start()
    yield wire
    wire.frames.put(None)
    assert wire.reader.ended.wait(PATIENCE_S)


class Handler:
    """Notes what it handles and on which thread; may be made to wait."""

    def __init__(self, stuck_at: int | None = None) -> None:
        self.seen: list[int | None] = []
        self.handled: SimpleQueue[int | None] = SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.stuck_at = stuck_at
        self.stuck = threading.Event()
        self.release = threading.Event()

    def __call__(self, snapshot: Snapshot) -> None:
        self.threads.append(threading.current_thread())
        if snapshot.sequence == self.stuck_at:
            self.stuck.set()
            self.release.wait(PATIENCE_S)
        self.seen.append(snapshot.sequence)
        self.handled.put(snapshot.sequence)

    def wait_for(self, number: int) -> None:
        while self.handled.get(timeout=PATIENCE_S) != number:
            pass


def test_what_it_reads_is_handled_on_its_own_thread(wire: Wire) -> None:
    handler = Handler()
    wire.bring(wire.symbol(handler), 1)
    handler.wait_for(1)

    assert handler.threads[0].name == "ticklane-read-wire-1"


def test_it_ends_when_there_is_nothing_more_to_read(dispatcher: Dispatcher) -> None:
    reader = dispatcher.read("short", lambda: False)
    before = reader.ended.is_set()
    reader.start()

    assert reader.ended.wait(PATIENCE_S)
    assert not before


def test_an_ended_reader_has_no_thread(dispatcher: Dispatcher) -> None:
    reader = dispatcher.read("short", lambda: False)
    reader.start()
    reader.ended.wait(PATIENCE_S)
    for thread in reading_threads():
        thread.join(PATIENCE_S)

    assert reading_threads() == []


def test_frames_flow_on_while_a_handler_is_stuck(wire: Wire) -> None:
    stuck, other = Handler(stuck_at=1), Handler()
    stuck_box, other_box = wire.symbol(stuck), wire.symbol(other)
    wire.bring(stuck_box, 1)
    stuck.stuck.wait(PATIENCE_S)
    wire.bring(other_box, *range(1, 101))
    other.wait_for(100)

    assert (stuck.seen, other.seen) == ([], list(range(1, 101)))
    stuck.release.set()


def test_who_takes_over_is_another_thread(wire: Wire) -> None:
    stuck, other = Handler(stuck_at=1), Handler()
    stuck_box, other_box = wire.symbol(stuck), wire.symbol(other)
    wire.bring(stuck_box, 1)
    wire.bring(other_box, 1)
    other.wait_for(1)
    stuck.release.set()

    assert other.threads[0] is not stuck.threads[0]
    assert other.threads[0].name == "ticklane-read-wire-2"


def test_the_thread_that_was_relieved_ends_with_its_handler(wire: Wire) -> None:
    stuck, other = Handler(stuck_at=1), Handler()
    stuck_box, other_box = wire.symbol(stuck), wire.symbol(other)
    wire.bring(stuck_box, 1)
    wire.bring(other_box, 1)
    other.wait_for(1)
    during = stuck.threads[0].is_alive()
    stuck.release.set()
    stuck.threads[0].join(PATIENCE_S)

    assert (during, stuck.threads[0].is_alive()) == (True, False)
    assert not wire.reader.ended.is_set()


def test_the_stuck_symbols_order_is_kept(wire: Wire) -> None:
    stuck, other = Handler(stuck_at=2), Handler()
    stuck_box, other_box = wire.symbol(stuck), wire.symbol(other)
    wire.bring(stuck_box, 1, 2, 3, 4, 5)
    wire.bring(other_box, 1)
    other.wait_for(1)
    stuck.release.set()
    wire.bring(stuck_box, 6)
    stuck.wait_for(6)

    assert stuck.seen == [1, 2, 3, 4, 5, 6]


def test_several_stuck_handlers_are_relieved_one_after_the_other(wire: Wire) -> None:
    all_stuck = [Handler(stuck_at=1) for _ in range(4)]
    for mailbox in [wire.symbol(stuck) for stuck in all_stuck]:
        wire.bring(mailbox, 1)
    other = Handler()
    wire.bring(wire.symbol(other), 1)
    other.wait_for(1)

    assert len({stuck.threads[0] for stuck in all_stuck}) == 4
    for stuck in all_stuck:
        stuck.release.set()


def test_a_handler_that_raises_does_not_end_the_reader(wire: Wire) -> None:
    other = Handler()
    broken, other_box = wire.symbol(lambda _: 1 / 0), wire.symbol(other)
    wire.bring(broken, 1)
    wire.bring(other_box, 1)
    other.wait_for(1)

    assert (broken.failed, other.threads[0].name) == (1, "ticklane-read-wire-1")


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_handler_that_raises_a_base_exception_does_not_end_the_reader(
    wire: Wire, error: BaseException
) -> None:
    def fail(_: Snapshot) -> None:
        raise error

    other = Handler()
    broken, other_box = wire.symbol(fail), wire.symbol(other)
    wire.bring(broken, 1)
    wire.bring(other_box, 1)
    other.wait_for(1)

    assert broken.failed == 1


def test_with_too_many_stuck_threads_it_hands_messages_over(settling: Settling) -> None:
    wire = Wire(settling)
    stuck, other = Handler(stuck_at=1), Handler()
    stuck_box, other_box = wire.symbol(stuck), wire.symbol(other)
    wire.reader = Reader("wire", wire.read, max_threads=1)
    wire.reader.start()
    wire.bring(stuck_box, 1)
    stuck.stuck.wait(PATIENCE_S)
    # The dispatcher does not know this reader, so the test watches in its place.
    wire.reader.relieve_stuck(settling.clock.now_ns() + 1)
    wire.bring(other_box, 1)
    other.wait_for(1)
    stuck.release.set()
    wire.frames.put(None)

    assert wire.reader.ended.wait(PATIENCE_S)
    assert other.threads[0].name == "ticklane-quick-1"


def test_a_reader_that_is_not_stuck_is_not_relieved(wire: Wire) -> None:
    handler = Handler()
    wire.bring(wire.symbol(handler), 1)
    handler.wait_for(1)
    wire.reader.relieve_stuck(wire.dispatcher.clock.now_ns() + 10**9)

    assert len(reading_threads()) == 1
