"""How much memory an idle symbol takes, each time in a fresh process.

`rss` is what the process grew by, `traced` what Python allocated in it; tracing takes memory of its
own, so each has a process.
"""

import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from threading import Event
from typing import Any

from effort import Effort
from figures import Tree
from load import Tally, await_all, bench_keys, snapshots

from ticklane import MarketData

__all__ = ["measure"]

SYMBOLS = 10_000
INTERVAL_S = 0.2
STATM = Path("/proc/self/statm")


def measure(effort: Effort) -> Tree:
    """Return bytes per symbol: subscribed and never offered anything, and after one snapshot.

    All have been measured at least once by the metrics actor. Where the system does not tell the
    process's size, what Python allocated stands for it.
    """
    symbols = effort.count(SYMBOLS)
    traced = _in_a_process(symbols, "traced")
    rss = _in_a_process(symbols, "rss") if STATM.exists() else traced
    return {"idle_bytes_per_symbol": rss["idle"], "idle_bytes": {"rss": rss, "traced": traced}}


def _in_a_process(symbols: int, how: str) -> Any:
    command = [sys.executable, __file__, str(symbols), how]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - this file
    return json.loads(done.stdout)


def _bytes_per_symbol(symbols: int, how: str) -> Tree:
    if how == "traced":
        tracemalloc.start()
    _grow(1, how)  # whatever is made once for all
    before = _used(how)
    idle, handled = _grow(symbols, how)
    return {"idle": (idle - before) / symbols, "one_handled": (handled - before) / symbols}


def _grow(symbols: int, how: str) -> tuple[int, int]:
    """Return what is used with so many idle symbols, and after one snapshot of each."""
    done = Event()
    handle = Tally(done.set, expected=symbols).handle
    keys = bench_keys(symbols)
    market = MarketData(symbols=keys, interval_s=INTERVAL_S)
    for key in keys:
        market.subscribe(key, handle)
    with market:
        _await_tick(market)
        idle = _used(how)
        for snapshot in snapshots(symbols, symbols):
            market.offer(snapshot)
        await_all(done)
        _await_tick(market)
        return idle, _used(how)


def _await_tick(market: MarketData) -> None:
    before = market.metrics().ticks
    while market.metrics().ticks is before:
        time.sleep(INTERVAL_S / 2)


def _used(how: str) -> int:
    gc.collect()
    if how == "traced":
        return tracemalloc.get_traced_memory()[0]
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(_bytes_per_symbol(int(sys.argv[1]), sys.argv[2])))
