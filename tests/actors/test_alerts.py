"""From anomalies to what receivers are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from ticklane import MarketData
from ticklane.actors import AlertActor, Receiver
from ticklane.analysis import AlertRules, AlertSettings
from ticklane.messages import AlertNotice, AnomalyAlert, AnomalyState, Severity
from ticklane.runtime import Inbox

if TYPE_CHECKING:
    from ticklane.tests.actors.conftest import WebServer
    from ticklane.tests.conftest import Stepped

KEY = "upbit:KRW-BTC"
RAISED = AnomalyAlert(kind="QUEUE_STALL", severity=Severity.WARN, message="look", key=KEY)
CLEARED = attrs.evolve(RAISED, state=AnomalyState.CLEARED)


@attrs.frozen
class Silent:
    """A sink that is never asked, since nothing serves it."""

    name: str = "silent"
    resend_s: float | None = None

    def send(self, notice: AlertNotice) -> None:
        raise NotImplementedError(notice)


@attrs.frozen
class Rig:
    stepped: Stepped
    inbox: Inbox
    rules: AlertRules
    receivers: tuple[Receiver, Receiver]

    def start(self) -> None:
        AlertActor.start(
            rules=self.rules,
            receivers=self.receivers,
            dispatcher=self.stepped,
            inbox=self.inbox,
        )

    def waits(self, number: int = 0) -> list[str]:
        """Take what waits for a receiver, and return how it stands."""
        outbox, told = self.receivers[number].outbox, list[str]()
        while (notice := outbox.take()) is not None:
            told.append("resolved" if notice.resolved else "firing")
            outbox.settle()
        return told


@pytest.fixture
def rig(stepped: Stepped) -> Rig:
    plain, forgetful = Silent(), Silent(resend_s=60.0)
    receivers = (Receiver(plain, stepped), Receiver(forgetful, stepped))
    rig = Rig(stepped, Inbox(stepped), AlertRules(), receivers)
    rig.start()
    return rig


def test_every_receiver_is_told_that_it_fires_and_that_it_is_over(rig: Rig) -> None:
    rig.inbox.tell(RAISED)
    rig.stepped.advance(10.0)
    first = rig.waits(0), rig.waits(1)
    rig.inbox.tell(CLEARED)
    rig.stepped.advance(50.0)
    rig.waits(1)
    rig.stepped.advance(50.0)

    assert first == (["firing"], ["firing"])
    assert (rig.waits(0), rig.waits(1)[-1]) == (["resolved"], "resolved")


def test_who_forgets_is_reminded(rig: Rig) -> None:
    rig.inbox.tell(RAISED)
    rig.stepped.advance(10.0)
    rig.waits(1)
    reminders = 0
    for _ in range(5):
        rig.stepped.advance(60.0)
        reminders += len(rig.waits(1))

    assert reminders == 5
    assert rig.waits(0) == ["firing"]


def test_nobody_is_reminded_while_something_waits_for_him(rig: Rig) -> None:
    rig.inbox.tell(RAISED)
    rig.stepped.advance(300.0)

    assert rig.waits(1) == ["firing"]


def test_nobody_is_reminded_of_nothing(rig: Rig) -> None:
    rig.stepped.advance(300.0)

    assert rig.waits(1) == []


def test_the_next_actor_goes_on_where_the_last_one_was(rig: Rig) -> None:
    rig.inbox.tell(RAISED)
    rig.stepped.advance(2.0)
    rig.inbox.stop(drain=False)
    rig.stepped.run()
    rig.start()
    rig.stepped.advance(10.0)

    assert rig.waits(0) == ["firing"]


def test_another_message_is_a_dead_letter(rig: Rig) -> None:
    rig.inbox.tell("hello")
    rig.stepped.run()

    assert rig.stepped.dead_letters.counts() == {"unhandled": 1}


def test_market_data_tells_a_web_server_beside_one_that_is_dead(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticklane.actors.alerts.TICK_S", 0.01)
    urls = ["http://127.0.0.1:1/dead", server.url, f"alertmanager+{server.url}"]
    settings = AlertSettings(group_wait_s=0.0)
    with MarketData(symbols=[KEY], alerts=urls, alert_settings=settings) as market:
        market._house.watchers.tell(RAISED)
        assert all(server.came.acquire(timeout=10.0) for _ in range(2))

    assert {posted.path for posted in server.posts} == {"/", "/api/v2/alerts"}
    assert [receiver.sent for receiver in market.receivers()] == [0, 1, 1]
