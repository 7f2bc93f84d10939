"""The actor that has everything measured once an interval."""

import threading
from collections.abc import Callable
from typing import Any

import attrs
import pykka

from ticklane.actors import MetricsActor, Sampler
from ticklane.actors.metrics import BEHIND
from ticklane.messages import MetricsSample
from ticklane.runtime import Actor, Dispatcher, Inbox, Mailbox, Timer

INTERVAL_S = 0.002
TIMEOUT_S = 10.0


@attrs.define
class Diary:
    """What a listener was told; full when that is enough."""

    enough: int
    samples: list[MetricsSample] = attrs.field(factory=list)
    full: threading.Event = attrs.field(factory=threading.Event)

    def add(self, sample: MetricsSample) -> None:
        self.samples.append(sample)
        if len(self.samples) == self.enough:
            self.full.set()


class Listener(Actor):
    """An actor that writes down what it is told."""

    def __init__(self, diary: Diary, *, dispatcher: Dispatcher, inbox: Inbox) -> None:
        super().__init__(dispatcher=dispatcher, inbox=inbox)
        self._diary = diary

    def on_receive(self, message: Any) -> None:
        self._diary.add(message)


def listen(dispatcher: Dispatcher, *, enough: int) -> tuple[Inbox, Diary]:
    inbox, diary = Inbox(dispatcher), Diary(enough)
    Listener.start(diary, dispatcher=dispatcher, inbox=inbox)
    return inbox, diary


@attrs.frozen
class Measured:
    """A metrics actor on its own."""

    dispatcher: Dispatcher
    mailboxes: dict[str, Mailbox] = attrs.field(factory=dict)

    def start(self, *listeners: Inbox, inbox: Inbox | None = None) -> pykka.ActorRef[MetricsActor]:
        return MetricsActor.start(
            sampler=Sampler(self.mailboxes, (), self.dispatcher),
            listeners=listeners,
            interval_s=INTERVAL_S,
            dispatcher=self.dispatcher,
            inbox=inbox or Inbox(self.dispatcher),
        )


def test_a_sample_is_told_every_interval(dispatcher: Dispatcher) -> None:
    inbox, diary = listen(dispatcher, enough=3)
    mailbox = Mailbox("upbit:KRW-BTC", dispatcher)
    ref = Measured(dispatcher, {mailbox.key: mailbox}).start(inbox)
    assert diary.full.wait(TIMEOUT_S)
    ref.stop()

    assert all(each.ticks.keys() == {"upbit:KRW-BTC"} for each in diary.samples)
    assert all(each.ticks["upbit:KRW-BTC"].interval_s > 0 for each in diary.samples)


def test_a_listener_that_is_far_behind_is_skipped_and_the_others_are_not(
    dispatcher: Dispatcher,
) -> None:
    stuck = Inbox(dispatcher)
    inbox, diary = listen(dispatcher, enough=2 * BEHIND)
    ref = Measured(dispatcher).start(stuck, inbox)
    assert diary.full.wait(TIMEOUT_S)
    ref.stop()

    assert stuck.backlog == BEHIND


class Holding(Dispatcher):
    """Keeps the calls to be made later, for the test to make."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable[[], object]] = []

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        assert delay_s == INTERVAL_S
        self.calls.append(callback)
        return Timer(callback)


def test_a_restarted_actor_measures_once_an_interval_all_the_same() -> None:
    holding = Holding()
    holding.start()
    told, own, measured = Inbox(holding), Inbox(holding), Measured(holding)
    measured.start(told, inbox=own).stop()
    second = measured.start(told, inbox=own)
    second.ask("have you begun?", timeout=TIMEOUT_S)
    due = [*holding.calls]
    for call in due:
        call()
    second.stop()
    holding.stop()

    assert (len(due), told.backlog) == (2, 1)


def test_another_message_is_a_dead_letter(dispatcher: Dispatcher) -> None:
    ref = Measured(dispatcher).start()
    ref.tell("hello")
    ref.stop()

    assert dispatcher.dead_letters.counts() == {"unhandled": 1}
