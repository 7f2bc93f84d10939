"""How late snapshots are handled that another process sends over a socket."""

import time

from effort import Effort
from figures import Tree
from load import Lateness
from served import served, upbit_keys

from ticklane import MarketData

__all__ = ["measure"]

SYMBOLS = 200
PER_S = 10_000
SECONDS = 10.0
SETTLE_S = 2.0
DEPTH = 5
"""Levels on each side: with more, the sending process would not keep the pace on a slow core."""


def measure(effort: Effort) -> Tree:
    """Return the time from the bytes' leaving the socket to the handler, and the pace."""
    keys = upbit_keys(SYMBOLS)
    lateness = Lateness()
    with served(keys, per_s=PER_S, depth=DEPTH) as feed:
        market = MarketData([feed])
        for key in keys:
            market.subscribe(key, lateness.handler(key))
        with market:
            market.wait_for(keys[0], timeout=10.0)
            time.sleep(effort.seconds(SETTLE_S))
            before, start = lateness.so_far(), time.perf_counter()
            time.sleep(effort.seconds(SECONDS))
            lags, seconds = lateness.so_far().since(before), time.perf_counter() - start
    p50, p99, p999 = lags.quantiles(0.5, 0.99, 0.999)
    return {
        "lag": {
            "p50_us": p50 / 1e3,
            "p99_us": p99 / 1e3,
            "p999_us": p999 / 1e3,
            "per_s": lags.total / seconds,
        }
    }
