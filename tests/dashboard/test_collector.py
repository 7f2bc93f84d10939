"""The metrics, read by a real parser of Prometheus' text format."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ticklane import MarketData
from ticklane.dashboard import MarketCollector
from ticklane.messages import InvalidOption, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.simulation import World

BTC = {"exchange": "binance", "symbol": "BTCUSDT"}

# The names of the design, and their types.
NAMES = {
    "ticklane_messages_received_total": "counter",
    "ticklane_messages_enqueued_total": "counter",
    "ticklane_messages_processed_total": "counter",
    "ticklane_messages_dropped_total": "counter",
    "ticklane_messages_failed_total": "counter",
    "ticklane_dead_letters_total": "counter",
    "ticklane_mailbox_depth": "gauge",
    "ticklane_mailbox_depth_max": "gauge",
    "ticklane_mailbox_capacity": "gauge",
    "ticklane_mailbox_oldest_age_seconds": "gauge",
    "ticklane_mailbox_time_seconds": "histogram",
    "ticklane_processing_time_seconds": "histogram",
    "ticklane_exchange_delay_seconds": "histogram",
    "ticklane_actor_busy_seconds_total": "counter",
    "ticklane_last_processed_timestamp_seconds": "gauge",
    "ticklane_mailbox_time_threshold_seconds": "gauge",
    "ticklane_queue_status": "gauge",
    "ticklane_anomalies_total": "counter",
    "ticklane_recoveries_total": "counter",
    "ticklane_alerts_firing": "gauge",
    "ticklane_actor_restarts_total": "counter",
    "ticklane_actors_running": "gauge",
    "ticklane_feed_connected": "gauge",
    "ticklane_feed_reconnects_total": "counter",
    "ticklane_feed_last_message_timestamp_seconds": "gauge",
    "ticklane_build_info": "gauge",
    "ticklane_series_truncated": "gauge",
}


@pytest.fixture
def collector(market: MarketData) -> MarketCollector:
    return MarketCollector(market)


def read(collector: MarketCollector, name: str, **labels: str) -> float | None:
    """Return one sample's value as Prometheus understands it."""
    found = [
        sample.value
        for family in text_string_to_metric_families(collector.page())
        for sample in family.samples
        if sample.name == f"ticklane_{name}" and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1, found
    return found[0] if found else None


def test_every_name_is_there_with_its_type(collector: MarketCollector) -> None:
    families = {
        f"{each.name}_total" if each.type == "counter" else each.name: each.type
        for each in text_string_to_metric_families(collector.page())
    }

    assert families == NAMES


def test_promtool_finds_nothing_to_say(collector: MarketCollector) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: install Debian's package prometheus")
    checked = subprocess.run(  # noqa: S603 - our own words
        [promtool, "check", "metrics"],
        input=collector.page(),
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_counts_are_those_of_the_mailbox(
    collector: MarketCollector, offer: Callable[..., None]
) -> None:
    offer("BTCUSDT", 1, 2, 3, 3)

    assert read(collector, "messages_received_total", **BTC) == 4
    assert read(collector, "messages_processed_total", **BTC) == 3
    assert read(collector, "mailbox_capacity", **BTC) == 10
    assert read(collector, "mailbox_depth_max", **BTC) == 3


def test_a_failure_is_a_failed_message_and_a_restart(
    collector: MarketCollector, market: MarketData, offer: Callable[..., None]
) -> None:
    market.subscribe("binance:BTCUSDT", lambda book: 1 // ((book.sequence or 0) - 2))
    offer("BTCUSDT", 1, 2, 3, seconds=2.0)

    assert read(collector, "messages_failed_total", **BTC) == 1
    assert read(collector, "actor_restarts_total", actor_class="SymbolActor") == 1
    assert read(collector, "actors_running", actor_class="SymbolActor") == 4


def test_no_actor_runs_after_the_stop(collector: MarketCollector, market: MarketData) -> None:
    before = read(collector, "actors_running", actor_class="FeedActor")
    market.stop()

    assert before == 1
    assert read(collector, "actors_running", actor_class="FeedActor") == 0
    assert read(collector, "actors_running", actor_class="SymbolActor") == 0


def test_what_is_shed_is_told_by_reason(
    collector: MarketCollector, market: MarketData, offer: Callable[..., None]
) -> None:
    offer("BTCUSDT", *range(15), seconds=0.0)

    assert read(collector, "messages_dropped_total", **BTC, reason="mailbox_full") == 5
    assert read(collector, "messages_dropped_total", **BTC, reason="expired") == 0
    market.stop()
    offer("BTCUSDT", 100)
    assert read(collector, "messages_dropped_total", reason="stopped") == 1
    assert read(collector, "dead_letters_total", reason="stopped") == 1


def test_a_stuck_symbol_shows_its_depth_age_and_status(
    collector: MarketCollector, market: MarketData, world: World, offer: Callable[..., None]
) -> None:
    market.subscribe("binance:BTCUSDT", lambda _: world.spend(60.0))
    offer("BTCUSDT", *range(8), seconds=2.0)

    assert read(collector, "mailbox_depth", **BTC) == 7
    assert read(collector, "mailbox_oldest_age_seconds", **BTC) == 2.0
    assert read(collector, "queue_status", **BTC) == 1
    assert read(collector, "queue_status", exchange="binance", symbol="ETHUSDT") == 0
    assert read(collector, "alerts_firing", severity="WARN") == 1
    assert read(collector, "anomalies_total", kind="WS_QUEUE_DEPTH", severity="WARN") == 1


def test_lags_are_a_histogram_of_the_exchange(
    collector: MarketCollector, market: MarketData, world: World, offer: Callable[..., None]
) -> None:
    market.subscribe("binance:BTCUSDT", lambda _: world.spend(0.1))
    offer("BTCUSDT", 1, 2, 3, seconds=1.0)
    offer("ETHUSDT", 1)

    def within(seconds: str) -> float | None:
        return read(collector, "mailbox_time_seconds_bucket", exchange="binance", le=seconds)

    assert within("0.000128") == 2
    assert within("0.131072") == 3
    assert within("+Inf") == within("67.1089") == 4
    assert read(collector, "mailbox_time_seconds_count", exchange="binance") == 4
    total_s = read(collector, "mailbox_time_seconds_sum", exchange="binance")
    assert total_s == pytest.approx(0.3, rel=0.02)


def test_a_feed_that_is_not_connected_says_so(collector: MarketCollector) -> None:
    assert read(collector, "feed_connected", exchange="upbit", feed="upbit") == 0
    assert read(collector, "feed_last_message_timestamp_seconds", feed="upbit") is None


def test_odd_names_are_read_as_they_are(collector: MarketCollector) -> None:
    assert read(collector, "mailbox_depth", exchange="odd", symbol='say "hi"\\') == 0


def test_of_too_many_symbols_the_first_have_series_and_the_rest_is_counted(
    market: MarketData,
) -> None:
    collector = MarketCollector(market, max_symbols=3)
    families = {each.name: each for each in text_string_to_metric_families(collector.page())}

    assert len(families["ticklane_mailbox_depth"].samples) == 3
    assert read(collector, "series_truncated") == 1
    assert read(collector, "actors_running", actor_class="SymbolActor") == 4


def test_it_is_a_collector_for_a_registry_of_the_hosts_own(
    collector: MarketCollector, offer: Callable[..., None]
) -> None:
    offer("BTCUSDT", 1, 2, 3)
    registry = CollectorRegistry()
    registry.register(collector)

    def samples(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    assert samples(generate_latest(registry).decode()) == samples(collector.page())


def test_without_prometheus_client_a_registry_is_a_clear_error(
    collector: MarketCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)

    with pytest.raises(MissingExtra, match=r"pip install 'ticklane\[prometheus\]'"):
        next(collector.collect())


def test_at_least_one_symbol_is_to_be_shown(market: MarketData) -> None:
    with pytest.raises(InvalidOption, match="max_symbols must be at least 1"):
        MarketCollector(market, max_symbols=0)
