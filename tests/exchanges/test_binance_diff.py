"""Binance's differences: real frames with their REST answers, and frames that cannot be used."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges import (
    EXCHANGES,
    BinanceDiffProtocol,
    BookRequest,
    Brought,
    DiffProtocol,
)
from ticklane.messages import BadFrame, ExchangeReplied, Snapshot
from ticklane.simulation import read_capture

SYMBOLS = ("NKNUSDT", "LRCBTC", "BLZETH", "RUNEEUR")
DIFF = {
    "e": "depthUpdate",
    "E": 1672515782136,
    "s": "BTCUSDT",
    "U": 157,
    "u": 160,
    "b": [["0.0024", "10"]],
    "a": [["0.0026", "100"]],
}
BASE = {"lastUpdateId": 156, "bids": [["0.0023", "4"]], "asks": [["0.0027", "12"]]}


def frame(stream: str = "btcusdt@depth@100ms", **changed: Any) -> bytes:
    return json.dumps({"stream": stream, "data": DIFF | changed}).encode()


def base(**changed: Any) -> bytes:
    return json.dumps(BASE | changed).encode()


def protocol(*, synced: bool = True) -> BinanceDiffProtocol:
    made = BinanceDiffProtocol(("BTCUSDT", "ETHUSDT"))
    made.missing()
    if synced:
        made.fetched("BTCUSDT", base(), 1)
    return made


def reason(brought: Sequence[Brought]) -> str:
    (bad,) = [each for each in brought if isinstance(each, BadFrame)]
    return bad.reason


## Real frames


def rest_answers(captures: Path) -> dict[str, bytes]:
    answers = {}
    for line in (captures / "binance-2021-10-12.http.txt").read_text().splitlines():
        url, _, answer = line.partition(" -> ")
        symbol = parse_qs(urlsplit(url).query).get("symbol")
        if symbol and "/depth" in url:
            answers[symbol[0]] = answer.partition(": ")[2].encode()
    return answers


def replayed(captures: Path) -> Iterator[Brought]:
    """Read the capture, each base answered as soon as the symbol's first difference wants it."""
    answers = rest_answers(captures)
    reader = BinanceDiffProtocol(SYMBOLS)
    waiting = {request.symbol for request in reader.missing()}
    for number, captured in enumerate(read_capture(captures / "binance-2021-10-12.ws.txt")):
        payload = captured.payload
        yield from reader.receive(
            payload if isinstance(payload, bytes) else payload.encode(), number
        )
        stream = json.loads(payload).get("stream", "")
        symbol = stream.partition("@")[0].upper()
        if symbol in waiting and "@depth" in stream:
            waiting.remove(symbol)
            yield from reader.fetched(symbol, answers[symbol], number)


class PlainBook:
    """A book by the plainest means."""

    def __init__(self, symbol: str, answer: dict[str, Any]) -> None:
        self.symbol = symbol
        self.number = answer["lastUpdateId"]
        self.time: int | None = None
        self.bids = {float(price): float(size) for price, size in answer["bids"]}
        self.asks = {float(price): float(size) for price, size in answer["asks"]}

    def change(self, data: dict[str, Any]) -> None:
        self.number, self.time = data["u"], data["E"]
        self.bids |= {float(price): float(size) for price, size in data["b"]}
        self.asks |= {float(price): float(size) for price, size in data["a"]}

    @property
    def content(self) -> tuple[object, ...]:
        bids = sorted(level for level in self.bids.items() if level[1])[:-21:-1]
        asks = sorted(level for level in self.asks.items() if level[1])[:20]
        return self.symbol, tuple(bids), tuple(asks), self.time, self.number


def by_dictionary(captures: Path) -> Iterator[tuple[object, ...]]:
    answers = rest_answers(captures)
    books: dict[str, PlainBook] = {}
    for captured in read_capture(captures / "binance-2021-10-12.ws.txt"):
        content = json.loads(captured.payload)
        if "@depth" not in content.get("stream", ""):
            continue
        data = content["data"]
        symbol = data["s"]
        if symbol not in books:
            books[symbol] = PlainBook(symbol, json.loads(answers[symbol]))
            yield books[symbol].content
        if data["u"] > books[symbol].number:
            books[symbol].change(data)
            yield books[symbol].content


def test_a_real_capture_gives_176_books_equal_to_those_of_a_plain_dictionary(
    captures: Path,
) -> None:
    brought = [*replayed(captures)]
    books = [
        (each.symbol, each.bids, each.asks, each.exchange_time_ms, each.sequence)
        for each in brought
        if isinstance(each, Snapshot)
    ]

    assert len(brought) == len(books) == 176
    assert books == [*by_dictionary(captures)]


## What is asked for


def test_differences_are_asked_for_in_the_address() -> None:
    url = protocol().url("wss://stream.binance.com:9443")

    assert url == (
        "wss://stream.binance.com:9443/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms"
    )


def test_the_table_offers_them_as_a_stream_that_fetches_books() -> None:
    row = EXCHANGES["binance"]

    assert isinstance(row.protocol(("BTCUSDT",), "depth"), DiffProtocol)
    assert not isinstance(row.protocol(("BTCUSDT",), "depth20"), DiffProtocol)


def test_every_symbols_base_is_asked_for_at_the_start() -> None:
    assert BinanceDiffProtocol(("BTCUSDT", "ETHUSDT")).missing() == [
        BookRequest("BTCUSDT", "/api/v3/depth?symbol=BTCUSDT&limit=1000", 50),
        BookRequest("ETHUSDT", "/api/v3/depth?symbol=ETHUSDT&limit=1000", 50),
    ]


def test_an_added_symbol_is_asked_for_and_its_base_when_that_is_acknowledged() -> None:
    reader = protocol()
    (request,) = reader.change(("XRPUSDT",), ())
    acknowledged = reader.receive(b'{"result":null,"id":1}', 1)

    assert json.loads(request)["params"] == ["xrpusdt@depth@100ms"]
    assert [each.symbol for each in acknowledged if isinstance(each, BookRequest)] == ["XRPUSDT"]


def test_a_rejected_symbol_gets_no_base_before_its_subscription_is_granted() -> None:
    reader = protocol()
    reader.change(("XRPUSDT",), ())
    with pytest.raises(ExchangeReplied):
        reader.receive(b'{"error":{"code":2,"msg":"invalid stream"},"id":1}', 1)
    reader.change(("XRPUSDT",), ("XRPUSDT",))
    unsubscribed = reader.receive(b'{"result":null,"id":2}', 1)
    granted = reader.receive(b'{"result":null,"id":3}', 1)

    assert list(unsubscribed) == []
    assert [each.symbol for each in granted if isinstance(each, BookRequest)] == ["XRPUSDT"]


def test_what_still_comes_for_a_removed_symbol_brings_nothing() -> None:
    reader = protocol()
    reader.change((), ("BTCUSDT",))

    assert reader.receive(frame(), 1) == ()
    assert reader.fetched("BTCUSDT", base(), 1) == ()


def test_a_symbol_asked_for_anew_keeps_its_book() -> None:
    reader = protocol()
    reader.change(("BTCUSDT",), ("BTCUSDT",))
    (book,) = reader.receive(frame(), 1)

    assert isinstance(book, Snapshot)


def test_a_symbol_that_was_removed_and_comes_back_begins_with_a_new_base() -> None:
    reader = protocol()
    reader.change((), ("BTCUSDT",))
    reader.change(("BTCUSDT",), ())
    (request,) = reader.receive(frame(), 1)

    assert isinstance(request, BookRequest)


## What comes


def test_a_difference_brings_a_whole_book() -> None:
    assert protocol().receive(frame(), 77) == (
        Snapshot(
            "binance",
            "BTCUSDT",
            ((0.0024, 10.0), (0.0023, 4.0)),
            ((0.0026, 100.0), (0.0027, 12.0)),
            1672515782136,
            160,
            77,
        ),
    )


def test_only_the_symbol_with_a_gap_loses_its_book() -> None:
    reader = protocol()
    reader.fetched("ETHUSDT", base(), 1)
    lost = reader.receive(frame(U=200, u=201), 1)
    other = reader.receive(frame("ethusdt@depth@100ms", s="ETHUSDT"), 1)

    assert [type(each).__name__ for each in lost] == ["GapDetected", "BookRequest"]
    assert [type(each).__name__ for each in other] == ["Snapshot"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"U": None}, "type"),
        ({"u": "many"}, "type"),
        ({"b": 7}, "type"),
        ({"b": [["0.0024"]]}, "type"),
        ({"a": [["much", "1"]]}, "type"),
        ({"s": "ETHUSDT"}, "symbol"),
        ({"b": [["NaN", "1"]]}, "number"),
        ({"a": [["0.0026", "-1"]]}, "size"),
        ({"b": [["0.0028", "1"]]}, "crossed"),
    ],
)
def test_a_difference_that_cannot_be_used_is_told_and_its_book_fetched_anew(
    changed: dict[str, Any], told: str
) -> None:
    brought = protocol().receive(frame(**changed), 1)

    assert reason(brought) == told
    assert [type(each).__name__ for each in brought[1:]] == ["GapDetected", "BookRequest"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "json"),
        (b"[]", "type"),
        (base(lastUpdateId=None), "type"),
        (base(bids=[["0.0028", "1"]]), "crossed"),
        (base(bids=[["0.0023", "-1"]]), "size"),
    ],
)
def test_a_base_that_cannot_be_used_is_told_and_fetched_again(body: bytes, told: str) -> None:
    brought = protocol(synced=False).fetched("BTCUSDT", body, 1)

    assert reason(brought) == told
    assert isinstance(brought[-1], BookRequest)
    assert brought[-1].attempt == 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.floats().map(str) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def outcome(read: Callable[..., Sequence[Brought]], *given: object) -> Sequence[Brought]:
    try:
        return read(*given)
    except (BadFrame, ExchangeReplied):
        return ()


@given(st.sampled_from(sorted(DIFF)), anything)
def test_a_difference_with_anything_in_a_field_is_read_or_told(field: str, value: Any) -> None:
    brought = outcome(protocol().receive, frame(**{field: value}), 1)

    assert all(isinstance(each, Brought) for each in brought)


@given(st.sampled_from(sorted(BASE)), anything)
def test_a_base_with_anything_in_a_field_is_read_or_told(field: str, value: object) -> None:
    brought = protocol(synced=False).fetched("BTCUSDT", base(**{field: value}), 1)

    assert all(isinstance(each, Brought) for each in brought)


@given(st.binary())
def test_any_bytes_at_all_are_a_bad_frame_or_nothing(payload: bytes) -> None:
    assert not outcome(protocol().receive, payload, 1)
