"""What may be asked of a REST side: one budget for all, and nobody asks during a ban."""

from ticklane.actors import RestGate
from ticklane.exchanges import Budget
from ticklane.runtime import SystemClock
from ticklane.simulation import VirtualClock

ALLOWED = Budget(100, 60.0)


def test_a_share_of_the_budget_is_left_to_others() -> None:
    gate = RestGate(ALLOWED)

    assert gate.enter(80, 0.0) == 0.0
    assert gate.enter(1, 1.0) == 59.0


def test_who_may_not_enter_spends_nothing() -> None:
    gate = RestGate(ALLOWED)
    gate.enter(50, 0.0)
    gate.enter(50, 1.0)

    assert gate.enter(30, 2.0) == 0.0


def test_after_a_rate_limit_nobody_enters_before_the_time_named() -> None:
    gate = RestGate(ALLOWED)
    gate.refused(0.0, ban=False, retry_after_s=7.0)

    assert gate.enter(1, 1.0) == 6.0
    assert gate.enter(1, 7.0) == 0.0


def test_bans_without_a_time_get_longer_until_one_is_admitted() -> None:
    gate = RestGate(ALLOWED)
    gate.refused(0.0, ban=True, retry_after_s=None)
    first_s = gate.enter(1, 0.0)
    gate.refused(first_s, ban=True, retry_after_s=None)
    second_s = gate.enter(1, first_s)
    gate.admitted()
    gate.refused(1000.0, ban=True, retry_after_s=None)

    assert second_s == 2 * first_s
    assert gate.enter(1, 1000.0) == first_s


def test_all_on_the_real_clock_share_the_gate_of_an_address() -> None:
    one = RestGate.of(SystemClock(), "https://gate.invalid", ALLOWED)

    assert RestGate.of(SystemClock(), "https://gate.invalid", ALLOWED) is one
    assert RestGate.of(SystemClock(), "https://other.invalid", ALLOWED) is not one


def test_each_virtual_clock_has_gates_of_its_own() -> None:
    one, other = VirtualClock(), VirtualClock()
    gate = RestGate.of(one, "https://gate.invalid", ALLOWED)

    assert RestGate.of(one, "https://gate.invalid", ALLOWED) is gate
    assert RestGate.of(other, "https://gate.invalid", ALLOWED) is not gate
