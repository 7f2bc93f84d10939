"""When a handler is trusted to be quick."""

import pytest

from ticklane.analysis import Pace


def relapse_when_trusted_again(pace: Pace, times: int) -> int:
    """Let the handler be slow each time it is trusted again; return its last probation."""
    handled = 0
    for _ in range(times):
        handled += 1
        pace.relapse(handled)
        since = handled
        while not pace.steady(handled):
            handled += 1
    return handled - since


def test_a_new_handler_is_trusted() -> None:
    assert Pace().steady(0)


@pytest.mark.parametrize(("handled", "trusted"), [(10, False), (73, False), (74, True)])
def test_one_slow_message_costs_64_quick_ones(handled: int, trusted: bool) -> None:
    pace = Pace()
    pace.relapse(10)

    assert pace.steady(handled) is trusted


@pytest.mark.parametrize(("times", "probation"), [(1, 64), (2, 128), (5, 1024)])
def test_each_relapse_doubles_the_probation(times: int, probation: int) -> None:
    assert relapse_when_trusted_again(Pace(), times) == probation


def test_the_probation_has_a_longest() -> None:
    assert relapse_when_trusted_again(Pace(), 14) == 65_536


def test_a_slow_message_on_probation_begins_it_again_and_does_not_double_it() -> None:
    pace = Pace()
    pace.relapse(1)
    pace.relapse(50)

    assert (pace.steady(50 + 63), pace.steady(50 + 64)) == (False, True)
