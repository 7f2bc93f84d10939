from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import StandingQueue

WARM_UP = 60


def learnt(usual_ms: float = 5.0) -> StandingQueue:
    """Return one whose warm-up is over."""
    queue = StandingQueue()
    assert not any(told(queue, [usual_ms] * WARM_UP))
    return queue


def told(queue: StandingQueue, lags_ms: list[float], interval_s: float = 1.0) -> list[bool]:
    found = []
    for lag_ms in lags_ms:
        found.append(queue.update(lag_ms, interval_s, learns=not (found and found[-1])))
    return found


def test_five_late_seconds_stand() -> None:
    assert told(learnt(), [50.0] * 6) == [False] * 4 + [True] * 2


def test_nothing_is_said_in_the_first_minute() -> None:
    queue = StandingQueue()

    assert not any(told(queue, [5.0] * 30 + [500.0] * 20))


def test_four_times_the_usual_is_not_late() -> None:
    queue = learnt()

    assert not any(told(queue, [queue.threshold_ms] * 20))


def test_up_to_two_milliseconds_nothing_is_late() -> None:
    assert not any(told(learnt(0.01), [2.0] * 20))


def test_a_tick_without_delay_between_begins_the_count_again() -> None:
    assert not any(told(learnt(), ([50.0] * 4 + [5.0]) * 2))


def test_a_lag_that_falls_is_given_twelve_seconds() -> None:
    falling = [1000.0 * 0.9**n for n in range(14)]

    assert told(learnt(), falling).index(True) == 11


def test_a_lag_that_grows_is_not() -> None:
    growing = [100.0 * 1.1**n for n in range(14)]

    assert told(learnt(), growing).index(True) == 4


def test_who_came_back_before_is_given_three_seconds_more_than_that() -> None:
    queue = learnt()
    told(queue, [60.0] * 4 + [5.0])

    assert told(queue, [50.0] * 9).index(True) == 6


def test_unless_it_is_later_than_it_was_then() -> None:
    queue = learnt()
    told(queue, [60.0] * 4 + [5.0])

    assert told(queue, [70.0] * 9).index(True) == 4


def test_the_threshold_follows_the_usual_lag() -> None:
    queue = learnt(5.0)
    told(queue, [10.0] * 300)

    assert 38 < queue.threshold_ms < 42


def test_what_comes_first_need_not_be_usual() -> None:
    queue = StandingQueue()
    told(queue, [3000.0, 800.0] + [5.0] * 60)

    assert 18 < queue.threshold_ms < 22


def test_nothing_is_learnt_when_told_so() -> None:
    queue = learnt()
    before = queue.threshold_ms
    for _ in range(50):
        queue.update(8.0, 1.0, learns=False)

    assert queue.threshold_ms == before


@given(
    lags_ms=st.lists(st.sampled_from([1.0, 2.0, 5.0, 30.0, 100.0]), min_size=100, max_size=200),
    power=st.integers(0, 8),
)
def test_a_mailbox_twice_as_late_throughout_is_judged_the_same(
    lags_ms: list[float], power: int
) -> None:
    scale = 2.0**power
    # From two milliseconds up, since below the floor no lag counts.
    found = told(StandingQueue(), [2 * lag_ms for lag_ms in lags_ms])

    assert told(StandingQueue(), [2 * scale * lag_ms for lag_ms in lags_ms]) == found


@given(lag_ms=st.floats(0.0, 1e6), ticks=st.integers(1, 300))
def test_a_lag_that_stays_as_it_is_never_stands(lag_ms: float, ticks: int) -> None:
    assert not any(told(StandingQueue(), [lag_ms] * ticks))
