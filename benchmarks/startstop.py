"""How long it takes until ten thousand symbols handle, and until they are gone."""

from threading import Event
from time import perf_counter

from effort import Effort
from figures import Tree
from load import Tally, await_all, bench_keys, snapshots

from ticklane import MarketData

__all__ = ["measure"]

SYMBOLS = 10_000


def measure(effort: Effort) -> Tree:
    """Return seconds from nothing to each symbol having handled a snapshot, and to stop them."""
    symbols = effort.count(SYMBOLS)
    keys, books = bench_keys(symbols), snapshots(symbols, symbols)
    done = Event()
    handle = Tally(done.set, expected=symbols).handle
    start = perf_counter()
    market = MarketData(symbols=keys)
    for key in keys:
        market.subscribe(key, handle)
    made = perf_counter()
    market.start()
    for snapshot in books:
        market.offer(snapshot)
    await_all(done)
    started = perf_counter()
    market.stop()
    stopped = perf_counter()
    return {
        "startstop": {
            "start_s": started - start,
            "of_which_make_s": made - start,
            "stop_s": stopped - started,
        }
    }
