import attrs
import pytest

from ticklane.analysis import SCENARIOS, limits_of
from ticklane.messages import InvalidOption

TABLE = {
    "loop_time_max_ms": (1500, 1500, 2000),
    "loop_time_mean_max_ms": (1200, 1200, 1300),
    "snapshot_none_max": (5, 50, 200),
    "error_log_max": (10, 50, 200),
    "warning_log_max": (10, 50, 200),
    "trades_opened_min": (1, 10, 50),
    "memory_increase_max_mb": (100, 200, 500),
}


@pytest.mark.parametrize("limit", TABLE)
def test_each_scenario_has_the_limit_of_the_table(limit: str) -> None:
    assert tuple(getattr(limits_of(name), limit) for name in ("S1", "S2", "S3")) == TABLE[limit]


def test_the_queue_thresholds_are_the_same_in_every_scenario() -> None:
    queue = {(each.ws_queue_lag_warn_max, each.ws_queue_depth_max) for each in SCENARIOS.values()}

    assert queue == {(10, 100)}


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(InvalidOption, match="scenario must be one of S1, S2, S3, not 'S9'"):
        limits_of("S9")


def test_limits_cannot_be_changed_by_accident() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        limits_of("S1").error_log_max = 1  # type: ignore[misc]


def test_the_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        SCENARIOS["S1"] = limits_of("S3")  # type: ignore[index]
