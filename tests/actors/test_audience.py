"""Who listens to one symbol."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ticklane.actors import Audience, Subscription
from ticklane.messages import FeedEvent, FeedLost, Snapshot

KEY = "upbit:KRW-BTC"
BOOK = Snapshot("upbit", "KRW-BTC", ((100.0, 1.0),), ((101.0, 1.0),))
LOST = FeedLost(key=KEY, reason="the cable")


def note(calls: list[int], number: int) -> Callable[[Snapshot], None]:
    """Return a handler that adds its number."""
    return lambda _: calls.append(number)


def fail(_: Snapshot) -> None:
    raise ValueError("boom")


def exit_(_: Snapshot) -> None:
    raise SystemExit


def test_at_first_nobody_is_called() -> None:
    audience = Audience()
    audience.handle(BOOK)
    audience.handle_event(LOST)


def test_those_who_joined_are_called_in_their_order() -> None:
    audience, calls = Audience(), list[int]()
    for number in (1, 2, 3):
        audience.join(KEY, note(calls, number), None)
    audience.handle(BOOK)

    assert calls == [1, 2, 3]


def test_the_only_handler_is_called_itself() -> None:
    audience = Audience()
    audience.join(KEY, fail, None)

    assert audience.handle is fail


def test_only_those_who_asked_for_events_are_told_them() -> None:
    audience, events = Audience(), list[FeedEvent]()
    audience.join(KEY, fail, None)
    audience.join(KEY, fail, events.append)
    audience.handle_event(LOST)

    assert events == [LOST]


def test_a_subscription_says_what_was_asked_for() -> None:
    events: list[FeedEvent] = []
    subscription = Audience().join(KEY, fail, events.append)

    assert (subscription.key, subscription.handler) == (KEY, fail)
    assert subscription.on_event == events.append


def test_the_same_handler_may_listen_twice_and_leave_once() -> None:
    audience, calls = Audience(), list[int]()
    handler = note(calls, 1)
    first = audience.join(KEY, handler, None)
    audience.join(KEY, handler, None)
    first.cancel()
    audience.handle(BOOK)

    assert calls == [1]


def test_cancelling_twice_is_fine() -> None:
    audience, calls = Audience(), list[int]()
    first = audience.join(KEY, note(calls, 1), None)
    audience.join(KEY, note(calls, 2), None)
    first.cancel()
    first.cancel()
    audience.handle(BOOK)

    assert calls == [2]


def test_who_left_is_told_no_events_either() -> None:
    audience, events = Audience(), list[FeedEvent]()
    audience.join(KEY, fail, events.append).cancel()
    audience.handle_event(LOST)

    assert events == []


def test_one_that_raises_keeps_nothing_from_the_others() -> None:
    audience, calls = Audience(), list[int]()
    for handler in (note(calls, 1), fail, note(calls, 2)):
        audience.join(KEY, handler, None)

    with pytest.raises(ValueError, match="boom"):
        audience.handle(BOOK)
    assert calls == [1, 2]


def test_what_several_raise_is_raised_together() -> None:
    audience = Audience()
    for handler in (fail, exit_):
        audience.join(KEY, handler, None)

    with pytest.raises(BaseExceptionGroup) as caught:
        audience.handle(BOOK)
    assert [type(error) for error in caught.value.exceptions] == [ValueError, SystemExit]


def test_nobody_is_forgotten_when_many_join_and_leave_at_once() -> None:
    audience, calls = Audience(), list[int]()

    def come_and_go(number: int) -> Subscription:
        stay = audience.join(KEY, note(calls, number), None)
        audience.join(KEY, fail, None).cancel()
        return stay

    with ThreadPoolExecutor(8) as threads:
        stayed = list(threads.map(come_and_go, range(200)))
    audience.handle(BOOK)

    assert len(stayed) == 200
    assert sorted(calls) == list(range(200))
