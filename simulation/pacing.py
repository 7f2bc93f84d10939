"""Telling when what is timed is due, by the event loop's clock."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

__all__ = ["is_unpaced", "paced"]

T = TypeVar("T")

_BATCH = 64
"""At most so many at once: who falls behind must go on serving its clients while catching up."""

_SHORTEST_SLEEP_S = 0.001
"""Shorter gaps are not worth waking up for: what falls into one goes out together."""


def is_unpaced(speed: float) -> bool:
    """Return whether `speed` means as fast as possible: 0 and infinity do."""
    return speed == 0 or math.isinf(speed)


async def paced(timed: Iterable[tuple[float, T]], speed: float) -> AsyncIterator[list[T]]:
    """Yield in batches what is due, `speed` times as fast as it is timed.

    `timed` is in order of time, in seconds from now. Nothing is left out for being late.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    batch: list[T] = []
    for at_s, item in timed:
        wait_s = 0.0 if is_unpaced(speed) else started + at_s / speed - loop.time()
        if batch and (wait_s > 0 or len(batch) == _BATCH):
            yield batch
            batch = []
            await asyncio.sleep(0)
        if wait_s > 0:
            await asyncio.sleep(max(wait_s, _SHORTEST_SLEEP_S))
        batch.append(item)
    if batch:
        yield batch
