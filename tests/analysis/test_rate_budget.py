from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import RateBudget, RateBudgets
from ticklane.messages import InvalidOption


def test_what_is_left_of_the_budget_is_free_now() -> None:
    budget = RateBudget(2, 1.0)
    budget.spend(10.0)

    assert budget.wait_s(10.0) == 0.0


def test_a_spent_budget_is_free_again_when_the_first_leaves_the_window() -> None:
    budget = RateBudget(2, 1.0)
    budget.spend(10.0)
    budget.spend(10.25)

    assert budget.wait_s(10.5) == 0.5


def test_asking_spends_nothing() -> None:
    budget = RateBudget(1, 1.0)
    budget.wait_s(0.0)

    assert budget.wait_s(0.0) == 0.0


def test_the_window_slides_instead_of_starting_anew() -> None:
    budget = RateBudget(2, 1.0)
    for now in (0.0, 0.75, 1.0):
        budget.spend(now)

    assert budget.wait_s(1.25) == 0.5


@pytest.mark.parametrize("options", [(0, 1.0), (1.5, 1.0), (1, 0), (1, -1.0)])
def test_options_that_make_no_sense_are_errors(options: tuple[Any, Any]) -> None:
    with pytest.raises(InvalidOption):
        RateBudget(*options)


@given(
    count=st.integers(1, 5),
    seconds=st.integers(1, 10),
    pauses=st.lists(st.integers(0, 6), max_size=60),
)
def test_no_window_ever_holds_more_than_the_budget(
    count: int, seconds: int, pauses: list[int]
) -> None:
    budget, now = RateBudget(count, seconds), 0
    spent: list[int] = []
    for pause in pauses:
        now += pause
        if budget.wait_s(now) == 0.0:
            budget.spend(now)
            spent.append(now)

    for start in spent:
        assert sum(start <= time < start + seconds for time in spent) <= count


@given(
    count=st.integers(1, 5),
    seconds=st.integers(1, 10),
    pauses=st.lists(st.integers(0, 6), max_size=60),
)
def test_the_wait_is_neither_longer_nor_shorter_than_a_list_of_all_spent_makes_it(
    count: int, seconds: int, pauses: list[int]
) -> None:
    budget, now = RateBudget(count, seconds), 0
    spent: list[int] = []
    for pause in pauses:
        now += pause
        wait = next(
            wait
            for wait in range(seconds + 1)
            if sum(time > now + wait - seconds for time in spent) < count
        )

        assert budget.wait_s(now) == wait

        now += wait
        budget.spend(now)
        spent.append(now)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_several_budgets_all_hold(passing_s: list[float]) -> None:
    budgets = RateBudgets([(3, 1.0), (10, 20.0)])
    now_s, spent = 0.0, []
    for passed_s in passing_s:
        now_s += passed_s
        if budgets.wait_s(now_s) <= 0:
            budgets.spend(now_s)
            spent.append(now_s)

    for count, seconds in ((3, 1.0), (10, 20.0)):
        for first, beyond in zip(spent, spent[count:], strict=False):
            assert beyond - first >= seconds - 1e-9


def test_of_several_budgets_the_longest_wait_counts() -> None:
    budgets = RateBudgets([(2, 1.0), (1, 60.0)])
    budgets.spend(0.0)

    assert budgets.wait_s(0.5) == 59.5


def test_no_budgets_are_no_wait() -> None:
    assert RateBudgets([]).wait_s(0.0) == 0.0
