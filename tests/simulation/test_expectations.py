"""Which faults must be noticed, and when one was not."""

from __future__ import annotations

import attrs

from ticklane.messages import AnomalyAlert, AnomalyState, Severity
from ticklane.simulation import Disconnect, Fault, HandlerCrash, SlowHandler, Stall
from ticklane.simulation.expectations import Expectations

KEY = "upbit:KRW-BTC"
STALL = Stall(100.0, "upbit", seconds=30.0)
SLOW = SlowHandler(100.0, KEY, cost_s=5.0, seconds=60.0)
LOST = AnomalyAlert(kind="FEED_LOST", severity=Severity.ERROR, message="", key="upbit#2")
STUCK = AnomalyAlert(kind="QUEUE_STALL", severity=Severity.ERROR, message="", key=KEY)
GIVEN_UP = AnomalyAlert(kind="QUARANTINED", severity=Severity.ERROR, message="", key=KEY)


def begun(*plan: Fault, rate: float = 2.0) -> Expectations:
    expectations = Expectations(plan)
    expectations.begun(plan[0], rate)
    return expectations


def over(alert: AnomalyAlert) -> AnomalyAlert:
    return attrs.evolve(alert, state=AnomalyState.CLEARED)


def failures(expectations: Expectations, at_s: float) -> list[str]:
    return [*expectations.failures(at_s)]


def test_a_fault_that_nobody_notices_is_told_once_its_time_is_over() -> None:
    expectations = begun(STALL)

    assert failures(expectations, 130.0) == []
    assert failures(expectations, 130.1) == [
        "Stall of upbit at 100 s raised no FEED_LOST or FEED_SILENT within 30 s"
    ]
    assert failures(expectations, 131.0) == []


def test_a_fault_that_is_noticed_and_over_in_time_is_fine() -> None:
    expectations = begun(STALL)
    expectations.told(LOST)
    expectations.told(over(LOST))

    assert failures(expectations, 1000.0) == []


def test_an_anomaly_that_is_open_already_counts() -> None:
    expectations = Expectations([STALL])
    expectations.told(LOST)
    expectations.begun(STALL, 2.0)
    expectations.told(over(LOST))

    assert failures(expectations, 1000.0) == []


def test_an_anomaly_that_does_not_clear_is_told() -> None:
    expectations = begun(STALL)
    expectations.told(LOST)

    assert failures(expectations, 190.0) == []
    assert failures(expectations, 190.1) == [
        "FEED_LOST of upbit#2 is open long after Stall of upbit at 100 s was over"
    ]


def test_the_anomaly_of_another_place_is_none_of_it() -> None:
    expectations = begun(SLOW)
    expectations.told(attrs.evolve(STUCK, key="upbit:KRW-ETH"))

    assert len(failures(expectations, 141.0)) == 1


def test_one_that_flaps_stands_for_it() -> None:
    expectations = begun(SLOW)
    expectations.told(attrs.evolve(STUCK, kind="FLAPPING"))

    assert failures(expectations, 1000.0) == []


def test_what_is_not_sure_to_be_noticed_is_not_demanded() -> None:
    assert failures(begun(SLOW, rate=0.1), 1000.0) == []
    assert failures(begun(Stall(100.0, "upbit", seconds=2.0)), 1000.0) == []


def test_a_symbol_need_not_be_late_while_its_exchange_is_away() -> None:
    assert failures(begun(SLOW, STALL), 1000.0) == []
    assert failures(begun(SLOW, Stall(100.0, "bybit", seconds=30.0)), 1000.0) != []
    assert failures(begun(SLOW, Stall(400.0, "upbit", seconds=30.0)), 1000.0) != []


def test_a_symbol_that_may_be_given_up_need_not_be_late() -> None:
    assert failures(begun(SLOW, HandlerCrash(1.0, KEY, seconds=3.0)), 1000.0) == []


def test_another_fault_of_the_place_prolongs_the_time_to_clear() -> None:
    expectations = begun(STALL, Disconnect(180.0, "upbit"))
    expectations.told(LOST)

    assert failures(expectations, 239.0) == []
    assert len(failures(expectations, 241.0)) == 1


def test_a_symbol_that_is_given_up_stays_late() -> None:
    expectations = begun(SLOW)
    expectations.told(STUCK)
    expectations.told(GIVEN_UP)

    assert failures(expectations, 1000.0) == []
