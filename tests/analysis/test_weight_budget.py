"""A budget of weights: any window, against a list of what was spent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import WeightBudget
from ticklane.messages import InvalidOption


def test_what_fits_may_be_spent_at_once() -> None:
    budget = WeightBudget(100, 60.0)
    budget.spend(50, 0.0)

    assert budget.wait_s(50, 0.0) == 0.0


def test_what_does_not_fit_waits_for_enough_to_be_free_again() -> None:
    budget = WeightBudget(100, 60.0)
    for at_s in (0.0, 1.0, 2.0):
        budget.spend(30, at_s)

    assert budget.wait_s(10, 3.0) == 0.0
    assert budget.wait_s(40, 3.0) == 57.0
    assert budget.wait_s(41, 3.0) == 58.0
    assert budget.wait_s(100, 3.0) == 59.0


def test_what_was_spent_a_window_ago_is_free_again() -> None:
    budget = WeightBudget(100, 60.0)
    budget.spend(100, 0.0)

    assert budget.wait_s(100, 59.0) == 1.0
    assert budget.wait_s(100, 60.0) == 0.0


def test_more_than_may_ever_be_spent_is_refused() -> None:
    with pytest.raises(InvalidOption, match="weight must be at most 100, not 101"):
        WeightBudget(100, 60.0).wait_s(101, 0.0)


@pytest.mark.parametrize(("weight", "seconds"), [(0, 1.0), (1.5, 1.0), (1, 0.0), (1, -1.0)])
def test_a_budget_of_nothing_is_refused(weight: int, seconds: float) -> None:
    with pytest.raises(InvalidOption):
        WeightBudget(weight, seconds)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), max_size=60))
def test_no_window_ever_holds_more_and_nobody_waits_longer_than_needed(
    asked: list[tuple[int, int]],
) -> None:
    budget = WeightBudget(100, 60.0)
    spent: list[tuple[float, int]] = []
    now_s = 0.0

    def fits(weight: int, at_s: float) -> bool:
        return weight + sum(each for since_s, each in spent if since_s + 60.0 > at_s) <= 100

    for weight, pause_s in asked:
        now_s += pause_s
        wait_s = budget.wait_s(weight, now_s)
        assert fits(weight, now_s + wait_s)
        assert wait_s == 0.0 or not fits(weight, now_s + wait_s - 0.5)
        now_s += wait_s
        budget.spend(weight, now_s)
        spent.append((now_s, weight))
