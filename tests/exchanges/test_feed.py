"""What a host may ask for, and what it is told of what it may not."""

from typing import Any

import pytest

from ticklane.exchanges import EXCHANGES, Feed, parse_key
from ticklane.messages import InvalidOption


def _refusal(**options: Any) -> str:
    with pytest.raises(InvalidOption) as caught:
        Feed(**({"exchange": "upbit", "symbols": ["KRW-BTC"]} | options))
    return str(caught.value)


def test_a_feed_asks_for_the_first_stream_of_its_exchange() -> None:
    assert Feed("binance", ["BTCUSDT"]).stream == "depth20"


def test_a_feed_names_the_keys_of_its_symbols_in_their_order() -> None:
    assert Feed("upbit", ["KRW-ETH", "KRW-BTC"]).keys == ("upbit:KRW-ETH", "upbit:KRW-BTC")


def test_a_feed_takes_symbols_from_any_iterable() -> None:
    assert Feed("upbit", iter(["KRW-BTC"])).symbols == ("KRW-BTC",)


def test_equal_feeds_are_equal_and_can_be_keys() -> None:
    assert {Feed("upbit", ["KRW-BTC"])} == {Feed("upbit", ["KRW-BTC"])}


def test_the_address_of_a_feed_is_a_base_to_append_to() -> None:
    assert Feed("upbit", ["KRW-BTC"], url="ws://127.0.0.1:9/").url == "ws://127.0.0.1:9"


def test_the_rest_side_of_a_feed_is_a_base_to_append_to() -> None:
    assert Feed("binance", ["BTCUSDT"], rest="http://127.0.0.1:9/").rest == "http://127.0.0.1:9"


@pytest.mark.parametrize("rest", ["ws://127.0.0.1", "127.0.0.1", "", 7])
def test_a_rest_side_that_is_no_http_address_is_refused(rest: object) -> None:
    assert _refusal(rest=rest) == (
        f"rest must be an address that begins with http:// or https://, not {rest!r}"
    )


def test_an_unknown_exchange_is_refused() -> None:
    known = ", ".join(EXCHANGES)

    assert _refusal(exchange="kraken") == f"exchange must be one of {known}, not 'kraken'"


def test_an_unknown_exchange_is_refused_before_its_stream() -> None:
    assert _refusal(exchange="kraken", stream="book").startswith("exchange must be one of")


def test_an_unknown_stream_is_refused() -> None:
    assert _refusal(stream="depth20") == (
        "stream must be one of orderbook, orderbook/simple, not 'depth20'"
    )


@pytest.mark.parametrize("symbols", ["KRW-BTC", None, 3])
def test_symbols_that_are_no_list_are_refused(symbols: object) -> None:
    assert _refusal(symbols=symbols) == f"symbols must be a list of symbols, not {symbols!r}"


@pytest.mark.parametrize("symbols", [(), ("",), ("KRW-BTC", 1)])
def test_a_list_without_a_symbol_in_each_place_is_refused(symbols: tuple[object, ...]) -> None:
    assert _refusal(symbols=symbols) == (
        f"symbols must be at least one symbol, each a string, not {symbols!r}"
    )


def test_a_symbol_named_twice_is_refused() -> None:
    assert "each named once, not ('KRW-BTC', 'KRW-BTC')" in _refusal(symbols=["KRW-BTC"] * 2)


def test_a_symbol_in_lower_case_is_refused() -> None:
    assert _refusal(symbols=["krw-btc"]) == (
        "symbols must be in upper case, like KRW-BTC or BTCUSDT, not ('krw-btc',)"
    )


def test_one_market_at_two_depths_is_refused() -> None:
    assert "each market at one depth only" in _refusal(symbols=["KRW-BTC.5", "KRW-BTC"])


def test_an_address_that_is_no_websocket_is_refused() -> None:
    assert _refusal(url="https://api.upbit.com") == (
        "url must be an address that begins with ws:// or wss://, not 'https://api.upbit.com'"
    )


@pytest.mark.parametrize("url", [(), ["ws://a"], ("ws://a", "http://b"), 7])
def test_addresses_that_are_none_are_refused(url: object) -> None:
    assert "url must be an address" in _refusal(url=url)


@pytest.mark.parametrize("host", ["", ":9", "h:0", "h:99999", "h:x", "[::1"])
def test_an_address_without_a_host_or_a_true_port_is_refused(host: str) -> None:
    assert _refusal(url=f"ws://{host}") == (
        f"url must be an address of a host, where a port is 1 to 65535, not 'ws://{host}'"
    )
    assert _refusal(rest=f"http://{host}").startswith("rest must be an address of a host")


@pytest.mark.parametrize("symbol", ["KRW-\ud800", "KRW\n"])
def test_a_symbol_that_cannot_be_written_is_refused(symbol: str) -> None:
    assert "in characters that can be written" in _refusal(symbols=[symbol])


def test_without_an_address_the_endpoints_are_the_exchanges() -> None:
    assert Feed("upbit", ["KRW-BTC"]).endpoints == EXCHANGES["upbit"].endpoints


@pytest.mark.parametrize("url", ["ws://a/", ("ws://a/",)])
def test_an_address_takes_the_place_of_the_exchanges_endpoints(url: object) -> None:
    assert Feed("upbit", ["KRW-BTC"], url=url).endpoints == ("ws://a",)


def test_several_addresses_are_gone_through_in_their_order() -> None:
    assert Feed("upbit", ["KRW-BTC"], url=("ws://b", "ws://a")).endpoints == ("ws://b", "ws://a")


@pytest.mark.parametrize("redundancy", [0, 5, -1, True, 1.5, "2", None])
def test_a_redundancy_that_is_no_number_of_connections_is_refused(redundancy: object) -> None:
    assert _refusal(redundancy=redundancy) == (
        f"redundancy must be a whole number, 1 to 4, not {redundancy!r}"
    )


def test_a_key_is_split_into_exchange_and_symbol() -> None:
    assert parse_key("binance:BTCUSDT") == ("binance", "BTCUSDT")


def test_a_symbol_may_hold_a_colon() -> None:
    assert parse_key("binance:A:B") == ("binance", "A:B")


@pytest.mark.parametrize("key", ["KRW-BTC", ":KRW-BTC", "upbit:", ""])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        parse_key(key)

    assert str(caught.value) == (
        f"key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not {key!r}"
    )


def test_a_key_of_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(InvalidOption, match=r"exchange must be one of .*upbit, not 'ftx'"):
        parse_key("ftx:BTC")
