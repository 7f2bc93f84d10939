"""Whether something comes and goes too often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Flapping
from ticklane.messages import InvalidOption


def test_five_changes_in_ten_minutes_are_no_flapping() -> None:
    flapping = Flapping()

    assert not any(flapping.change(float(second)) for second in range(5))


def test_six_are() -> None:
    flapping = Flapping()

    assert [flapping.change(float(second)) for second in range(6)] == [False] * 5 + [True]


def test_it_is_over_when_half_of_them_are_forgotten() -> None:
    flapping = Flapping()
    for second in range(6):
        flapping.change(100.0 * second)

    assert [flapping.calm(now_s) for now_s in (600.0, 899.0, 900.0)] == [False, False, True]


def test_nothing_is_forgotten_before_its_time() -> None:
    flapping = Flapping()
    flapping.change(0.0)

    assert [flapping.forgotten(now_s) for now_s in (599.0, 600.0)] == [False, True]


@given(st.lists(st.floats(0.0, 400.0), max_size=40), st.integers(1, 6))
def test_it_begins_by_the_count_in_the_window(steps: list[float], changes: int) -> None:
    flapping, times, now_s = Flapping(changes), list[float](), 0.0
    for step in steps:
        now_s += step
        times.append(now_s)
        recent = [time for time in times if time > now_s - 600.0]
        was = flapping.on

        assert flapping.change(now_s) is (was or len(recent) > changes)


@pytest.mark.parametrize("options", [{"changes": 0}, {"within_s": 0.0}])
def test_numbers_that_mean_nothing_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InvalidOption):
        Flapping(**options)
