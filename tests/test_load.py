"""The load we promise to carry: 100 symbols, 50 snapshots a second each, nothing shed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ticklane import Feed, MarketData, Snapshot
from ticklane.simulation import demo_keys

SYMBOLS, RATE, SECONDS = 100, 50, 10
PATIENCE_S = 2 * SECONDS
KEYS = demo_keys(SYMBOLS)


@contextmanager
def market_of_its_own(exchange: str, folder: Path) -> Iterator[str]:
    """Yield the address of an exchange in a process of its own: its work must not be ours."""
    keys = [key for key in KEYS if key.startswith(f"{exchange}:")]
    command = [sys.executable, "-m", "ticklane.simulation.serve"]
    options = ["--exchange", exchange, "--rate", str(RATE), "--keys", *keys]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=PATIENCE_S)


class Stopwatch:
    """Tells when a number of seconds has passed by the time stamps of the books it gets."""

    def __init__(self, seconds: float) -> None:
        self.over = threading.Event()
        self._span_ms = seconds * 1000
        self._first_ms: int | None = None

    def __call__(self, book: Snapshot) -> None:
        assert book.exchange_time_ms is not None
        if self._first_ms is None:
            self._first_ms = book.exchange_time_ms
        if book.exchange_time_ms - self._first_ms >= self._span_ms:
            self.over.set()


def test_100_symbols_at_50_snapshots_a_second_lose_nothing(tmp_path: Path) -> None:
    stopwatch = Stopwatch(SECONDS)
    with (
        market_of_its_own("upbit", tmp_path) as upbit,
        market_of_its_own("binance", tmp_path) as binance,
    ):
        market = MarketData(
            Feed(name, [key.partition(":")[2] for key in KEYS if key.startswith(name)], url=url)
            for name, url in (("upbit", upbit), ("binance", binance))
        )
        for key in KEYS[1:]:
            market.subscribe(key, lambda book: book.mid)
        market.subscribe(KEYS[0], stopwatch)
        with market:
            assert stopwatch.over.wait(PATIENCE_S)
        totals, feeds = market.metrics().totals, market.metrics().feeds

    assert (totals.dropped, totals.conflated, totals.expired) == (0, 0, 0)
    assert totals.handled >= 0.9 * SYMBOLS * RATE * SECONDS
    assert totals.failed == 0
    assert [(feed.reconnects, feed.bad_frames) for feed in feeds] == [(0, {}), (0, {})]
