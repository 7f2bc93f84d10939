"""The actor that calls the host back."""

from collections.abc import Callable

from ticklane.actors import CallbackActor
from ticklane.messages import AnomalyAlert, Severity
from ticklane.runtime import Dispatcher, Inbox

Callback = Callable[[AnomalyAlert], object]


def alert(key: str) -> AnomalyAlert:
    return AnomalyAlert(kind="QUARANTINED", severity=Severity.ERROR, message="look", key=key)


def tell(
    dispatcher: Dispatcher, callbacks: list[Callback], *messages: object
) -> tuple[Inbox, Inbox]:
    """Tell an actor the messages; return its inbox and its supervisor's when it has ended."""
    inbox, supervisor = Inbox(dispatcher), Inbox(dispatcher)
    for message in messages:
        inbox.tell(message)
    ref = CallbackActor.start(
        callbacks=callbacks, dispatcher=dispatcher, inbox=inbox, supervisor=supervisor
    )
    inbox.stop(drain=True)
    assert ref.actor_stopped.wait(10.0)
    return inbox, supervisor


def fail(_: AnomalyAlert) -> None:
    raise ValueError


def test_every_callback_gets_every_anomaly_in_order(dispatcher: Dispatcher) -> None:
    first: list[AnomalyAlert] = []
    second: list[AnomalyAlert] = []
    alerts = [alert(str(number)) for number in range(5)]
    tell(dispatcher, [first.append, second.append], *alerts)

    assert first == second == alerts


def test_a_callback_added_while_it_runs_gets_what_comes_next(dispatcher: Dispatcher) -> None:
    late: list[AnomalyAlert] = []
    callbacks: list[Callback] = []
    callbacks.append(lambda _: callbacks.append(late.append) if len(callbacks) == 1 else None)
    tell(dispatcher, callbacks, alert("1"), alert("2"))

    assert late == [alert("2")]


def test_a_callback_that_raises_keeps_no_anomaly_from_the_others(dispatcher: Dispatcher) -> None:
    told: list[AnomalyAlert] = []
    tell(dispatcher, [fail, told.append], alert("1"))

    assert told == [alert("1")]


def test_another_message_is_a_dead_letter(dispatcher: Dispatcher) -> None:
    tell(dispatcher, [], "hello")

    assert dispatcher.dead_letters.counts() == {"unhandled": 1}
