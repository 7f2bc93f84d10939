import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ticklane.compat import OrderBookSnapshot, WebSocketMarketDataProvider


@pytest.fixture
def provider() -> Iterator[WebSocketMarketDataProvider]:
    provider = WebSocketMarketDataProvider({})
    yield provider
    provider.stop()


def book(symbol: str, timestamp: float = 1_700_000_000.0, bid: float = 100.0) -> OrderBookSnapshot:
    return OrderBookSnapshot(symbol, timestamp, [(bid, 1.0)], [(bid + 1.0, 1.0)])


@dataclass
class Adapter:
    callback: Callable[[OrderBookSnapshot], object] | None = None


# -- books


def test_nothing_is_known_of_a_symbol_never_brought(provider: WebSocketMarketDataProvider) -> None:
    assert provider.get_latest_snapshot("KRW-BTC") is None
    assert provider.latest_snapshots == {}
    assert provider.get_queue_metrics("KRW-BTC") == {"queue_depth": 0, "queue_lag_ms": 0.0}


@pytest.mark.parametrize("started", [False, True])
def test_a_book_handed_in_is_readable_on_the_next_line(
    provider: WebSocketMarketDataProvider,
    started: bool,
) -> None:
    if started:
        provider.start()
    for number in range(2000):
        handed_in = book("KRW-BTC", 1_700_000_000.0 + number)

        provider.on_upbit_snapshot(handed_in)

        assert provider.get_latest_snapshot("KRW-BTC") is handed_in


def test_an_older_book_does_not_replace_a_newer_one(provider: WebSocketMarketDataProvider) -> None:
    newer = book("KRW-BTC", 1_700_000_001.0)
    provider.on_upbit_snapshot(newer)

    provider.on_upbit_snapshot(book("KRW-BTC", 1_700_000_000.0))

    assert provider.latest_snapshots == {"KRW-BTC": newer}
    assert provider.snapshot_upbit is newer


def test_books_without_a_time_stamp_are_newer_in_the_order_they_come(
    provider: WebSocketMarketDataProvider,
) -> None:
    last = book("BTCUSDT", 0, bid=100.0)
    for each in (book("BTCUSDT", 0, bid=100.0), book("BTCUSDT", 0, bid=200.0), last):
        provider.on_binance_snapshot(each)

    assert provider.get_latest_snapshot("BTCUSDT") is last


def test_an_exchanges_snapshot_is_that_of_the_symbol_it_brought_last(
    provider: WebSocketMarketDataProvider,
) -> None:
    btc, eth = book("KRW-BTC"), book("KRW-ETH")
    provider.on_upbit_snapshot(btc)
    provider.on_upbit_snapshot(eth)

    assert provider.snapshot_upbit is eth
    assert provider.snapshot_binance is None


def test_a_name_both_exchanges_use_is_answered_for_the_one_that_brought_it_last(
    provider: WebSocketMarketDataProvider,
) -> None:
    upbit, binance = book("BTC", 1_700_000_009.0), book("BTC", 1_700_000_000.0)
    provider.on_upbit_snapshot(upbit)
    provider.on_binance_snapshot(binance)

    assert provider.latest_snapshots == {"BTC": binance}
    assert (provider.snapshot_upbit, provider.snapshot_binance) == (upbit, binance)
    assert provider.symbol_queues["BTC"].qsize() == 1


def test_a_book_of_the_hosts_own_class_comes_back_as_it_is(
    provider: WebSocketMarketDataProvider,
) -> None:
    @dataclass
    class OwnBook:
        symbol: str
        timestamp: float
        bids: list[tuple[float, float]]
        asks: list[tuple[float, float]]

    own = OwnBook("KRW-BTC", 1_700_000_000.123456, [(100, 1)], [(101, 1)])
    provider.on_upbit_snapshot(own)  # type: ignore[arg-type]

    assert provider.get_latest_snapshot("KRW-BTC") is own  # type: ignore[comparison-overlap]


# -- queues


def test_a_queue_seen_once_tells_the_depth_of_any_later_time(
    provider: WebSocketMarketDataProvider,
) -> None:
    provider.on_upbit_snapshot(book("KRW-BTC", 1_700_000_000.0))
    queue = provider.symbol_queues["KRW-BTC"]
    provider.on_upbit_snapshot(book("KRW-BTC", 1_700_000_001.0))

    assert queue.qsize() == 2


def test_the_lag_of_what_waits_grows_and_that_of_an_empty_queue_does_not(
    provider: WebSocketMarketDataProvider,
) -> None:
    provider.on_upbit_snapshot(book("KRW-BTC"))
    waiting = [provider.get_queue_metrics("KRW-BTC")["queue_lag_ms"] for _ in range(2)]

    provider.start()
    provider.stop()
    handled = [provider.get_queue_metrics("KRW-BTC") for _ in range(2)]

    assert 0 < waiting[0] < waiting[1] < handled[0]["queue_lag_ms"]
    assert handled[0] == handled[1]
    assert handled[0]["queue_depth"] == 0


# -- life


def test_start_and_stop_may_be_called_twice(provider: WebSocketMarketDataProvider) -> None:
    provider.stop()
    provider.start()
    provider.start()
    provider.stop()
    provider.stop()

    assert not [each for each in threading.enumerate() if each.name.startswith("ticklane")]


def test_a_provider_started_again_goes_on_with_what_it_had(
    provider: WebSocketMarketDataProvider,
) -> None:
    first, second = book("KRW-BTC", 1_700_000_000.0), book("KRW-BTC", 1_700_000_001.0)
    provider.on_upbit_snapshot(first)
    provider.start()
    provider.stop()
    between = provider.get_latest_snapshot("KRW-BTC")

    provider.start()
    before = provider.get_latest_snapshot("KRW-BTC")
    provider.on_upbit_snapshot(second)
    after = provider.get_latest_snapshot("KRW-BTC")
    provider.stop()

    assert (between, before, after) == (first, first, second)
    assert provider.symbol_queues["KRW-BTC"].empty()


def test_an_asyncio_host_finds_the_same_under_other_names() -> None:
    provider, handed_in = WebSocketMarketDataProvider({}), book("KRW-BTC")

    async def host() -> OrderBookSnapshot | None:
        await provider.astart()
        provider.on_upbit_snapshot(handed_in)
        latest = await provider.aget_latest_snapshot("KRW-BTC")
        await provider.astop()
        return latest

    assert asyncio.run(host()) is handed_in
    assert provider.symbol_queues["KRW-BTC"].empty()


# -- the host's connections


def test_an_adapter_without_a_callback_gets_that_of_its_exchange() -> None:
    adapters = {"upbit": Adapter(), "binance": Adapter()}
    provider = WebSocketMarketDataProvider(adapters)
    upbit, binance = book("KRW-BTC"), book("BTCUSDT")

    for each, handed_in in ((adapters["upbit"], upbit), (adapters["binance"], binance)):
        assert each.callback is not None
        each.callback(handed_in)

    assert (provider.snapshot_upbit, provider.snapshot_binance) == (upbit, binance)


def test_an_adapter_with_a_callback_keeps_it() -> None:
    taken: list[OrderBookSnapshot] = []
    adapter = Adapter(taken.append)

    WebSocketMarketDataProvider({"upbit": adapter})

    assert adapter.callback == taken.append


def test_adapters_are_kept_as_they_were_given() -> None:
    adapters = {"upbit": None, "bybit": Adapter()}

    assert WebSocketMarketDataProvider(adapters).ws_adapters is adapters
    assert adapters["bybit"] == Adapter(None)
