"""The twelve tests of the older design's queues, by their names."""

import asyncio

import pytest

from ticklane.compat import (
    LongrunAnalyzer,
    MetricsCollector,
    OrderBookSnapshot,
    WebSocketMarketDataProvider,
)


def book(symbol: str, timestamp: float = 1_700_000_000.0, bid: float = 100.0) -> OrderBookSnapshot:
    return OrderBookSnapshot(symbol, timestamp, bids=[(bid, 1.0)], asks=[(bid + 1.0, 2.0)])


@pytest.fixture
def provider() -> WebSocketMarketDataProvider:
    return WebSocketMarketDataProvider({"upbit": None, "binance": None})


def test_ws_provider_has_symbol_queues(provider: WebSocketMarketDataProvider) -> None:
    assert provider.symbol_queues == {}


def test_ws_provider_creates_queue_for_symbol(provider: WebSocketMarketDataProvider) -> None:
    provider.on_upbit_snapshot(book("KRW-BTC"))

    assert [*provider.symbol_queues] == ["KRW-BTC"]
    assert not isinstance(provider.symbol_queues["KRW-BTC"], asyncio.Queue)


def test_ws_callback_puts_message_to_queue(provider: WebSocketMarketDataProvider) -> None:
    provider.on_upbit_snapshot(book("KRW-BTC"))

    assert not provider.symbol_queues["KRW-BTC"].empty()
    assert provider.get_queue_metrics("KRW-BTC")["queue_depth"] == 1


def test_ws_consumer_processes_queue(provider: WebSocketMarketDataProvider) -> None:
    newest = book("KRW-BTC", 1_700_000_001.0, bid=200.0)
    provider.on_upbit_snapshot(book("KRW-BTC"))
    provider.on_upbit_snapshot(newest)
    waiting = provider.symbol_queues["KRW-BTC"].qsize()

    provider.start()
    provider.stop()

    assert waiting == 2
    assert provider.symbol_queues["KRW-BTC"].empty()
    assert provider.latest_snapshots == {"KRW-BTC": newest}


def test_metrics_collector_has_ws_queue_metrics() -> None:
    metrics = MetricsCollector()

    assert (metrics.ws_queue_depth, metrics.ws_queue_depth_max) == (0, 0)
    assert (metrics.ws_queue_lag_ms, metrics.ws_queue_lag_ms_max) == (0.0, 0.0)
    assert metrics.ws_queue_lag_ms_warn_threshold == 1000.0
    assert metrics.ws_queue_lag_warn_count == 0
    assert metrics.per_symbol_queue_metrics == {}


def test_metrics_collector_updates_ws_queue_metrics() -> None:
    metrics = MetricsCollector()

    metrics.update_ws_queue_metrics(queue_depth=5, queue_lag_ms=50.0, symbol="KRW-BTC")
    metrics.update_ws_queue_metrics(queue_depth=2, queue_lag_ms=20.0, symbol="KRW-BTC")

    assert (metrics.ws_queue_depth, metrics.ws_queue_depth_max) == (2, 5)
    assert (metrics.ws_queue_lag_ms, metrics.ws_queue_lag_ms_max) == (20.0, 50.0)
    assert metrics.per_symbol_queue_metrics == {"KRW-BTC": {"queue_depth": 2, "queue_lag_ms": 20.0}}


def test_metrics_collector_detects_queue_lag_warning() -> None:
    metrics = MetricsCollector()

    metrics.update_ws_queue_metrics(queue_depth=10, queue_lag_ms=1000.0, symbol="KRW-BTC")
    metrics.update_ws_queue_metrics(queue_depth=10, queue_lag_ms=1500.0, symbol="KRW-BTC")

    assert metrics.ws_queue_lag_warn_count == 1
    assert metrics.ws_queue_lag_ms_max > metrics.ws_queue_lag_ms_warn_threshold


def test_ws_provider_multisymbol_queues(provider: WebSocketMarketDataProvider) -> None:
    provider.on_upbit_snapshot(book("KRW-BTC"))
    provider.on_upbit_snapshot(book("KRW-ETH"))
    provider.on_binance_snapshot(book("BTCUSDT"))

    assert {symbol: queue.qsize() for symbol, queue in provider.symbol_queues.items()} == {
        "KRW-BTC": 1,
        "KRW-ETH": 1,
        "BTCUSDT": 1,
    }


def test_ws_provider_queue_isolation(provider: WebSocketMarketDataProvider) -> None:
    for second in range(1001):
        provider.on_upbit_snapshot(book("KRW-BTC", 1_700_000_000.0 + second))
    provider.on_upbit_snapshot(book("KRW-ETH"))

    assert provider.symbol_queues["KRW-BTC"].qsize() == 1000
    assert provider.symbol_queues["KRW-ETH"].qsize() == 1


def test_ws_provider_backward_compatibility(provider: WebSocketMarketDataProvider) -> None:
    upbit, binance = book("KRW-BTC"), book("BTCUSDT", bid=50.0)
    before = provider.snapshot_upbit, provider.snapshot_binance

    provider.on_upbit_snapshot(upbit)
    provider.on_binance_snapshot(binance)

    assert before == (None, None)
    assert provider.snapshot_upbit is upbit
    assert provider.snapshot_binance is binance


def test_analyzer_detects_ws_queue_lag() -> None:
    late = [{"ws_queue_lag_ms": 1500.0}] * 11

    report = LongrunAnalyzer(scenario="S1").analyze_metrics_log(late)

    assert report.ws_queue_lag_warn_count == 11
    assert [(each.kind, each.severity) for each in report.anomalies] == [("WS_QUEUE_LAG", "WARN")]
    assert report.overall_status == "WARN"


def test_analyzer_reports_ws_metrics() -> None:
    analyzer = LongrunAnalyzer()
    metrics = MetricsCollector()
    metrics.update_ws_queue_metrics(queue_depth=10, queue_lag_ms=500.0, symbol="KRW-BTC")

    report = analyzer.analyze_metrics_log([metrics.get_metrics()])

    assert (report.ws_queue_depth_max, report.ws_queue_lag_ms_max) == (10, 500.0)
    assert report.ws_queue_lag_stats.count == 1
    assert "ws queue lag" in analyzer.generate_report(report)
