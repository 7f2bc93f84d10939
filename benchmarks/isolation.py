"""How late a symbol is for its neighbours' handlers: 8 of 200 sleep a second on every message."""

import time

from effort import Effort
from figures import Tree
from load import Lateness, bench_keys, paced, snapshot_of
from served import served, upbit_keys

from ticklane import MarketData

__all__ = ["measure"]

SYMBOLS = 200
SLOW = 8
PER_S = 5_000
SECONDS = 10.0
DEPTH = 5


def measure(effort: Effort) -> Tree:
    """Return how late the others are, offered by a thread, and fed over a socket by a process.

    The time until a handler is known to be slow counts, too.
    """
    seconds = effort.seconds(SECONDS)
    offered, fed = _offered(seconds), _fed(seconds)
    return {"isolation_p99_ms": offered["p99_ms"], "isolation": {"offered": offered, "fed": fed}}


def _offered(seconds: float) -> Tree:
    keys = bench_keys(SYMBOLS)
    market = MarketData(symbols=keys)
    others = _subscribed(market, keys)
    market.start()
    start = time.perf_counter()
    for number in paced(PER_S, seconds):
        market.offer(snapshot_of(number % SYMBOLS, number))
    return _ended(market, others, start)


def _fed(seconds: float) -> Tree:
    keys = upbit_keys(SYMBOLS)
    with served(keys, per_s=PER_S, depth=DEPTH) as feed:
        market = MarketData([feed])
        others = _subscribed(market, keys)
        market.start()
        market.wait_for(keys[-1], timeout=10.0)
        start = time.perf_counter()
        time.sleep(seconds)
        return _ended(market, others, start)


def _subscribed(market: MarketData, keys: list[str]) -> Lateness:
    others = Lateness()
    for number, key in enumerate(keys):
        market.subscribe(key, _sleep if number < SLOW else others.handler(key))
    return others


def _ended(market: MarketData, others: Lateness, start: float) -> Tree:
    seconds = time.perf_counter() - start
    offered = market.metrics().totals.offered
    market.stop(drain=False)
    lags = others.so_far()
    p50, p99 = lags.quantiles(0.5, 0.99)
    return {
        "p50_ms": p50 / 1e6,
        "p99_ms": p99 / 1e6,
        "max_ms": lags.greatest / 1e6,
        "per_s": offered / seconds,
    }


def _sleep(_snapshot: object) -> None:
    time.sleep(1.0)
