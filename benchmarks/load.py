"""What the benchmarks offer: snapshots, at a pace, and a handler that counts them."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event

from ticklane import Snapshot
from ticklane.analysis import LagHistogram

__all__ = [
    "PATIENCE_S",
    "Lateness",
    "Tally",
    "await_all",
    "bench_keys",
    "paced",
    "snapshot_of",
    "snapshots",
]

PATIENCE_S = 120.0
"""How long to wait for what must come before calling the benchmark broken."""

BIDS = tuple((100.0 - level, 1.5) for level in range(15))
ASKS = tuple((101.0 + level, 1.5) for level in range(15))


def bench_keys(symbols: int) -> list[str]:
    """Return so many keys."""
    return [f"bench:S{number}" for number in range(symbols)]


def snapshot_of(symbol: int, sequence: int) -> Snapshot:
    """Return a book of 15 levels, received now."""
    received_ns = time.monotonic_ns()
    return Snapshot("bench", f"S{symbol}", BIDS, ASKS, None, sequence, received_ns)


def snapshots(symbols: int, total: int) -> list[Snapshot]:
    """Return so many snapshots, in turn of every symbol; all books are one and the same."""
    return [snapshot_of(number % symbols, number) for number in range(total)]


class Tally:
    """Counts what is handled, from any thread, and calls `when_all` whenever that was all."""

    def __init__(self, when_all: Callable[[], object], expected: int = 0) -> None:
        self._number = count(1)
        self._when_all = when_all
        self._expected = expected

    def expect(self, more: int) -> None:
        """Expect more, once all that was expected before is handled."""
        self._expected += more

    def handle(self, _snapshot: object) -> None:
        """Count one."""
        # next() of itertools.count is one step: no two threads ever get the same number.
        if next(self._number) == self._expected:
            self._when_all()


def await_all(done: Event) -> None:
    """Wait until everything was handled."""
    if not done.wait(PATIENCE_S):
        raise TimeoutError(f"not everything was handled within {PATIENCE_S:g} s")


def paced(per_s: float, seconds: float) -> Iterator[int]:
    """Yield 0, 1, 2, … so many a second for so long; after a late wake-up it catches up."""
    total = max(1, int(per_s * seconds))
    start = time.perf_counter()
    number = 0
    while number < total:
        time.sleep(0.001)
        due = min(total, 1 + int((time.perf_counter() - start) * per_s))
        yield from range(number, due)
        number = due


class Lateness:
    """How late snapshots are handled, from received to their handler's start.

    That is the mailbox's lag and all before it; measured in the handlers, since a lag of what a
    reading thread handles on the spot is zero by definition.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, LagHistogram] = {}

    def handler(self, key: str) -> Callable[[Snapshot], None]:
        """Return a symbol's handler."""
        record, now_ns = self._by_key.setdefault(key, LagHistogram()).record, time.monotonic_ns

        def handle(snapshot: Snapshot) -> None:
            assert snapshot.received_ns is not None  # noqa: S101 - all that comes is stamped
            record(now_ns() - snapshot.received_ns)

        return handle

    def so_far(self) -> LagHistogram:
        """Return all symbols' together."""
        merged = LagHistogram()
        for lags in self._by_key.values():
            merged.add(lags)
        return merged
