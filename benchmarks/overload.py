"""What an adaptive mailbox makes of three times what its handler can do."""

import time

from effort import Effort
from figures import Tree
from load import bench_keys, paced, snapshot_of

from ticklane import MarketData, Snapshot

__all__ = ["measure"]

TIMES = 3
SECONDS = 30.0
CALLS = 1000


def measure(effort: Effort) -> Tree:
    """Return the lag of what was handled, and how much that was of what could have been.

    What could have been is what the handler does when nothing else runs in the process, before and
    after: a machine is not always equally busy. `busy`, the share of the time that was spent in the
    handler, says the same without that comparison.
    """
    before_per_s = _service_rate(effort.count(CALLS))
    (key,) = bench_keys(1)
    market = MarketData(symbols=[key], adaptive=True)
    spent_s = [0.0]

    def handle(snapshot: Snapshot) -> None:
        began = time.perf_counter()
        _handle(snapshot)
        spent_s[0] += time.perf_counter() - began

    market.subscribe(key, handle)
    with market:
        start = time.perf_counter()
        for number in paced(TIMES * before_per_s, effort.seconds(SECONDS)):
            market.offer(snapshot_of(0, number))
        seconds = time.perf_counter() - start
        queue, busy_s = market.queue(key), spent_s[0]
    capacity_per_s = (before_per_s + _service_rate(effort.count(CALLS))) / 2
    return {
        "overload": {
            "lag_p50_ms": queue.lag_p50_ms,
            "lag_p99_ms": queue.lag_p99_ms,
            "lag_max_ms": queue.lag_max_ms,
            "throughput": queue.handled / seconds / capacity_per_s,
            "busy": busy_s / seconds,
            "capacity_per_s": capacity_per_s,
            "times": queue.offered / seconds / capacity_per_s,
        }
    }


def _service_rate(calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        _handle(None)
    return calls / (time.perf_counter() - start)


def _handle(_snapshot: Snapshot | None) -> None:
    # It waits, as for a disk or a network, so that the handler and the producer need no core each.
    time.sleep(0.001)
