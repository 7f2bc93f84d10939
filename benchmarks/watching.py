"""What it costs to watch every symbol every second, as a share of one core."""

import time

from effort import Effort
from figures import Tree
from load import bench_keys, snapshot_of

from ticklane import MarketData
from ticklane.simulation import World

__all__ = ["measure"]

SIZES = (1_000, 10_000)
EACH = 5
SECONDS = 5


def measure(effort: Effort) -> Tree:
    """Return the share of a core by number of symbols, all of which handle some every second."""
    return {"watching": {str(size): _share(effort.count(size)) for size in SIZES}}


def _share(symbols: int) -> float:
    world = World()
    with MarketData(symbols=bench_keys(symbols), dispatcher=world) as market:
        # The first second begins with everything that is made once.
        shares = [_second(world, market, symbols, second) for second in range(1 + SECONDS)]
    return sum(shares[1:]) / SECONDS


def _second(world: World, market: MarketData, symbols: int, second: int) -> float:
    """Return how many seconds of a core went into a second's sample and its judgement."""
    for number in range(EACH):
        for symbol in range(symbols):
            market.offer(snapshot_of(symbol, second * EACH + number))
    # All is handled in the first half, and the metrics actor ticks in the second.
    world.run_for(0.5)
    start = time.thread_time()
    world.run_for(0.5)
    return time.thread_time() - start
