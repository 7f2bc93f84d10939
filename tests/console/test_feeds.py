"""Keys to feeds."""

from ticklane.console.feeds import feeds_of
from ticklane.exchanges import Feed


def test_keys_become_one_feed_for_each_exchange() -> None:
    keys = ("upbit:KRW-BTC", "binance:BTCUSDT", "upbit:KRW-ETH")

    assert feeds_of(keys, {"binance": "ws://127.0.0.1:1"}) == [
        Feed("upbit", ["KRW-BTC", "KRW-ETH"]),
        Feed("binance", ["BTCUSDT"], url="ws://127.0.0.1:1"),
    ]
