from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import RestartWindow
from ticklane.messages import InvalidOption


def test_the_fourth_failure_in_five_seconds_is_too_many() -> None:
    window = RestartWindow()

    assert [window.allow(now) for now in (0.0, 1.0, 2.0, 3.0)] == [True, True, True, False]


def test_a_failure_at_the_edge_of_the_window_still_counts() -> None:
    window = RestartWindow(max_restarts=1, within_s=5.0)
    window.allow(0.0)

    assert not window.allow(5.0)


def test_a_failure_past_the_window_is_forgotten() -> None:
    window = RestartWindow(max_restarts=1, within_s=5.0)
    window.allow(0.0)

    assert window.allow(5.5)


def test_no_restarts_means_that_the_first_failure_is_too_many() -> None:
    assert not RestartWindow(max_restarts=0).allow(0.0)


@pytest.mark.parametrize("options", [{"max_restarts": -5}, {"max_restarts": "3"}, {"within_s": 0}])
def test_options_that_make_no_sense_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        RestartWindow(**options)


@given(
    max_restarts=st.integers(0, 4),
    within=st.integers(1, 8),
    pauses=st.lists(st.integers(0, 5), max_size=30),
)
def test_agrees_with_a_list_of_all_failures(
    max_restarts: int, within: int, pauses: list[int]
) -> None:
    window = RestartWindow(max_restarts, within)
    failures, now = [], 100
    for pause in pauses:
        now += pause
        failures.append(now)
        recent = [failure for failure in failures if now - failure <= within]

        assert window.allow(now) == (len(recent) <= max_restarts)
