"""What is timed comes when it is due, in batches."""

import asyncio
import math
from collections.abc import Iterable

import pytest

from ticklane.simulation.pacing import paced


def batches(timed: Iterable[tuple[float, int]], speed: float) -> list[tuple[float, list[int]]]:
    async def collected() -> list[tuple[float, list[int]]]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        return [(loop.time() - started, batch) async for batch in paced(timed, speed)]

    return asyncio.run(collected())


@pytest.mark.parametrize("speed", [0.0, math.inf])
def test_without_a_pace_all_comes_at_once_in_order(speed: float) -> None:
    timed = [(3600.0 * n, n) for n in range(200)]
    items = [item for _, batch in batches(timed, speed) for item in batch]

    assert items == list(range(200))


def test_batches_are_bounded() -> None:
    assert max(len(batch) for _, batch in batches([(0.0, 0)] * 1000, 1.0)) == 64


def test_nothing_comes_before_its_time_at_twice_the_speed() -> None:
    timed = [(0.0, 0), (0.02, 1), (0.04, 2)]

    for came_s, batch in batches(timed, 2.0):
        assert all(came_s >= item * 0.01 for item in batch)


def test_nothing_gives_nothing() -> None:
    assert batches([], 1.0) == []
