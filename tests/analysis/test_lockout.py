"""For how long nobody may connect after a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Lockout


def test_nobody_is_kept_away_without_a_refusal() -> None:
    assert Lockout().wait_s(5.0) == 0.0


@pytest.mark.parametrize(("ban", "away_s"), [(False, 10.0), (True, 60.0)])
def test_without_a_word_a_rate_limit_is_ten_seconds_and_a_ban_a_minute(
    ban: bool, away_s: float
) -> None:
    lockout = Lockout()
    lockout.refused(100.0, ban=ban, retry_after_s=None)

    assert [lockout.wait_s(100.0 + s) for s in (0.0, away_s - 1, away_s)] == [away_s, 1.0, 0.0]


@pytest.mark.parametrize("ban", [False, True])
def test_what_the_exchange_asks_for_is_obeyed(ban: bool) -> None:
    lockout = Lockout()
    lockout.refused(100.0, ban=ban, retry_after_s=3.0)

    assert lockout.wait_s(100.0) == 3.0


def test_no_exchange_keeps_us_away_for_ever() -> None:
    lockout = Lockout()
    lockout.refused(0.0, ban=True, retry_after_s=1e12)

    assert lockout.wait_s(0.0) == 3 * 24 * 3600.0


def test_further_bans_last_longer_up_to_an_hour_until_a_connection_is_made() -> None:
    lockout = Lockout()
    now_s, waits = 0.0, []
    for _ in range(8):
        lockout.refused(now_s, ban=True, retry_after_s=None)
        waits.append(lockout.wait_s(now_s))
        now_s += waits[-1]
    lockout.admitted()
    lockout.refused(now_s, ban=True, retry_after_s=None)

    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]
    assert lockout.wait_s(now_s) == 60.0


def test_many_refused_at_once_are_one_ban() -> None:
    lockout = Lockout()
    for _ in range(300):
        lockout.refused(100.0, ban=True, retry_after_s=None)

    assert lockout.wait_s(100.0) == 60.0


@given(st.lists(st.tuples(st.floats(0, 50), st.booleans(), st.none() | st.floats(0, 1e4))))
def test_a_later_word_never_shortens_a_ban(told: list[tuple[float, bool, float | None]]) -> None:
    lockout = Lockout()
    now_s, until_s = 0.0, 0.0
    for passed_s, ban, retry_after_s in told:
        now_s += passed_s
        lockout.refused(now_s, ban=ban, retry_after_s=retry_after_s)
        assert now_s + lockout.wait_s(now_s) >= until_s - 1e-6
        until_s = max(until_s, now_s + lockout.wait_s(now_s))
