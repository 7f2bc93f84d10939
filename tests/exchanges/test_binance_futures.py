"""Binance's USD-M futures: another address, another REST side, another rule for gaps."""

import json

from ticklane import Feed
from ticklane.exchanges import EXCHANGES, BinanceFuturesProtocol, BookRequest
from ticklane.messages import GapDetected, Snapshot

BASE = b'{"lastUpdateId":100,"E":5,"T":4,"bids":[["10","1"]],"asks":[["11","1"]]}'


def frame(first: int, last: int, prior: int) -> bytes:
    data = {"e": "depthUpdate", "E": 7, "T": 6, "s": "BTCUSDT", "U": first, "u": last, "pu": prior}
    content = {"stream": "btcusdt@depth@100ms", "data": data | {"b": [["10", "2"]], "a": []}}
    return json.dumps(content).encode()


def protocol() -> BinanceFuturesProtocol:
    made = BinanceFuturesProtocol(("BTCUSDT",))
    made.missing()
    made.fetched("BTCUSDT", BASE, 1)
    return made


def test_order_books_stand_under_the_public_address() -> None:
    row = EXCHANGES["binance-usdm"]

    assert protocol().url(row.endpoints[0]) == (
        "wss://fstream.binance.com/public/stream?streams=btcusdt@depth@100ms"
    )


def test_its_base_comes_from_the_futures_rest_side() -> None:
    assert BinanceFuturesProtocol(("BTCUSDT",)).missing() == [
        BookRequest("BTCUSDT", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000", 20)
    ]
    assert EXCHANGES["binance-usdm"].rest == "https://fapi.binance.com"


def test_its_keys_are_its_own() -> None:
    assert Feed("binance-usdm", ["BTCUSDT"]).keys == ("binance-usdm:BTCUSDT",)


def test_the_first_difference_holds_the_number_of_the_base() -> None:
    (book,) = protocol().receive(frame(98, 105, 90), 77)

    assert book == Snapshot("binance-usdm", "BTCUSDT", ((10.0, 2.0),), ((11.0, 1.0),), 7, 105, 77)


def test_numbers_between_differences_are_no_gap() -> None:
    reader = protocol()
    reader.receive(frame(98, 105, 90), 1)

    assert isinstance(reader.receive(frame(120, 130, 105), 1)[0], Snapshot)


def test_a_prior_number_that_is_not_the_last_one_is_a_gap() -> None:
    reader = protocol()
    reader.receive(frame(98, 105, 90), 1)

    assert reader.receive(frame(120, 130, 119), 1)[0] == GapDetected(
        key="binance-usdm:BTCUSDT", missed=14
    )
