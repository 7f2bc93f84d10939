"""What may be done about an anomaly, and how often."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import REMEDIES, RemedyPlan
from ticklane.messages import AnomalyAlert, AnomalyState, InvalidOption, Severity

ALL = frozenset(REMEDIES.values())
STALL = AnomalyAlert(
    kind="QUEUE_STALL", severity=Severity.ERROR, message="it stands still", key="upbit:A"
)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("QUEUE_STALL", "restart_symbol"),
        ("QUEUE_STANDING", "shed_symbol"),
        ("FEED_SILENT", "reconnect_feed"),
        ("QUEUE_SPIKES", None),
    ],
)
def test_each_kind_has_its_remedy(kind: str, name: str | None) -> None:
    assert RemedyPlan(ALL).choose(attrs.evolve(STALL, kind=kind), 0.0) == name


def test_what_is_not_allowed_is_not_chosen() -> None:
    assert RemedyPlan(frozenset({"shed_symbol"})).choose(STALL, 0.0) is None


@pytest.mark.parametrize("state", [AnomalyState.CHANGED, AnomalyState.CLEARED])
def test_only_a_raise_is_answered(state: AnomalyState) -> None:
    assert RemedyPlan(ALL).choose(attrs.evolve(STALL, state=state), 0.0) is None


def test_the_fourth_for_a_key_in_ten_minutes_is_limited() -> None:
    plan = RemedyPlan(ALL)
    chosen = [plan.choose(STALL, now_s) for now_s in (0.0, 1.0, 2.0, 599.0, 600.0)]

    assert chosen == ["restart_symbol"] * 3 + [None, "restart_symbol"]
    assert plan.counts == {("restart_symbol", "limited"): 1}


def test_outcomes_are_counted_by_name() -> None:
    plan = RemedyPlan(ALL)
    plan.note("shed_symbol", taken=True)
    plan.note("shed_symbol", taken=False)

    assert plan.counts == {("shed_symbol", "taken"): 1, ("shed_symbol", "impossible"): 1}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidOption, match="auto_recover must be a bool, or names among"):
        RemedyPlan(frozenset({"reboot"}))


@given(st.lists(st.tuples(st.integers(0, 14), st.floats(0.0, 120.0)), max_size=120))
def test_no_window_holds_more_than_its_budget(raises: list[tuple[int, float]]) -> None:
    plan, now_s = RemedyPlan(ALL), 0.0
    taken: list[tuple[float, str]] = []
    for number, pause_s in raises:
        now_s += pause_s
        alert = attrs.evolve(STALL, key=f"upbit:{number}")
        recent = [key for at, key in taken if at > now_s - 600.0]
        allowed = len(recent) < 30 and recent.count(f"upbit:{number}") < 3

        assert (plan.choose(alert, now_s) is not None) is allowed
        if allowed:
            taken.append((now_s, f"upbit:{number}"))
