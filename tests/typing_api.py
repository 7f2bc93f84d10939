"""Every public call as a host writes it: type-checked, never run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_type

from ticklane import (
    EXCHANGES,
    AnomalyAlert,
    Feed,
    LongrunReport,
    MarketData,
    MetricsSample,
    Outcome,
    QueueMetrics,
    RestartPolicy,
    Snapshot,
    TicklaneError,
    __version__,
)
from ticklane.actors import Sink, Subscription, WebhookSink
from ticklane.analysis import AlertSettings
from ticklane.exchanges import Exchange
from ticklane.messages import (
    AnomalyState,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedMetrics,
    Level,
    QueueTick,
    ReceiverMetrics,
    Severity,
    Totals,
)
from ticklane.runtime import Clock, Dispatcher, SystemClock, WebSocketTransport
from ticklane.simulation import World


def on_snapshot(snapshot: Snapshot) -> None:
    """Handle a book."""


def on_event(event: FeedEvent) -> None:
    if isinstance(event, FeedLost):
        assert_type(event.reason, str)
    if isinstance(event, FeedConnected):
        assert_type(event.url, str)
    assert_type(event.key, str)


def on_anomaly(alert: AnomalyAlert) -> None:
    assert_type(alert.kind, str)
    assert_type(alert.severity, Severity)
    assert_type(alert.state, AnomalyState)
    assert_type(alert.key, str | None)
    assert_type(alert.value, float | None)


def snapshots() -> None:
    level: Level = (100.0, 1.5)
    book = Snapshot("upbit", "KRW-BTC", (level,), ((101.0, 2.0),))
    Snapshot("upbit", "KRW-BTC", (level,), (), 1_700_000_000_000, 42, 7)
    Snapshot(
        exchange="upbit",
        symbol="KRW-BTC",
        bids=(),
        asks=(),
        exchange_time_ms=None,
        sequence=None,
        received_ns=None,
    )
    assert_type(book.key, str)
    assert_type(book.bids, tuple[Level, ...])
    assert_type(book.best_bid, float | None)
    assert_type(book.best_ask, float | None)
    assert_type(book.spread, float | None)
    assert_type(book.mid, float | None)
    assert_type(book.exchange_time_ms, int | None)
    assert_type(book.sequence, int | None)
    assert_type(book.received_ns, int | None)
    book.symbol = "KRW-ETH"  # type: ignore[misc]


def feeds() -> None:
    feed = Feed("upbit", ["KRW-BTC", "KRW-ETH"])
    Feed("upbit", ("KRW-BTC",), stream="orderbook/simple", url="ws://127.0.0.1:8000")
    Feed(exchange="binance", symbols={"BTCUSDT"})
    Feed("binance", ["BTCUSDT"], url=("wss://a", "wss://b"), redundancy=2)
    Feed("upbit", ["KRW-BTC"], "orderbook")  # type: ignore[call-arg]
    assert_type(feed.symbols, tuple[str, ...])
    assert_type(feed.keys, tuple[str, ...])
    assert_type(feed.stream, str)
    assert_type(feed.url, str | tuple[str, ...] | None)
    assert_type(feed.endpoints, tuple[str, ...])
    assert_type(EXCHANGES, dict[str, Exchange])


def options() -> None:
    MarketData()
    MarketData([Feed("upbit", ["KRW-BTC"])])
    MarketData(
        (Feed("upbit", ["KRW-BTC"]),),
        symbols=["kraken:XBTUSD"],
        capacity=100,
        overflow="conflate",
        adaptive=True,
        thresholds={"ws_queue_lag_warn_max": 10},
        log="run.db",
        log_days=30,
        restarts=RestartPolicy(max_restarts=5, within_s=10.0),
        interval_s=0.5,
        scenario="S2",
        max_symbols=1000,
        clock=SystemClock(),
    )
    MarketData(capacity={"upbit:KRW-BTC": 1}, overflow={"upbit:KRW-BTC": "drop_newest"})
    MarketData(log=Path("run.jsonl"))
    sinks: list[str | Sink] = ["https://host/", WebhookSink("https://host/")]
    MarketData(alerts=sinks, alert_settings=AlertSettings(for_s=1), auto_recover={"shed_symbol"})
    MarketData(auto_recover=1.5)  # type: ignore[arg-type]
    MarketData([], [])  # type: ignore[call-arg]
    MarketData(capacity="many")  # type: ignore[arg-type]


def what_it_runs_on(clock: Clock) -> None:
    dispatcher = Dispatcher(workers=2, clock=clock, seed=1)
    transport = WebSocketTransport(dispatcher, ca_file="ca.pem")
    MarketData(dispatcher=dispatcher, transport=transport)
    MarketData(dispatcher=World(seed=1))


def life(market: MarketData) -> None:
    market.start()
    market.stop()
    market.stop(drain=False, timeout=1.0)
    with market as entered:
        assert_type(entered, MarketData)


async def life_in_asyncio(market: MarketData) -> None:
    async with market as entered:
        assert_type(entered, MarketData)


def books(market: MarketData) -> None:
    subscription = market.subscribe("upbit:KRW-BTC", on_snapshot)
    assert_type(subscription, Subscription)
    assert_type(subscription.key, str)
    subscription.cancel()
    market.subscribe("upbit:KRW-BTC", on_snapshot, on_event=on_event)
    market.subscribe("upbit:KRW-BTC", lambda book: book.mid)
    market.subscribe("upbit:KRW-BTC", on_event)  # type: ignore[arg-type]

    market.add("upbit:KRW-XRP")
    market.remove("upbit:KRW-XRP")
    outcome = market.offer(Snapshot("upbit", "KRW-BTC", (), ()))
    assert_type(outcome, Outcome)
    assert_type(bool(outcome), bool)
    assert_type(market.latest("upbit:KRW-BTC"), Snapshot | None)
    assert_type(market.latest_all(), dict[str, Snapshot])
    assert_type(market.wait_for("upbit:KRW-BTC", timeout=1.0), Snapshot)
    assert_type(market.wait_for("upbit:KRW-BTC", 1), Snapshot)


def alerts(market: MarketData) -> None:
    assert_type(market.receivers(), tuple[ReceiverMetrics, ...])
    assert_type(market.remedies(), dict[tuple[str, str], int])


def queues(market: MarketData) -> None:
    queue = market.queue("upbit:KRW-BTC")
    assert_type(queue, QueueMetrics)
    assert_type((queue.key, queue.status), tuple[str, str])
    assert_type((queue.depth, queue.depth_max, queue.capacity), tuple[int, int, int])
    assert_type((queue.lag_ms, queue.lag_p50_ms), tuple[float, float])
    assert_type((queue.lag_p99_ms, queue.lag_max_ms), tuple[float, float])
    assert_type(queue.oldest_age_ms, float)
    assert_type(queue.silence_s, float | None)
    assert_type((queue.offered, queue.handled, queue.failed), tuple[int, int, int])
    assert_type((queue.dropped, queue.conflated, queue.expired), tuple[int, int, int])
    assert_type((queue.rejected, queue.shed, queue.restarts), tuple[int, int, int])


def metrics(market: MarketData) -> None:
    sample = market.metrics()
    assert_type(sample, MetricsSample)
    assert_type(sample.at_unix_s, float)
    assert_type(sample.queues, Mapping[str, QueueMetrics])
    assert_type(sample.ticks, Mapping[str, QueueTick])
    assert_type(sample.feeds, tuple[FeedMetrics, ...])
    assert_type(sample.feeds[0].bad_frames, Mapping[str, int])
    assert_type(sample.feeds[0].last_error, str | None)
    assert_type(sample.totals, Totals)
    assert_type(sample.totals.dead_letters, Mapping[str, int])


def what_is_wrong(market: MarketData) -> None:
    callback: Callable[[AnomalyAlert], object] = on_anomaly
    market.on_anomaly(callback)
    assert_type(market.anomalies(), tuple[AnomalyAlert, ...])
    assert_type(market.report(), LongrunReport)
    assert_type(market.report().overall_status, str)


def errors() -> None:
    try:
        MarketData(capacity=0)
    except TicklaneError as error:
        assert_type(error, TicklaneError)
    assert_type(__version__, str)
