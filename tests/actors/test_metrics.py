"""The actor that has everything measured once an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ticklane.actors import MetricsActor, Sampler
from ticklane.actors.metrics import BEHIND
from ticklane.runtime import Actor, Dispatching, Inbox, Mailbox

if TYPE_CHECKING:
    import pykka

    from ticklane.tests.conftest import Stage, Stepped

INTERVAL_S = 0.002


class Listener(Actor):
    """An actor that notes what it is told."""

    def __init__(self, stage: Stage, inbox: Inbox) -> None:
        super().__init__(dispatcher=stage.dispatcher, inbox=inbox)
        self._note = stage.note

    def on_receive(self, message: Any) -> None:
        self._note(message)


def listen(stage: Stage) -> Inbox:
    inbox = Inbox(stage.dispatcher)
    Listener.start(stage, inbox)
    return inbox


@attrs.frozen
class Measured:
    """A metrics actor on its own."""

    dispatcher: Dispatching
    mailboxes: dict[str, Mailbox] = attrs.field(factory=dict)

    def start(self, *listeners: Inbox, inbox: Inbox | None = None) -> pykka.ActorRef[MetricsActor]:
        return MetricsActor.start(
            sampler=Sampler(self.mailboxes, (), self.dispatcher),
            listeners=listeners,
            interval_s=INTERVAL_S,
            dispatcher=self.dispatcher,
            inbox=inbox or Inbox(self.dispatcher),
        )


def test_a_sample_is_told_every_interval(stage: Stage) -> None:
    mailbox = Mailbox("upbit:KRW-BTC", stage.dispatcher)
    ref = Measured(stage.dispatcher, {mailbox.key: mailbox}).start(listen(stage))
    stage.until(lambda: len(stage.notes) >= 3)
    ref.stop()

    assert all(each.ticks.keys() == {"upbit:KRW-BTC"} for each in stage.notes)
    assert all(each.ticks["upbit:KRW-BTC"].interval_s > 0 for each in stage.notes)


def test_a_listener_that_is_far_behind_is_skipped_and_the_others_are_not(stage: Stage) -> None:
    stuck = Inbox(stage.dispatcher)
    ref = Measured(stage.dispatcher).start(stuck, listen(stage))
    stage.until(lambda: len(stage.notes) >= 2 * BEHIND)
    ref.stop()

    assert stuck.backlog == BEHIND


# Step by step only: on threads nobody could say how many intervals there were.
def test_a_restarted_actor_measures_once_an_interval_all_the_same(stepped: Stepped) -> None:
    told, own, measured = Inbox(stepped), Inbox(stepped), Measured(stepped)
    measured.start(told, inbox=own).stop()
    measured.start(told, inbox=own)
    stepped.advance(3.5 * INTERVAL_S)

    assert told.backlog == 3


def test_another_message_is_a_dead_letter(stage: Stage) -> None:
    ref = Measured(stage.dispatcher).start()
    ref.tell("hello")
    ref.stop()

    assert stage.dispatcher.dead_letters.counts() == {"unhandled": 1}
