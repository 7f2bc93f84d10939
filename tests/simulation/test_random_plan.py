"""Plans out of a seed."""

from __future__ import annotations

from typing import Any

import pytest

from ticklane.messages import InvalidOption
from ticklane.simulation import FAULTS, SymbolFault, random_plan

WHERE: dict[str, Any] = {"exchanges": ["upbit", "bybit"], "keys": ["upbit:KRW-BTC"]}


def test_the_same_seed_is_the_same_plan() -> None:
    plan = random_plan(7, seconds=3600.0, **WHERE)

    assert plan == random_plan(7, seconds=3600.0, **WHERE)
    assert plan != random_plan(8, seconds=3600.0, **WHERE)


def test_a_long_plan_holds_every_fault_in_order_of_time() -> None:
    plan = random_plan(1, seconds=100 * 3600.0, **WHERE)

    assert {type(fault).__name__ for fault in plan} == FAULTS.keys()
    assert [*plan] == sorted(plan, key=lambda fault: fault.at_s)
    assert 1000 < len(plan) < 1400
    assert plan[0].at_s >= 120.0
    assert plan[-1].at_s < 100 * 3600.0


def test_targets_are_those_given() -> None:
    plan = random_plan(1, seconds=100 * 3600.0, **WHERE)

    assert {fault.place for fault in plan} == {"", "upbit", "bybit", "upbit:KRW-BTC"}
    assert {fault.place for fault in plan if isinstance(fault, SymbolFault)} == {"upbit:KRW-BTC"}


def test_a_short_plan_leaves_its_first_third_alone() -> None:
    plan = random_plan(1, seconds=60.0, per_hour=6000.0, **WHERE)

    assert plan
    assert plan[0].at_s >= 20.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keys": []}, "keys must be at least one"),
        ({"exchanges": []}, "exchanges must be at least one"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"per_hour": -1.0}, "per_hour must be a number above 0"),
    ],
)
def test_what_is_not_allowed_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        random_plan(1, **{"seconds": 60.0, **WHERE, **given})
