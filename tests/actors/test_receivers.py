"""Sending to one receiver: again, later, and at no cost to others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from ticklane.actors import Receiver, ReceiverActor, Sink, sink_of
from ticklane.messages import Alert, AlertNotice, AlertNotTaken, AnomalyAlert, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from loguru import Message

    from ticklane.runtime import Dispatcher, Dispatching
    from ticklane.tests.actors.conftest import WebServer
    from ticklane.tests.conftest import Stage, Stepped

PRIVATE = "hunter2"


def notice(number: int) -> AlertNotice:
    anomaly = AnomalyAlert(kind=f"K{number}", severity=Severity.WARN, message="look")
    alert = Alert(anomaly=anomaly, starts_unix_s=0.0)
    return AlertNotice(kind=anomaly.kind, exchange="", alerts=(alert,), at_unix_s=0.0)


class Down:
    """A receiver that takes nothing before it is told to."""

    name = "down"
    resend_s: float | None = None

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.attempts = 0
        self.got: list[str] = []

    def send(self, notice: AlertNotice) -> None:
        self.attempts += 1
        if self.error is not None:
            raise self.error
        self.got.append(notice.kind)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def serve(sink: Sink, dispatcher: Dispatching) -> Receiver:
    receiver = Receiver(sink, dispatcher)
    ReceiverActor.start(key="receiver 1", receiver=receiver, dispatcher=dispatcher)
    return receiver


def test_notices_are_sent_in_their_order(stage: Stage) -> None:
    sink = Down()
    receiver = serve(sink, stage.dispatcher)
    for number in range(5):
        receiver.put(notice(number))
    stage.until(lambda: len(sink.got) == 5)

    assert sink.got == ["K0", "K1", "K2", "K3", "K4"]
    receiver.inbox.stop(drain=True)


def test_what_failed_is_sent_when_the_receiver_is_back(stepped: Stepped) -> None:
    sink = Down(AlertNotTaken("HTTP 500"))
    receiver = serve(sink, stepped)
    for number in range(3):
        receiver.put(notice(number))
    stepped.advance(100.0)
    failed, sink.error = receiver.failed, None
    stepped.advance(100.0)

    assert failed == sink.attempts - 3 > 3
    assert sink.got == ["K0", "K1", "K2"]
    assert receiver.metrics().waiting == 0


def test_a_receiver_that_fails_is_tried_ever_more_rarely(stepped: Stepped) -> None:
    sink = Down(ValueError())
    receiver = serve(sink, stepped)
    receiver.put(notice(0))
    stepped.advance(3600.0)

    assert 50 <= sink.attempts <= 70


def test_what_a_receiver_will_never_take_is_counted_and_left(stepped: Stepped) -> None:
    sink = Down(AlertNotTaken("HTTP 404", retry=False))
    receiver = serve(sink, stepped)
    receiver.put(notice(0))
    receiver.put(notice(1))
    stepped.advance(1.0)
    metrics = receiver.metrics()

    assert (metrics.refused, metrics.failed, metrics.waiting) == (2, 0, 0)
    assert metrics.last_error == "HTTP 404"


def test_at_a_thousand_the_oldest_gives_way_and_that_is_logged_once_a_minute(
    stepped: Stepped, logged: list[Message]
) -> None:
    sink = Down(AlertNotTaken("HTTP 500"))
    receiver = serve(sink, stepped)
    for number in range(1500):
        receiver.put(notice(number))
    stepped.advance(300.0)
    sink.error = None
    stepped.advance(100.0)

    assert receiver.metrics().dropped == 1500 - len(sink.got) > 0
    assert sink.got[-1] == "K1499"
    assert 4 <= len(logged) <= 6
    assert logged[0].record["message"].startswith("down does not take alerts (HTTP 500): 1 ")


@pytest.mark.parametrize("error", [ValueError(PRIVATE), KeyboardInterrupt(PRIVATE)])
def test_what_a_sink_raises_is_named_but_not_quoted(
    stepped: Stepped, logged: list[Message], error: BaseException
) -> None:
    receiver = serve(Down(error), stepped)
    receiver.put(notice(0))
    stepped.advance(10.0)

    assert receiver.metrics().last_error == type(error).__name__
    assert len(logged) == 1
    assert PRIVATE not in logged[0]


def test_no_secret_of_a_url_is_ever_logged_or_told(
    dispatcher: Dispatcher, server: WebServer, logged: list[Message]
) -> None:
    server.status = 500
    urls = [
        f"{server.url}/{PRIVATE}",
        f"webhook+{server.url}/?token={PRIVATE}",
        f"{server.url.replace('//', f'//name:{PRIVATE}@')}",
        f"http://127.0.0.1:1/{PRIVATE}",
        f"http://127.0.0.1:1/a b/{PRIVATE}",
        f"alertmanager+http://name:{PRIVATE}@127.0.0.1:1",
        f"http://no-such-host.invalid/{PRIVATE}",
    ]
    receivers = [serve(sink_of(url), dispatcher) for url in urls]
    for receiver in receivers:
        receiver.put(notice(0))
        receiver.put(notice(1))
    until(lambda: len(logged) == len(urls))
    shown = "".join(logged) + repr([receiver.metrics() for receiver in receivers])
    for receiver in receivers:
        receiver.inbox.stop(drain=True)

    assert PRIVATE not in shown
    assert "127.0.0.1:1/…" in shown


def test_stopping_sends_what_waits(dispatcher: Dispatcher) -> None:
    sink = Down()
    receiver = Receiver(sink, dispatcher)
    for number in range(100):
        receiver.put(notice(number))
    ref = ReceiverActor.start(key="receiver 1", receiver=receiver, dispatcher=dispatcher)
    ref.stop()

    assert len(sink.got) == 100


def test_stopping_does_not_wait_for_a_receiver_that_fails(stepped: Stepped) -> None:
    sink = Down(ValueError())
    receiver = serve(sink, stepped)
    receiver.put(notice(0))
    stepped.run()
    receiver.inbox.stop(drain=True)
    stepped.run()

    assert sink.attempts == 1
    assert receiver.inbox.actor is None


def test_the_next_actor_goes_on_with_what_waits(stepped: Stepped) -> None:
    sink = Down()
    receiver = Receiver(sink, stepped)
    receiver.outbox.put(notice(0))
    ReceiverActor.start(key="receiver 1", receiver=receiver, dispatcher=stepped)
    stepped.run()

    assert sink.got == ["K0"]


def test_another_message_is_a_dead_letter(stepped: Stepped) -> None:
    receiver = serve(Down(), stepped)
    receiver.inbox.tell("hello")
    stepped.run()

    assert stepped.dead_letters.counts() == {"unhandled": 1}
