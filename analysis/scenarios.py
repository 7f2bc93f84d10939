"""What a long run is held against: the limits of each scenario."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from ..messages import InvalidOption
from .checks import not_negative, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCENARIOS", "ScenarioLimits", "limits_of"]


@attrs.frozen(kw_only=True)
class ScenarioLimits:
    """The limits of one scenario.

    A value over a `..._max` is an anomaly, as is one under a `..._min`; a value equal to its limit
    is not. Those with a default are the same in every scenario.
    """

    loop_time_max_ms: float = attrs.field(validator=not_negative)
    loop_time_mean_max_ms: float = attrs.field(validator=not_negative)
    snapshot_none_max: int = attrs.field(validator=whole_number(0))
    error_log_max: int = attrs.field(validator=whole_number(0))
    warning_log_max: int = attrs.field(validator=whole_number(0))
    trades_opened_min: int = attrs.field(validator=whole_number(0))
    memory_increase_max_mb: float = attrs.field(validator=not_negative)
    guard_rejected_max: int = attrs.field(default=10, validator=whole_number(0))
    guard_stop_max: int = attrs.field(default=0, validator=whole_number(0))
    ws_latency_warn_max: int = attrs.field(default=10, validator=whole_number(0))
    ws_latency_error_max: int = attrs.field(default=0, validator=whole_number(0))
    ws_reconnect_max: int = attrs.field(default=10, validator=whole_number(0))
    ws_message_gap_max: int = attrs.field(default=5, validator=whole_number(0))
    ws_queue_lag_warn_max: int = attrs.field(default=10, validator=whole_number(0))
    ws_queue_depth_max: int = attrs.field(default=100, validator=whole_number(0))


SCENARIOS: Mapping[str, ScenarioLimits] = MappingProxyType(
    {
        "S1": ScenarioLimits(
            loop_time_max_ms=1500,
            loop_time_mean_max_ms=1200,
            snapshot_none_max=5,
            error_log_max=10,
            warning_log_max=10,
            trades_opened_min=1,
            memory_increase_max_mb=100,
        ),
        "S2": ScenarioLimits(
            loop_time_max_ms=1500,
            loop_time_mean_max_ms=1200,
            snapshot_none_max=50,
            error_log_max=50,
            warning_log_max=50,
            trades_opened_min=10,
            memory_increase_max_mb=200,
        ),
        "S3": ScenarioLimits(
            loop_time_max_ms=2000,
            loop_time_mean_max_ms=1300,
            snapshot_none_max=200,
            error_log_max=200,
            warning_log_max=200,
            trades_opened_min=50,
            memory_increase_max_mb=500,
        ),
    }
)
"""S1 lasts an hour, S2 six, S3 twelve."""


def limits_of(scenario: str) -> ScenarioLimits:
    """Return the limits of a scenario; raises InvalidOption for an unknown one."""
    if scenario not in SCENARIOS:
        raise InvalidOption("scenario", scenario, f"one of {', '.join(SCENARIOS)}")
    return SCENARIOS[scenario]
