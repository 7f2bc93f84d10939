"""Whatever an exchange sends: no error escapes, no connection is lost, nothing grows."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane import Feed, MarketData
from ticklane.exchanges import EXCHANGES, DiffProtocol, ExchangeProtocol
from ticklane.exchanges.levels import checked_book
from ticklane.messages import BadFrame, ExchangeReplied, Snapshot
from ticklane.runtime.frames import CONTROL_MAX, FrameParser, ProtocolFailure
from ticklane.simulation import LoopbackExchange, SyntheticMarket, read_capture, venue_named

KRW = frozenset({"upbit", "bithumb"})
STREAMS = [(name, stream) for name, row in EXCHANGES.items() for stream in row.streams]
CAPTURES = {
    "upbit": ("upbit-2021-04-17.ws.txt", ("KRW-LAMB", "KRW-WAVES", "BTC-XTZ")),
    "binance": ("binance-2021-10-12.ws.txt", ("NKNUSDT", "LRCBTC", "BLZETH")),
}
STRANGE = (
    *(None, True, -1, 0, 10**400, 2**63, 1e308, float("nan"), float("-inf"), 5e-324),
    *("", "NaN", "-Infinity", "1e999", "-0.0", "0x1p3", "\ud800", "가" * 100, "9" * 5000),
    *([], {}, [[]], [None] * 100, {"": {}}, "@deep@", "@wide@"),
)
DEEP, WIDE = "[" * 3000 + "]" * 3000, "[" + "0," * 5000 + "0]"

randoms = st.randoms(use_true_random=False)


def symbols_of(exchange: str) -> tuple[str, ...]:
    return ("KRW-BTC", "KRW-ETH") if exchange in KRW else ("BTCUSDT", "ETHUSDT")


def protocol_of(exchange: str, stream: str) -> ExchangeProtocol:
    return EXCHANGES[exchange].protocol(symbols_of(exchange), stream)


def good_frames(exchange: str, stream: str, symbols: tuple[str, ...] = ()) -> list[bytes]:
    """Return what the simulated exchange sends to who asks for this stream."""
    symbols = symbols or symbols_of(exchange)
    keys = [f"{exchange}:{symbol}" for symbol in symbols]
    protocol = EXCHANGES[exchange].protocol(symbols, stream)
    if isinstance(protocol, DiffProtocol):
        return differences(exchange)
    address = urlsplit(protocol.url("ws://host"))
    session = venue_named(exchange)(f"{address.path}?{address.query}".rstrip("?"))
    replies = [reply for text in protocol.greeting() for reply in session.receive(text)]
    forms = dict(session.subscriptions())
    books = (book for _, book in islice(SyntheticMarket(keys, depth=3).books(), 6))
    frames = [*replies, *(forms[book.symbol].frame(book) for book in books)]
    return [frame.encode() if isinstance(frame, str) else frame for frame in frames]


def differences(exchange: str) -> list[bytes]:
    """Return frames of Binance's differences, which follow on `BASE`."""
    return [
        b'{"stream":"%s@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"%s","U":%d,"u":%d,"pu":%d'
        b',"b":[["4.0","%d.5"]],"a":[["4.3","0"]]}}'
        % (symbol.lower().encode(), symbol.encode(), number, number, number - 1, number)
        for number in range(101, 104)
        for symbol in symbols_of(exchange)
    ]


## Mutations


def mutated(rng: Random, payload: bytes, other: bytes) -> bytes:
    """Return a payload with something wrong in it, often enough."""
    for _ in range(rng.randint(1, 3)):
        payload = rng.choice(EDITS)(rng, payload, other)
    return payload


def flipped(rng: Random, payload: bytes, _other: bytes) -> bytes:
    changed = bytearray(payload or b"?")
    changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng: Random, payload: bytes, _other: bytes) -> bytes:
    start, end = sorted((rng.randint(0, len(payload)), rng.randint(0, len(payload))))
    return payload[:start] + payload[end:]


def spliced(rng: Random, payload: bytes, other: bytes) -> bytes:
    return payload[: rng.randint(0, len(payload))] + other[rng.randint(0, len(other)) :]


def put_in(rng: Random, payload: bytes, _other: bytes) -> bytes:
    """Put something strange in the place of any value, or of all of it."""

    def replace(inside: Any, at: Any) -> None:
        inside[at] = rng.choice(STRANGE)

    return _edited(rng, payload, replace)


def left_out(rng: Random, payload: bytes, _other: bytes) -> bytes:
    """Leave out a field or an item."""

    def remove(inside: Any, at: Any) -> None:
        del inside[at]

    return _edited(rng, payload, remove)


def _edited(rng: Random, payload: bytes, edit: Any) -> bytes:
    try:
        tree = [json.loads(payload)]
    except (ValueError, RecursionError):
        return payload
    edit(*rng.choice([*_places(tree)]))
    text = json.dumps(tree[0] if tree else None).replace('"@deep@"', DEEP)
    return text.replace('"@wide@"', WIDE).encode()


def _places(tree: Any) -> Any:
    for at in tree if isinstance(tree, dict) else range(len(tree)):
        yield tree, at
        if isinstance(tree[at], dict | list):
            yield from _places(tree[at])


# Bytes that were hit make no JSON most of the time, and are refused at the door.
EDITS = (flipped, cut, spliced, *[put_in] * 6, left_out, left_out)

## Protocols


def receive(protocol: ExchangeProtocol, payload: bytes) -> list[Snapshot]:
    """Return the books of a frame, each known to be sound; what may be raised is passed over."""
    try:
        brought = protocol.receive(payload, 7)
    except (BadFrame, ExchangeReplied):
        return []
    books = [each for each in brought if isinstance(each, Snapshot)]
    for book in books:
        assert checked_book(book.bids, book.asks) == (book.bids, book.asks)
    return books


@pytest.fixture(scope="module", params=STREAMS, ids="/".join)
def stream(request: pytest.FixtureRequest) -> tuple[str, str, list[bytes]]:
    return *request.param, good_frames(*request.param)


@settings(max_examples=40)
@given(randoms)
def test_no_mutated_frame_raises_what_it_should_not_nor_spoils_a_good_one(
    stream: tuple[str, str, list[bytes]], rng: Random
) -> None:
    name, kind, frames = stream
    protocol = protocol_of(name, kind)
    for _ in range(5):
        receive(protocol, mutated(rng, rng.choice(frames), rng.choice(frames)))

    good = next((each for each in frames if receive(protocol_of(name, kind), each)), b"")
    assert receive(protocol, good) == receive(protocol_of(name, kind), good)


@pytest.mark.parametrize("name", CAPTURES)
@settings(max_examples=100)
@given(rng=randoms)
def test_no_mutated_frame_of_a_capture_raises_what_it_should_not(
    captures: Path, name: str, rng: Random
) -> None:
    file, symbols = CAPTURES[name]
    frames = captured(captures / file)
    for kind in EXCHANGES[name].streams:
        protocol = EXCHANGES[name].protocol(symbols, kind)
        receive(protocol, mutated(rng, rng.choice(frames), rng.choice(frames)))


@cache
def captured(path: Path) -> list[bytes]:
    payloads = (frame.payload for frame in islice(read_capture(path), 100))
    return [each if isinstance(each, bytes) else each.encode() for each in payloads]


DIFFS = [each for each in STREAMS if isinstance(protocol_of(*each), DiffProtocol)]
BASE = b'{"lastUpdateId":100,"E":1,"bids":[["4.0","431.0"]],"asks":[["4.2","12.0"]]}'


@pytest.mark.parametrize(("name", "kind"), DIFFS)
@given(rng=randoms)
def test_no_mutated_base_raises_anything(name: str, kind: str, rng: Random) -> None:
    protocol = protocol_of(name, kind)
    assert isinstance(protocol, DiffProtocol)
    protocol.missing()
    frames = differences(name)
    receive(protocol, frames[0])
    protocol.fetched(symbols_of(name)[0], mutated(rng, BASE, BASE), 7)
    for frame in frames:
        receive(protocol, mutated(rng, frame, rng.choice(frames)))


## WebSocket frames

MAX_BYTES = 300
WIRE = [
    b"\x82\x05hello",
    b"\x81\x7e\x00\xc8" + b"t" * 200,
    b"\x82\x7e\x04\x00" + b"b" * 1024,
    b"\x01\x02he\x89\x03any\x80\x03llo",
    b"\x82\x7f" + (70_000).to_bytes(8, "big") + b"x" * 70_000,
    b"\x8a\x00",
    b"\x88\x02\x03\xe8",
]


@settings(max_examples=200)
@given(randoms)
def test_the_parser_fails_by_its_own_error_only_and_keeps_no_more_than_it_may(
    rng: Random,
) -> None:
    wire = b"".join(rng.choice(WIRE) for _ in range(rng.randint(1, 8)))
    wire = mutated_bytes(rng, wire)
    parser = FrameParser(max_frame_bytes=MAX_BYTES)
    chunk = rng.choice((1, 7, 100, 4096)) if len(wire) < 10_000 else 4096
    try:
        for start in range(0, len(wire), chunk):
            parser.feed(wire[start : start + chunk])
            while (message := parser.next_message()) is not None:
                assert not isinstance(message, bytes) or len(message) <= MAX_BYTES
            assert kept(parser) <= MAX_BYTES + chunk + CONTROL_MAX
    except ProtocolFailure:
        assert kept(parser) <= MAX_BYTES + CONTROL_MAX


def mutated_bytes(rng: Random, wire: bytes) -> bytes:
    for _ in range(rng.randint(0, 3)):
        wire = rng.choice((flipped, cut, spliced))(rng, wire, rng.choice(WIRE))
    return wire


def kept(parser: FrameParser) -> int:
    return len(parser._data) + len(parser._message) + len(parser._control)


## The whole


@pytest.mark.parametrize("name", ["upbit", "binance", "bithumb", "bybit"])
def test_a_feed_counts_each_bad_frame_by_reason_and_lives_on(name: str) -> None:
    kind = EXCHANGES[name].streams[0]
    frames, rng = good_frames(name, kind), Random(name)
    payloads = [mutated(rng, rng.choice(frames), rng.choice(frames)) for _ in range(150)]
    # No mutation has touched this one.
    last = "KRW-XRP" if name in KRW else "XRPUSDT"
    symbols = (*symbols_of(name), last)
    protocol = EXCHANGES[name].protocol(symbols, kind)
    good = next(each for each in good_frames(name, kind, (last,)) if receive(protocol, each))
    handled = Event()
    with LoopbackExchange(name, ()) as exchange:
        market = MarketData([Feed(name, symbols, url=exchange.url)])
        market.subscribe(f"{name}:{last}", lambda _: handled.set())
        with market:
            assert exchange.connected.wait(10.0)
            for payload in (*payloads, good):
                exchange.send_raw(payload)
            assert handled.wait(10.0)
            (feed,) = market.metrics().feeds

    assert feed.reconnects == 0
    # Bybit has an error of its own for a topic that is asked for anew before the first time.
    counted = Counter({why: n for why, n in feed.bad_frames.items() if why != "error_reply"})
    assert counted == reasons(EXCHANGES[name].protocol(symbols, kind), payloads)


def reasons(protocol: ExchangeProtocol, payloads: list[bytes]) -> Counter[str]:
    """Return what a feed must have counted."""
    counted: Counter[str] = Counter()
    for payload in payloads:
        try:
            brought = protocol.receive(payload, 7)
        except BadFrame as bad:
            counted[bad.reason] += 1
        except ExchangeReplied:
            pass
        else:
            counted.update(each.reason for each in brought if isinstance(each, BadFrame))
    return counted
