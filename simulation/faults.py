"""Everything that can go wrong, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .exchange_faults import (
    Burst,
    Disconnect,
    HalfOpen,
    RateLimit,
    RejectSubscription,
    Shutdown,
    Stall,
)
from .host_faults import (
    ClockDrift,
    ClockJump,
    HandlerCrash,
    PoisonMessage,
    SlowDisk,
    SlowHandler,
)
from .stream_faults import CorruptFrame, Duplicate, Gap, Reorder

__all__ = ["FAULTS"]

FAULTS: Mapping[str, type[Any]] = MappingProxyType(
    {
        fault.__name__: fault
        for fault in (
            Disconnect,
            HalfOpen,
            Stall,
            Burst,
            SlowHandler,
            HandlerCrash,
            PoisonMessage,
            CorruptFrame,
            Duplicate,
            Reorder,
            Gap,
            ClockJump,
            ClockDrift,
            RejectSubscription,
            RateLimit,
            Shutdown,
            SlowDisk,
        )
    }
)
"""By name: what a plan may hold."""
