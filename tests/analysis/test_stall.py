import pytest

from ticklane.analysis import Stall
from ticklane.messages import QueueTick


def stuck(after_s: float, interval_s: float = 1.0) -> QueueTick:
    return QueueTick(0.0, 0.0, 5, 0, after_s * 1e3, interval_s)


def test_the_third_second_in_which_nothing_is_handled_is_a_stall() -> None:
    stall = Stall()

    assert [stall.update(stuck(after_s)) for after_s in range(1, 5)] == [False, False, True, True]


@pytest.mark.parametrize(("interval_s", "ticks"), [(0.1, 30), (0.999, 3), (2.0, 2), (5.0, 1)])
def test_it_takes_three_seconds_however_long_an_interval_is(interval_s: float, ticks: int) -> None:
    stall = Stall()
    found = [stall.update(stuck((n + 1) * interval_s, interval_s)) for n in range(ticks + 2)]

    assert 0 <= ticks - 1 - found.index(True) <= 5
    assert not any(found[: ticks // 2])


@pytest.mark.parametrize(
    "other",
    [
        QueueTick(1.0, 3000.0, 5, 1, 3000.0),
        QueueTick(1.0, 3000.0, 5, 0, 3000.0, failed=1),
        QueueTick(0.0, 0.0, 0, 0, 0.0),
        QueueTick(0.0, 0.0, 1, 0, 100.0),
    ],
    ids=["one handled", "one failed", "nothing waits", "it has just come"],
)
def test_any_sign_of_life_begins_the_count_again(other: QueueTick) -> None:
    stall = Stall()
    found = [stall.update(tick) for tick in (stuck(1), stuck(2), other, stuck(1), stuck(2))]

    assert found == [False] * 5
    assert stall.begun
