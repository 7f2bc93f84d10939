from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Backoff, FullJitter
from ticklane.messages import InvalidOption

draws = st.floats(0, 1, exclude_max=True)


def test_a_wait_doubles_from_the_first_to_the_cap() -> None:
    backoff = Backoff()
    waits = [backoff.delay(now, 0.0) for now in range(11)]

    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_up_to_a_fifth_comes_on_top_at_random() -> None:
    assert Backoff(first_s=1.0).delay(0.0, 0.5) == 1.1


def test_the_random_part_does_not_grow_into_the_next_wait() -> None:
    backoff = Backoff(first_s=1.0)
    backoff.delay(0.0, 0.99)

    assert backoff.delay(1.0, 0.0) == 2.0


def test_a_failure_after_a_quiet_time_begins_again() -> None:
    backoff = Backoff(quiet_s=60.0)
    backoff.delay(0.0, 0.0)
    backoff.delay(60.0, 0.0)

    assert backoff.delay(120.5, 0.0) == 0.1


def test_a_failure_at_the_end_of_the_quiet_time_goes_on() -> None:
    backoff = Backoff(quiet_s=60.0)
    backoff.delay(0.0, 0.0)

    assert backoff.delay(60.0, 0.0) == 0.2


def test_a_first_wait_over_the_cap_is_capped() -> None:
    assert Backoff(first_s=5.0, cap_s=2.0).delay(0.0, 0.0) == 2.0


@pytest.mark.parametrize(
    "options", [{"first_s": 0}, {"cap_s": -1}, {"jitter": -0.1}, {"quiet_s": float("nan")}]
)
def test_options_of_a_backoff_that_make_no_sense_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        Backoff(**options)


@given(st.lists(st.tuples(st.integers(0, 100), draws), max_size=40))
def test_a_wait_is_what_the_failures_since_the_last_quiet_time_make_it(
    failures: list[tuple[int, float]],
) -> None:
    backoff, in_a_row, now = Backoff(), 0, 0
    for pause, draw in failures:
        now += pause
        in_a_row = 1 if pause > 60 else in_a_row + 1
        least = min(30.0, 0.1 * 2 ** (in_a_row - 1))

        assert backoff.delay(now, draw) == pytest.approx(least * (1 + 0.2 * draw))


def test_the_bound_of_full_jitter_doubles_from_the_base_to_the_cap() -> None:
    jitter = FullJitter()

    assert [jitter.delay(0.5) for _ in range(8)] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_full_jitter_begins_again_after_a_success() -> None:
    jitter = FullJitter(base_s=0.5)
    for _ in range(5):
        jitter.delay(0.1)
    jitter.reset()

    assert jitter.delay(0.5) == 0.25


def test_full_jitter_goes_on_for_ever() -> None:
    jitter = FullJitter(base_s=0.5, cap_s=30.0)
    for _ in range(5_000):
        jitter.delay(0.9)

    assert jitter.delay(0.5) == 15.0


@pytest.mark.parametrize("options", [{"base_s": 0}, {"base_s": "1"}, {"cap_s": float("inf")}])
def test_options_of_full_jitter_that_make_no_sense_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        FullJitter(**options)


@given(
    base=st.floats(0.01, 100),
    cap=st.floats(0.01, 1000),
    steps=st.lists(st.one_of(draws, st.just("reset")), max_size=60),
)
def test_full_jitter_agrees_with_its_formula(base: float, cap: float, steps: list[Any]) -> None:
    jitter, attempt = FullJitter(base_s=base, cap_s=cap), 0
    for step in steps:
        if step == "reset":
            jitter.reset()
            attempt = 0
            continue

        assert jitter.delay(step) == pytest.approx(step * min(cap, base * 2**attempt))
        attempt += 1
