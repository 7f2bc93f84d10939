"""What `offer` costs who calls it when the mailbox is full and its handler stuck."""

from threading import Event
from time import perf_counter_ns

from effort import Effort
from figures import Tree
from load import await_all, bench_keys, snapshot_of

from ticklane import MarketData
from ticklane.analysis import LagHistogram
from ticklane.runtime import OVERFLOW_POLICIES

__all__ = ["measure"]

OFFERS = 50_000
CAPACITY = 1000


def measure(effort: Effort) -> Tree:
    """Return the 99th percentile with the default policy; beside it, all policies."""
    by_policy = {policy: _run(policy, effort.count(OFFERS)) for policy in OVERFLOW_POLICIES}
    return {
        "offer_full_p99_us": by_policy["drop_oldest"]["p99_us"],
        "offer_full": by_policy,
    }


def _run(policy: str, offers: int) -> Tree:
    (key,) = bench_keys(1)
    stuck, free = Event(), Event()

    def handle(_snapshot: object) -> None:
        stuck.set()
        free.wait()

    market = MarketData(symbols=[key], capacity=CAPACITY, overflow=policy)
    market.subscribe(key, handle)
    with market:
        market.offer(snapshot_of(0, 0))
        await_all(stuck)
        for number in range(1, CAPACITY + 1):
            market.offer(snapshot_of(0, number))
        durations = _timed_offers(market, offers)
        free.set()
    p50, p99 = durations.quantiles(0.5, 0.99)
    return {"p50_us": p50 / 1e3, "p99_us": p99 / 1e3, "max_us": durations.greatest / 1e3}


def _timed_offers(market: MarketData, offers: int) -> LagHistogram:
    durations = LagHistogram()
    for number in range(CAPACITY + 1, CAPACITY + 1 + offers):
        snapshot = snapshot_of(0, number)
        start = perf_counter_ns()
        market.offer(snapshot)
        durations.record(perf_counter_ns() - start)
    return durations
