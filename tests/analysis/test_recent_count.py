import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import RecentCount
from ticklane.messages import InvalidOption


def test_what_a_counter_has_at_first_is_the_past() -> None:
    assert RecentCount(60.0).update(1000, 0.0) == 0


def test_what_came_since_is_recent_until_the_window_has_passed() -> None:
    count = RecentCount(60.0)

    assert [count.update(total, now_s) for total, now_s in [(3, 0), (5, 1), (5, 60), (5, 61)]] == [
        0,
        2,
        2,
        0,
    ]


@pytest.mark.parametrize("bad", [0, -1.0])
def test_a_window_is_above_0(bad: float) -> None:
    with pytest.raises(InvalidOption, match="within_s must be a number above 0"):
        RecentCount(bad)


@given(
    first=st.integers(0, 9),
    steps=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1),
    within_s=st.integers(1, 12),
)
def test_it_is_the_sum_of_what_came_in_the_window(
    first: int, steps: list[tuple[int, int]], within_s: int
) -> None:
    count, now_s, total, came = RecentCount(within_s), 0, first, []
    count.update(total, now_s)
    for after_s, more in steps:
        now_s, total = now_s + after_s, total + more
        came.append((now_s, more))

        assert count.update(total, now_s) == sum(n for at, n in came if at > now_s - within_s)
