"""Whose turn it is, and what outlives an actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pykka
import pytest
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from ticklane.runtime import Actor, Inbox
from ticklane.runtime.turn import Turn

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stepped


class Noting(Actor):
    """Notes what it receives; one word makes it fail."""

    def __init__(self, seen: list[Any], **options: Any) -> None:
        super().__init__(**options)
        self.seen = seen

    def on_start(self) -> None:
        self.seen.append("started")

    def on_receive(self, message: Any) -> Any:
        if message == "boom":
            raise ValueError(message)
        self.seen.append(message)
        return message


def start(stepped: Stepped, inbox: Inbox) -> list[Any]:
    seen: list[Any] = []
    Noting.start(seen, dispatcher=stepped, inbox=inbox)
    return seen


def test_messages_told_before_there_is_an_actor_wait_for_it(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.tell(1)
    waited = inbox.backlog
    seen = start(stepped, inbox)
    stepped.run()

    assert (waited, seen) == (1, ["started", 1])


def test_nothing_is_in_line_before_there_is_an_actor(stepped: Stepped) -> None:
    Inbox(stepped).tell(1)

    assert not stepped.line


def test_many_messages_put_it_in_line_once(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    start(stepped, inbox)
    for number in range(3):
        inbox.tell(number)

    assert list(stepped.line) == [inbox]


def test_a_message_to_an_idle_one_puts_it_in_line_again(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    seen = start(stepped, inbox)
    stepped.run()
    idle = list(stepped.line)
    inbox.tell(1)

    assert (idle, list(stepped.line), seen) == ([], [inbox], ["started"])


def test_it_goes_back_in_line_before_all_is_handled(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    seen = start(stepped, inbox)
    for number in range(50):
        inbox.tell(number)
    stepped.line.popleft().run(2)

    assert 0 < len(seen) - 1 < 50
    assert list(stepped.line) == [inbox]


def test_a_message_told_by_the_actor_itself_comes_after_those_that_wait(stepped: Stepped) -> None:
    inbox = Inbox(stepped)

    class Telling(Noting):
        def on_receive(self, message: Any) -> Any:
            if message == 1:
                inbox.tell(3)
            return super().on_receive(message)

    seen: list[Any] = []
    Telling.start(seen, dispatcher=stepped, inbox=inbox)
    inbox.tell(1)
    inbox.tell(2)
    stepped.run()

    assert seen == ["started", 1, 2, 3]


def test_it_says_whether_anything_waits(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    before = inbox.empty()
    inbox.tell(1)

    assert (before, inbox.empty()) == (True, False)


def test_what_waits_can_be_taken_as_pykka_does(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.put(Envelope("first"))
    inbox.put(Envelope("second"))

    assert inbox.get().message == "first"


def test_what_waits_at_a_death_is_for_the_next_actor(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    first = start(stepped, inbox)
    for message in (1, "boom", 2):
        inbox.tell(message)
    stepped.run()
    between = inbox.actor
    second = start(stepped, inbox)
    stepped.run()

    assert (first, between, second) == (["started", 1], None, ["started", 2])


def test_a_stop_told_to_one_actor_does_not_stop_the_next(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    start(stepped, inbox)
    inbox.tell("boom")
    inbox.stop(drain=False)
    stepped.run()
    start(stepped, inbox)
    stepped.run()

    assert inbox.actor is not None


def test_stopping_one_without_an_actor_does_nothing(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.stop(drain=False)

    assert inbox.empty()


def test_after_close_what_comes_is_a_dead_letter(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.close()
    inbox.tell(1)

    assert (stepped.dead_letters.counts(), inbox.backlog) == ({"stopped": 1}, 0)


def test_at_close_what_waits_is_a_dead_letter(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.tell(1)
    inbox.tell(2)
    inbox.close()

    assert (stepped.dead_letters.counts(), inbox.empty()) == ({"stopped": 2}, True)


def test_who_asked_a_closed_one_gets_an_error(stepped: Stepped) -> None:
    inbox, answer = Inbox(stepped), Noting._create_future()
    inbox.put(Envelope("hello", reply_to=answer))
    inbox.close()

    with pytest.raises(pykka.ActorDeadError):
        answer.get(timeout=0)


def test_who_asked_a_closed_one_to_stop_is_told_that_it_has(stepped: Stepped) -> None:
    inbox, answer = Inbox(stepped), Noting._create_future()
    inbox.close()
    inbox.put(Envelope(_ActorStop(), reply_to=answer))

    assert answer.get(timeout=0) is None
    assert stepped.dead_letters.counts() == {}


def test_closing_twice_counts_nothing_twice(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    inbox.tell(1)
    inbox.close()
    inbox.close()

    assert stepped.dead_letters.counts() == {"stopped": 1}


def test_how_long_a_message_takes_is_seen_from_outside(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    began: list[int] = []

    class Looking(Noting):
        def on_receive(self, message: Any) -> None:  # noqa: ARG002
            began.append(inbox.started_ns)
            stepped.time.ns += 5

    Looking.start([], dispatcher=stepped, inbox=inbox)
    at_first = inbox.started_ns
    now = stepped.time.ns
    inbox.tell(1)
    inbox.tell(2)
    stepped.run()

    assert (at_first, began, inbox.started_ns) == (0, [now, now + 5], 0)


def test_what_comes_just_before_it_is_given_back_is_handled(stepped: Stepped) -> None:
    inbox = Inbox(stepped)
    seen = start(stepped, inbox)
    stepped.run()
    turn = inbox._turn = Turn()
    take, taken = turn.take, []

    def take_after_another() -> None:
        taken.append(None)
        if len(taken) == 2:  # the first is for putting 1, the second for giving back
            inbox.tell(2)
        take()

    turn.take = take_after_another
    inbox.tell(1)
    stepped.run()

    assert seen == ["started", 1, 2]
