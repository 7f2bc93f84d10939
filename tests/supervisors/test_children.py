"""What a supervisor knows of one child."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from ticklane.messages import InvalidOption
from ticklane.runtime import Inbox
from ticklane.supervisors import ChildSpec, RestartPolicy
from ticklane.supervisors.children import Child

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stepped


def test_by_default_three_restarts_in_five_seconds_are_allowed() -> None:
    window = RestartPolicy().window()

    assert [window.allow(now_s) for now_s in (0, 1, 2, 3)] == [True, True, True, False]


def test_by_default_the_wait_doubles_from_a_tenth_of_a_second_to_thirty() -> None:
    backoff = RestartPolicy().backoff()
    waits = [backoff.delay(now_s, 0.0) for now_s in range(10)]

    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0])


def test_by_default_the_wait_starts_again_after_a_quiet_minute() -> None:
    backoff = RestartPolicy().backoff()
    waits = [backoff.delay(now_s, 0.0) for now_s in (0, 60, 121)]

    assert waits == [0.1, 0.2, 0.1]


def test_a_policy_is_what_its_children_go_by() -> None:
    policy = RestartPolicy(
        max_restarts=1, within_s=9, backoff_first_s=2, backoff_cap_s=3, quiet_s=5
    )
    window, backoff = policy.window(), policy.backoff()

    assert [window.allow(0), window.allow(9)] == [True, False]
    assert [backoff.delay(now_s, 0.0) for now_s in (0, 1, 7)] == [2, 3, 2]


def test_every_child_has_a_window_of_its_own() -> None:
    policy = RestartPolicy(max_restarts=0)

    assert policy.window() is not policy.window()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_restarts": -1}, "max_restarts must be a whole number, at least 0, not -1"),
        ({"max_restarts": 1.5}, "max_restarts must be a whole number, at least 0, not 1.5"),
        ({"within_s": 0}, "within_s must be a number above 0, not 0"),
        ({"backoff_first_s": -1.0}, "backoff_first_s must be a number above 0, not -1.0"),
        ({"backoff_cap_s": math.inf}, "backoff_cap_s must be a number above 0, not inf"),
        ({"quiet_s": math.nan}, "quiet_s must be a number above 0, not nan"),
    ],
)
def test_a_policy_that_cannot_be_is_an_error_when_it_is_made(
    options: dict[str, float], said: str
) -> None:
    with pytest.raises(InvalidOption) as caught:
        RestartPolicy(**options)  # type: ignore[arg-type]

    assert str(caught.value) == said


def test_a_childs_address_is_that_of_its_spec(stepped: Stepped) -> None:
    spec, policy = ChildSpec("key", Inbox(stepped), print), RestartPolicy()

    assert Child(spec, policy.window(), policy.backoff()).inbox is spec.inbox
