"""How late snapshots are handled that another process sends over a socket."""

import time
from collections.abc import Callable

from effort import Effort
from figures import Tree
from load import merged_lags
from served import served, upbit_keys

from ticklane import MarketData, Snapshot
from ticklane.analysis import LagHistogram

__all__ = ["measure"]

SYMBOLS = 200
PER_S = 10_000
SECONDS = 10.0
SETTLE_S = 2.0
DEPTH = 5
"""Levels on each side: with more, the sending process would not keep the pace on a slow core."""


def measure(effort: Effort) -> Tree:
    """Return the lag that the mailboxes measured; beside it, from received to handled."""
    keys = upbit_keys(SYMBOLS)
    received = {key: LagHistogram() for key in keys}
    with served(keys, per_s=PER_S, depth=DEPTH) as feed:
        market = MarketData([feed])
        for key in keys:
            market.subscribe(key, _recording(received[key]))
        with market:
            market.wait_for(keys[0], timeout=10.0)
            time.sleep(effort.seconds(SETTLE_S))
            before = merged_lags(market, keys), _merged(received)
            start = time.perf_counter()
            time.sleep(effort.seconds(SECONDS))
            after = merged_lags(market, keys), _merged(received)
            seconds = time.perf_counter() - start
    lags, from_received = (new.since(old) for new, old in zip(after, before, strict=True))
    return {
        "lag": {
            **_quantiles(lags),
            "per_s": lags.total / seconds,
            "received_to_handled": _quantiles(from_received),
        }
    }


def _recording(lags: LagHistogram) -> Callable[[Snapshot], None]:
    def handle(snapshot: Snapshot) -> None:
        assert snapshot.received_ns is not None  # noqa: S101 - a feed stamps what it brings
        lags.record(time.monotonic_ns() - snapshot.received_ns)

    return handle


def _merged(by_key: dict[str, LagHistogram]) -> LagHistogram:
    merged = LagHistogram()
    for lags in by_key.values():
        merged.add(lags.copy())
    return merged


def _quantiles(lags: LagHistogram) -> Tree:
    p50, p99, p999 = lags.quantiles(0.5, 0.99, 0.999)
    return {"p50_us": p50 / 1e3, "p99_us": p99 / 1e3, "p999_us": p999 / 1e3}
