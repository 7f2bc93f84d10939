"""A thousand symbols whose handlers raise on every hundredth message: what gets lost?"""

import time
from threading import Event

from effort import Effort
from figures import Tree
from load import PATIENCE_S, Tally, await_all, bench_keys, snapshots

from ticklane import MarketData, RestartPolicy, Snapshot

__all__ = ["measure"]

SYMBOLS = 1_000
PER_SYMBOL = 200
RAISES_EACH = 100


class Handler:
    """Notes what it is called with, and raises on every hundredth."""

    def __init__(self) -> None:
        self.sequences: list[int | None] = []

    def __call__(self, snapshot: Snapshot) -> None:
        self.sequences.append(snapshot.sequence)
        if len(self.sequences) % RAISES_EACH == 0:
            raise RuntimeError("one of a hundred")


def measure(effort: Effort) -> Tree:
    """Return how many went wrong, which must be none, and how fast the rest was handled."""
    symbols = effort.count(SYMBOLS)
    keys, books = bench_keys(symbols), snapshots(symbols, symbols * PER_SYMBOL)
    handlers = {key: Handler() for key in keys}
    done = Event()
    policy = RestartPolicy(max_restarts=len(books), backoff_first_s=0.001, backoff_cap_s=0.001)
    market = MarketData(symbols=keys, capacity=PER_SYMBOL, restarts=policy)
    count = Tally(done.set, expected=len(books)).handle
    for key, handler in handlers.items():
        market.subscribe(key, handler)
        market.subscribe(key, count)
    with market:
        start = time.perf_counter()
        for snapshot in books:
            market.offer(snapshot)
        await_all(done)
        seconds = time.perf_counter() - start
        _await_restarts(market, symbols)
    return {
        "storm": {
            "wrong": _wrong(handlers, books) + _miscounted(market, keys),
            "seconds": seconds,
            "per_s": len(books) / seconds,
        }
    }


def _await_restarts(market: MarketData, symbols: int) -> None:
    """Wait for what follows the last failures; what has not come by then is counted as wrong."""
    due = symbols * (PER_SYMBOL // RAISES_EACH)
    deadline = time.monotonic() + PATIENCE_S
    while market.metrics().totals.restarts < due and time.monotonic() < deadline:
        time.sleep(0.01)


def _wrong(handlers: dict[str, Handler], books: list[Snapshot]) -> int:
    """How many symbols' handlers did not see all, in order, exactly once."""
    offered: dict[str, list[int | None]] = {key: [] for key in handlers}
    for book in books:
        offered[book.key].append(book.sequence)
    return sum(handler.sequences != offered[key] for key, handler in handlers.items())


def _miscounted(market: MarketData, keys: list[str]) -> int:
    """How many symbols' counts are not exact."""
    failed = PER_SYMBOL // RAISES_EACH
    expected = (PER_SYMBOL, PER_SYMBOL - failed, failed, failed, 0, 0)
    queues = [market.queue(key) for key in keys]
    counts = [(q.offered, q.handled, q.failed, q.restarts, q.shed, q.depth) for q in queues]
    return sum(each != expected for each in counts)
