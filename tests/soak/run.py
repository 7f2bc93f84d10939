"""Run market data for long against an exchange on this machine that often hangs up.

`make soak SOAK_SECONDS=3600` prints a line a minute and a verdict: memory flat, no thread left over
after the stop, no snapshot older than the one before it, every mailbox's counts exact. The exit
status is 1 where one of them does not hold. The exchange has a process of its own, since its memory
is not what is measured.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import attrs

from ticklane import Feed, MarketData, Snapshot
from ticklane.messages import QueueMetrics
from ticklane.simulation import LoopbackExchange, SyntheticMarket

KEYS = [f"upbit:KRW-S{number}" for number in range(200)]
RATE = 5.0
LOSS_EVERY_S = 20.0
LINE_EVERY_S = 60.0
WARM_SHARE, WARM_AT_MOST_S = 0.5, 300.0
MAY_GROW_BY = 0.1
"""Lag histograms go on filling their buckets for a while; one byte kept of each book is more."""
STATM = Path("/proc/self/statm")


@attrs.define
class Consumer:
    """One symbol's handler: counts its books, and those older than the one before."""

    books: int = 0
    older: int = 0
    _last_ms: int = 0

    def __call__(self, book: Snapshot) -> None:
        at_ms = book.exchange_time_ms or 0
        self.books += 1
        self.older += at_ms < self._last_ms
        self._last_ms = at_ms


@attrs.frozen
class Exchange:
    """An exchange in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    def disconnect(self, way: str) -> None:
        """Have it close all connections with a code, or reset them."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{way}\n")
        self.process.stdin.flush()


@attrs.define
class Soak:
    """A run, and what it has come to."""

    exchange: Exchange
    market: MarketData
    consumers: dict[str, Consumer]
    seconds: float
    sizes: list[int] = attrs.field(factory=list)
    """The process's resident bytes, once a second after the warm-up."""
    losses: int = 0

    def run(self) -> None:
        """Hang up every 20 s, with and without a word; print a line a minute."""
        start_s = time.monotonic()
        ways = cycle(("1001", "reset"))
        next_loss_s, next_line_s = LOSS_EVERY_S, LINE_EVERY_S
        warm_s = min(WARM_SHARE * self.seconds, WARM_AT_MOST_S)
        while (now_s := time.monotonic() - start_s) < self.seconds:
            time.sleep(1.0)
            if now_s >= warm_s:
                self.sizes.append(resident_bytes())
            if now_s >= next_loss_s:
                next_loss_s += LOSS_EVERY_S
                self.losses += 1
                self.exchange.disconnect(next(ways))
            if now_s >= next_line_s:
                next_line_s += LINE_EVERY_S
                self.tell(now_s)

    def tell(self, now_s: float) -> None:
        """Print how it goes."""
        sample = self.market.metrics()
        reconnects = sum(feed.reconnects for feed in sample.feeds)
        say(
            f"{now_s:6.0f} s: {resident_bytes() / 2**20:.1f} MiB, {sample.totals.handled} handled, "
            f"{self.losses} disconnects, {reconnects} reconnects, "
            f"{threading.active_count()} threads, "
            f"lag p99 {max(queue.lag_p99_ms for queue in sample.queues.values()):.1f} ms at most"
        )

    def faults(self) -> Iterator[str]:
        """Yield what does not hold after the stop."""
        sample = self.market.metrics()
        for key, queue in sample.queues.items():
            consumer = self.consumers[key]
            if not is_exact(queue) or consumer.books != queue.handled:
                yield f"{key}: counts are not exact: {queue}, {consumer.books} books came"
            if consumer.older:
                yield f"{key}: {consumer.older} books were older than the one before"
            if not consumer.books:
                yield f"{key}: no book ever came"
        if (read := sum(feed.snapshots for feed in sample.feeds)) != sample.totals.offered:
            yield f"{read} books were read and {sample.totals.offered} offered"
        if (reconnects := sum(feed.reconnects for feed in sample.feeds)) < self.losses:
            yield f"only {reconnects} reconnects after {self.losses} disconnects"
        if self.growth > MAY_GROW_BY:
            yield f"memory grew by {self.growth:.1%}"

    @property
    def growth(self) -> float:
        """By how much the process grew from the warm-up to the end, in parts of what it was."""
        tenth = max(len(self.sizes) // 10, 1)
        before, after = (
            sorted(part)[tenth // 2] for part in (self.sizes[:tenth], self.sizes[-tenth:])
        )
        return after / before - 1


def is_exact(queue: QueueMetrics) -> bool:
    return queue.depth == 0 and queue.offered == queue.handled + queue.failed + queue.shed


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def exchange_of_its_own() -> Iterator[Exchange]:
    command = [sys.executable, __file__, "serve"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        yield Exchange(process, process.stdout.readline().strip())
        process.communicate()


def serve() -> int:
    """Print the exchange's address, and do what standard input says until it ends."""
    with LoopbackExchange("upbit", SyntheticMarket(KEYS, seed=1, rate=RATE).books()) as exchange:
        say(exchange.url)
        for line in sys.stdin:
            exchange.disconnect(int(line) if line.strip().isdecimal() else None)
    return 0


def main(seconds: float) -> int:
    threads = {*threading.enumerate()}
    with exchange_of_its_own() as exchange:
        feed = Feed("upbit", [key.partition(":")[2] for key in KEYS], url=exchange.url)
        market = MarketData([feed])
        consumers = {key: Consumer() for key in KEYS}
        for key, consumer in consumers.items():
            market.subscribe(key, consumer)
        soak = Soak(exchange, market, consumers, seconds)
        with market:
            soak.run()
    soak.tell(seconds)
    faults = [*soak.faults()]
    faults += [f"{each.name} is left over" for each in {*threading.enumerate()} - threads]
    say(f"memory after the warm-up: {soak.growth:+.1%}")
    say("\n".join(["FAIL", *faults]) if faults else "OK")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1] == "serve" else main(float(sys.argv[1])))
