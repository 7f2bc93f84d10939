from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Spikes

CALM, SPIKE = 5.0, 500.0


def learnt() -> Spikes:
    spikes = Spikes()
    assert not any(told(spikes, [CALM] * 60))
    return spikes


def told(spikes: Spikes, lags_ms: list[float]) -> list[bool]:
    return [spikes.update(lag_ms, 1.0, learns=False) for lag_ms in lags_ms]


def every(seconds: int, times: int) -> list[float]:
    return [SPIKE, *[CALM] * (seconds - 1)] * times


def test_the_fourth_spike_in_half_a_minute_recurs() -> None:
    assert told(learnt(), every(5, 4)).index(True) == 15


def test_three_are_allowed() -> None:
    assert not any(told(learnt(), every(5, 3)))


def test_spikes_ten_seconds_apart_are_allowed() -> None:
    assert not any(told(learnt(), every(10, 20)))


def test_it_is_over_when_half_a_minute_holds_fewer() -> None:
    found = told(learnt(), every(5, 4) + [CALM] * 30)

    assert (found.index(True), found[29], found[30]) == (15, True, False)


def test_a_spike_over_two_seconds_counts_twice() -> None:
    huge = [2001.0, *[CALM] * 4] * 2

    assert told(learnt(), huge).index(True) == 5


def test_neighbouring_ticks_are_one_spike() -> None:
    assert not any(told(learnt(), [SPIKE] * 30))


def test_up_to_twenty_milliseconds_nothing_is_a_spike() -> None:
    assert not any(told(learnt(), [20.0, CALM] * 20))


def test_nothing_is_said_in_the_first_minute() -> None:
    assert not any(told(Spikes(), every(5, 11)))


def test_what_is_usual_at_worst_is_no_spike() -> None:
    spikes = Spikes()
    for lag_ms in [CALM] * 60 + [CALM, 300.0, CALM, CALM] * 200:
        spikes.update(lag_ms, 1.0, learns=True)

    assert spikes.threshold_ms > 300.0


def test_the_threshold_comes_down_again() -> None:
    spikes = Spikes()
    for lag_ms in [1000.0] * 60 + [CALM] * 2000:
        spikes.update(lag_ms, 1.0, learns=True)

    assert spikes.threshold_ms == 20.0


@given(lag_ms=st.floats(0.0, 1e6), ticks=st.integers(1, 300))
def test_a_lag_that_stays_as_it_is_never_recurs(lag_ms: float, ticks: int) -> None:
    spikes = Spikes()

    assert not any(spikes.update(lag_ms, 1.0, learns=True) for _ in range(ticks))
