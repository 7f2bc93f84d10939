"""Doing something about anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from ticklane.actors import RemedyActor
from ticklane.analysis import REMEDIES, RemedyPlan
from ticklane.messages import AnomalyAlert, RemedyTaken, Severity
from ticklane.runtime import Inbox

if TYPE_CHECKING:
    from loguru import Message

    from ticklane.tests.conftest import Stepped

STALL = AnomalyAlert(
    kind="QUEUE_STALL", severity=Severity.ERROR, message="it stands still", key="upbit:A"
)


@attrs.frozen
class Doctor:
    """A remedy actor, whom it treats, and what it tells of that."""

    inbox: Inbox
    plan: RemedyPlan
    stepped: Stepped
    treated: list[str]
    told: list[RemedyTaken]

    def hears(self, *messages: object) -> None:
        for message in messages:
            self.inbox.tell(message)
        self.stepped.run()


@pytest.fixture
def doctor(stepped: Stepped) -> Doctor:
    """Return one that can restart anything but upbit:B."""
    doctor = Doctor(Inbox(stepped), RemedyPlan(frozenset(REMEDIES.values())), stepped, [], [])

    def restart(key: str) -> bool:
        doctor.treated.append(key)
        return key != "upbit:B"

    RemedyActor.start(
        plan=doctor.plan,
        remedies={"restart_symbol": restart},
        tell=doctor.told.append,
        dispatcher=stepped,
        inbox=doctor.inbox,
    )
    return doctor


def test_a_remedy_is_taken_counted_told_and_logged(doctor: Doctor, logged: list[Message]) -> None:
    doctor.hears(STALL)
    at_unix_s = doctor.stepped.clock.unix_s()

    assert doctor.treated == ["upbit:A"]
    assert doctor.plan.counts == {("restart_symbol", "taken"): 1}
    assert doctor.told == [
        RemedyTaken(
            name="restart_symbol", key="upbit:A", reason="it stands still", at_unix_s=at_unix_s
        )
    ]
    assert logged == ["WARNING restart_symbol of upbit:A: it stands still\n"]


def test_one_that_cannot_be_taken_is_counted_and_logged(
    doctor: Doctor, logged: list[Message]
) -> None:
    doctor.hears(attrs.evolve(STALL, key="upbit:B"))

    assert doctor.plan.counts == {("restart_symbol", "impossible"): 1}
    assert doctor.told == []
    assert logged == ["WARNING restart_symbol of upbit:B is impossible: it stands still\n"]


def test_no_more_are_taken_than_the_budget_allows(doctor: Doctor) -> None:
    doctor.hears(*[STALL] * 5)

    assert len(doctor.treated) == 3


def test_what_has_no_remedy_is_left_alone(doctor: Doctor) -> None:
    doctor.hears(attrs.evolve(STALL, kind="QUEUE_SPIKES"), attrs.evolve(STALL, key=None))

    assert doctor.treated == []


def test_another_message_is_a_dead_letter(doctor: Doctor) -> None:
    doctor.hears("hello")

    assert doctor.stepped.dead_letters.counts() == {"unhandled": 1}
