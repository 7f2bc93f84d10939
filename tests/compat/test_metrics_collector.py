import asyncio

import attrs
import pytest

from ticklane.compat import LongrunAnalyzer, MetricsCollector
from ticklane.messages import InvalidOption


@attrs.define
class HandClock:
    seconds: float = 100.0

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)

    def unix_s(self) -> float:
        return self.seconds


def loop(metrics: MetricsCollector, loop_time_ms: float, trades_opened: int = 0) -> None:
    metrics.update_loop_metrics(loop_time_ms, trades_opened, spread_bps=10.0, data_source="ws")


def test_a_collector_that_measured_nothing_says_zero() -> None:
    metrics = MetricsCollector().get_metrics()

    assert metrics["loop_time_avg_ms"] == metrics["spread_bps"] == metrics["buffer_usage"] == 0
    assert metrics["data_source"] == "rest"


def test_loops_are_averaged_over_the_buffer() -> None:
    metrics = MetricsCollector(buffer_size=2)
    for loop_time_ms in (900.0, 1000.0, 1200.0):
        loop(metrics, loop_time_ms, trades_opened=1)

    found = metrics.get_metrics()

    assert found["loop_time_ms"] == found["loop_time_max_ms"] == 1200.0
    assert (found["loop_time_min_ms"], found["loop_time_avg_ms"]) == (1000.0, 1100.0)
    assert (found["trades_opened_total"], found["trades_opened_recent"]) == (3, 2)


def test_the_connection_is_as_the_last_loop_saw_it() -> None:
    metrics = MetricsCollector()
    metrics.update_loop_metrics(1000.0, 1, 10.0, "ws", True, 2, "KRW-BTC")

    found = metrics.get_metrics()

    assert (found["data_source"], found["ws_connected"], found["ws_reconnect_count"]) == (
        "ws",
        True,
        2,
    )


def test_an_asyncio_host_updates_the_same() -> None:
    metrics = MetricsCollector()

    asyncio.run(metrics.aupdate_loop_metrics(1000.0, 1, 10.0, data_source="ws"))

    assert metrics.get_metrics()["loop_time_ms"] == 1000.0


def test_the_queue_of_the_worst_symbol_stands_for_all() -> None:
    metrics = MetricsCollector()
    metrics.update_ws_queue_metrics(3, 1500.0, "KRW-BTC")
    metrics.update_ws_queue_metrics(9, 1.0, "KRW-ETH")

    found = metrics.get_metrics()

    assert (found["ws_queue_depth"], found["ws_queue_lag_ms"]) == (9, 1500.0)


def test_a_queue_without_a_symbol_counts_and_is_not_listed() -> None:
    metrics = MetricsCollector()
    metrics.update_ws_queue_metrics(7, 70.0)

    assert (metrics.ws_queue_depth, metrics.ws_queue_lag_ms) == (7, 70.0)
    assert metrics.per_symbol_queue_metrics == {}


def test_the_lag_that_counts_as_a_warning_can_be_set() -> None:
    metrics = MetricsCollector()
    metrics.ws_queue_lag_ms_warn_threshold = 10.0
    metrics.update_ws_queue_metrics(1, 11.0)

    assert metrics.ws_queue_lag_warn_count == 1


def test_its_metrics_one_for_each_loop_are_a_log_the_analyzer_judges() -> None:
    clock = HandClock()
    metrics = MetricsCollector(clock=clock)
    entries = []
    for _ in range(61):
        loop(metrics, 2000.0, trades_opened=1)
        metrics.update_ws_queue_metrics(101, 1500.0, "KRW-BTC")
        entries.append(metrics.get_metrics())
        clock.seconds += 1.0

    report = LongrunAnalyzer("S1").analyze_metrics_log(entries)

    assert [each.kind for each in report.anomalies] == [
        "LOOP_TIME",
        "LOOP_TIME",
        "WS_QUEUE_LAG",
        "WS_QUEUE_DEPTH",
    ]
    assert (report.duration_minutes, report.trades_opened_total) == (1.0, 61)
    assert report.ignored_values == 0


def test_a_host_that_runs_no_loop_is_not_blamed_for_opening_no_trades() -> None:
    report = LongrunAnalyzer("S1").analyze_metrics_log([MetricsCollector().get_metrics()])

    assert report.overall_status == "OK"


def test_uptime_is_measured_from_the_start() -> None:
    clock = HandClock()
    metrics = MetricsCollector(clock=clock)
    clock.seconds += 2.5

    assert metrics.get_health() == {
        "status": "ok",
        "data_source": "rest",
        "uptime_seconds": 2.5,
        "ws_connected": False,
    }


def test_reset_forgets_everything_but_the_options() -> None:
    clock = HandClock()
    fresh, used = (MetricsCollector(50, clock=clock) for _ in range(2))
    loop(used, 1000.0, trades_opened=1)
    used.update_ws_queue_metrics(5, 5000.0, "KRW-BTC")

    used.reset()

    assert used.get_metrics() == fresh.get_metrics()
    assert used.per_symbol_queue_metrics == {}


def test_a_buffer_of_nothing_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="buffer_size must be at least 1, not 0"):
        MetricsCollector(buffer_size=0)
