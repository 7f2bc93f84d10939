import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import SlidingMinimum
from ticklane.messages import InvalidOption


def test_the_first_value_is_the_least() -> None:
    assert SlidingMinimum(10.0).add(7.0, 0.0) == 7.0


def test_a_value_is_forgotten_when_the_window_has_passed() -> None:
    least = SlidingMinimum(10.0)
    least.add(1.0, 0.0)

    assert [least.add(5.0, now_s) for now_s in (9.9, 10.0)] == [1.0, 5.0]


def test_a_long_window_keeps_only_what_may_still_be_the_least() -> None:
    least = SlidingMinimum(1000.0)
    for now_s in range(100):
        least.add(100.0 - now_s, float(now_s))

    assert len(least._values) == 1


@pytest.mark.parametrize("bad", [0, -1.0, float("nan")])
def test_a_window_is_above_0(bad: float) -> None:
    with pytest.raises(InvalidOption, match="within_s must be a number above 0"):
        SlidingMinimum(bad)


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(-20, 20)), min_size=1),
    within_s=st.integers(1, 12),
)
def test_it_is_the_least_of_all_that_is_in_the_window(
    steps: list[tuple[int, int]], within_s: int
) -> None:
    least, now_s, seen = SlidingMinimum(within_s), 0, []
    for after_s, value in steps:
        now_s += after_s
        seen.append((now_s, value))

        assert least.add(value, now_s) == min(v for at, v in seen if at > now_s - within_s)
