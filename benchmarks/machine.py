"""What the figures were measured on."""

import os
import platform
import time

__all__ = ["machine"]

SLEEPS = 1_000
SLEEP_S = 0.001


def machine() -> dict[str, str | int | float]:
    """Return cores, Python and operating system, and how calm it is: how late a sleep ends.

    No lag can be expected to stay under what an idle process sees.
    """
    return {
        "cores": os.cpu_count() or 1,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "sleep_late_p99_ms": sorted(_lateness_ms() for _ in range(SLEEPS))[SLEEPS * 99 // 100],
    }


def _lateness_ms() -> float:
    start = time.perf_counter()
    time.sleep(SLEEP_S)
    return (time.perf_counter() - start - SLEEP_S) * 1e3
