"""The hop in the older design: a queue and a consuming task for every symbol, in one event loop.

The producer runs in the same loop and puts a block at a time, which is kind to this design: put one
by one, as by a socket's callback, every snapshot would wake its consumer.
"""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic_ns, perf_counter

from hop_work import Work, settle
from load import PATIENCE_S, Tally

from ticklane import Snapshot
from ticklane.analysis import LagHistogram

__all__ = ["run"]

MAX_SIZE = 1000
WAIT_S = 1.0

Queue = asyncio.Queue[tuple[int, Snapshot]]


def run(work: Work) -> float:
    """Put from a task of the same loop."""
    return asyncio.run(_run(work))


async def _run(work: Work) -> float:
    done = asyncio.Event()
    tally = Tally(done.set)
    queues = {symbol: Queue(MAX_SIZE) for symbol in work.symbols}
    handle = tally.handle
    consumers = [asyncio.create_task(_consume(queue, handle)) for queue in queues.values()]
    await _put(queues, work.blocks(work.warm), tally, done)
    settle()
    start = perf_counter()
    await _put(queues, work.blocks(work.timed), tally, done)
    seconds = perf_counter() - start
    for consumer in consumers:
        consumer.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    return seconds


async def _put(
    queues: dict[str, Queue], blocks: Iterator[list[Snapshot]], tally: Tally, done: asyncio.Event
) -> None:
    for block in blocks:
        done.clear()
        tally.expect(len(block))
        for snapshot in block:
            queues[snapshot.symbol].put_nowait((monotonic_ns(), snapshot))
        await asyncio.wait_for(done.wait(), PATIENCE_S)


async def _consume(queue: Queue, handle: Callable[[Snapshot], object]) -> None:
    lags = LagHistogram()
    while True:
        try:
            enqueued_ns, snapshot = await asyncio.wait_for(queue.get(), WAIT_S)
        except TimeoutError:
            continue
        lags.record(monotonic_ns() - enqueued_ns)
        handle(snapshot)
