"""What time it is, from one place, so that a simulation can say otherwise."""

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What time it is."""

    def now_ns(self) -> int:
        """Return monotonic nanoseconds: for lag, silence, time-outs."""

    def unix_s(self) -> float:
        """Return the wall clock's seconds since 1970: for people and logs, never for durations."""


class SystemClock:
    """The machine's own clocks."""

    now_ns = staticmethod(time.monotonic_ns)
    unix_s = staticmethod(time.time)
