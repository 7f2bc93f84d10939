"""What a connection's frames come to: good ones offered, bad ones counted, nothing harmed."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from ticklane import Feed, MarketData
from ticklane.actors import BookDesk, Connection, FeedPart, RestGate
from ticklane.exchanges import EXCHANGES, BookRequest, Budget
from ticklane.messages import (
    ConnectionEnding,
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedMetrics,
    Snapshot,
)
from ticklane.runtime import Answer, Dispatcher, Inbox, Mailbox
from ticklane.simulation import LoopbackExchange

if TYPE_CHECKING:
    from loguru import Message

TIMEOUT_S = 10.0
SYMBOLS = {"upbit": ("KRW-BTC", "KRW-ETH"), "binance": ("BTCUSDT", "ETHUSDT")}


def upbit(
    symbol: str = "KRW-BTC",
    *,
    bid: object = 100.0,
    ask: object = 101.0,
    size: object = 1.0,
    at_ms: object = 1,
) -> bytes:
    unit = {"ask_price": ask, "bid_price": bid, "ask_size": size, "bid_size": size}
    return json.dumps(
        {"type": "orderbook", "code": symbol, "timestamp": at_ms, "orderbook_units": [unit]}
    ).encode()


def binance(
    symbol: str = "BTCUSDT",
    *,
    bids: object = (("100.0", "1.0"),),
    asks: object = (("101.0", "1.0"),),
    number: object = 1,
) -> str:
    data = {"lastUpdateId": number, "bids": bids, "asks": asks}
    return json.dumps({"stream": f"{symbol.lower()}@depth20@100ms", "data": data})


GOOD: dict[str, Callable[[str], bytes | str]] = {"upbit": upbit, "binance": binance}

BAD: dict[str, tuple[str, bytes | str, str]] = {
    "bytes that are no text": ("upbit", b"\x00\xff\xfe", "json"),
    "text that is not JSON": ("binance", "<html>502 Bad Gateway</html>", "json"),
    "an empty frame": ("upbit", b"", "json"),
    "JSON cut off": ("upbit", upbit()[:-10], "json"),
    "JSON that is no object": ("binance", "[1, 2]", "type"),
    "an object that says nothing": ("upbit", b"{}", "type"),
    "a price of the wrong type": ("upbit", upbit(bid=["100"]), "type"),
    "a time stamp of the wrong type": ("upbit", upbit(at_ms="now"), "type"),
    "levels of the wrong type": ("binance", binance(bids=7), "type"),
    "a NaN in a string": ("binance", binance(bids=(("NaN", "1.0"),)), "number"),
    "an infinite price": ("binance", binance(asks=(("Infinity", "1.0"),)), "number"),
    "a bare NaN, which JSON has not": ("upbit", upbit(bid=float("nan")), "json"),
    "a negative size": ("upbit", upbit(size=-1.0), "size"),
    "a negative size in a string": ("binance", binance(bids=(("100.0", "-1.0"),)), "size"),
    "a negative price": ("upbit", upbit(bid=-100.0), "number"),
    "a crossed book": ("upbit", upbit(bid=102.0), "crossed"),
    "a crossed book in strings": ("binance", binance(bids=(("102.0", "1.0"),)), "crossed"),
    "an empty book": ("binance", binance(bids=(), asks=()), "empty"),
    "a book of empty levels": ("upbit", upbit(bid=0.0, ask=0.0, size=0.0), "empty"),
    "an unknown symbol": ("upbit", upbit("KRW-DOGE"), "symbol"),
    "an unknown symbol in a stream": ("binance", binance("DOGEUSDT"), "symbol"),
    "an error reply": (
        "upbit",
        b'{"error":{"name":"NO_CODES","message":"codes field is empty."}}',
        "error_reply",
    ),
    "an error reply in text": (
        "binance",
        '{"error":{"code":2,"msg":"Invalid request"}}',
        "error_reply",
    ),
    "a frame of 32 MiB": ("upbit", bytes(32 * 2**20), "oversized"),
}


@attrs.frozen
class Line:
    """An exchange that says what it is told to say, and a host that listens."""

    exchange: LoopbackExchange
    market: MarketData
    second: threading.Event
    """The second symbol's book was handled: all that was sent before it has been read."""

    def hears(self, *payloads: bytes | str) -> None:
        """Send them, and then the second symbol's book; return when that is handled."""
        first, second = SYMBOLS[self.exchange.exchange]
        good = GOOD[self.exchange.exchange]
        for payload in (good(first), *payloads, good(second)):
            self.exchange.send_raw(payload)

        assert self.second.wait(TIMEOUT_S)

    @property
    def feed(self) -> FeedMetrics:
        return self.market.metrics().feeds[0]


@contextmanager
def line(exchange_name: str) -> Iterator[Line]:
    symbols = SYMBOLS[exchange_name]
    second = threading.Event()
    with LoopbackExchange(exchange_name, ()) as exchange:
        market = MarketData([Feed(exchange_name, symbols, url=exchange.url)])
        market.subscribe(f"{exchange_name}:{symbols[1]}", lambda _: second.set())
        with market:
            assert exchange.connected.wait(TIMEOUT_S)
            yield Line(exchange, market, second)


## Bad input


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_counted_by_its_reason_and_logged_once(
    name: str, logged: list["Message"]
) -> None:
    exchange, payload, reason = BAD[name]
    with line(exchange) as host:
        host.hears(payload, payload, payload)
        host.market.stop()

    assert host.feed.bad_frames == {reason: 3}
    assert len(logged) == 1


@pytest.mark.parametrize("name", BAD)
def test_bad_input_harms_neither_the_connection_nor_a_symbol(name: str) -> None:
    exchange, payload, _ = BAD[name]
    with line(exchange) as host:
        host.hears(payload)
        metrics = host.market.metrics()

    assert [metrics.feeds[0].reconnects, metrics.feeds[0].snapshots] == [0, 2]
    assert [(queue.handled, queue.restarts) for queue in metrics.queues.values()] == [(1, 0)] * 2


def test_each_reason_is_logged_by_itself(logged: list["Message"]) -> None:
    with line("upbit") as host:
        host.hears(b"nonsense", b"more nonsense", upbit(size=-1.0), upbit(bid=102.0))

    assert [each.record["message"].partition(": ")[2][:38] for each in logged] == [
        "frames that cannot be used (json): JSO",
        "frames that cannot be used (size): siz",
        "frames that cannot be used (crossed): ",
    ]


def test_an_error_reply_is_the_feeds_last_error_and_names_its_symbols() -> None:
    with line("upbit") as host:
        host.hears(b'{"error":{"name":"NO_CODES","message":"codes field is empty."}}')
        host.market.stop()

    assert host.feed.last_error == (
        "upbit replied NO_CODES: codes field is empty. (subscription of KRW-BTC, KRW-ETH)"
    )


## One connection by itself


class Broken:
    """A protocol whose author has made a mistake."""

    def url(self, base: str) -> str:
        return base

    def greeting(self) -> tuple[str, ...]:
        return ("hello", "books, please")

    def change(self, added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
        raise ZeroDivisionError(added, removed)

    def receive(self, payload: bytes, received_ns: int) -> Sequence[Snapshot | FeedEvent]:
        raise ZeroDivisionError(payload, received_ns)


class Wire:
    """A link that notes what is sent."""

    here = None

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    def ping(self) -> None:
        """Do nothing."""

    def close(self, reason: str) -> None:
        """Do nothing."""

    def backlog(self) -> int:
        return 0


@pytest.fixture
def feed(dispatcher: Dispatcher) -> Inbox:
    """Return the feed's inbox: nobody handles what is told to it."""
    return Inbox(dispatcher)


@pytest.fixture
def mailboxes(dispatcher: Dispatcher) -> dict[str, Mailbox]:
    return {symbol: Mailbox(f"upbit:{symbol}", dispatcher) for symbol in SYMBOLS["upbit"]}


@pytest.fixture
def connection(feed: Inbox, mailboxes: dict[str, Mailbox]) -> Connection:
    row = EXCHANGES["upbit"]
    protocol = row.protocol(SYMBOLS["upbit"], row.streams[0])
    return Connection("upbit", "wss://somewhere", protocol, FeedPart(mailboxes), feed)


def told(feed: Inbox) -> list[object]:
    return [feed.get().message for _ in range(feed.backlog)]


def test_an_open_connection_leaves_the_subscribing_to_its_feed(
    connection: Connection, feed: Inbox
) -> None:
    wire = Wire()
    connection.opened(wire)

    assert wire.sent == []
    assert told(feed) == [ConnectionOpened(connection)]


def test_every_symbol_is_told_of_the_connection_and_of_its_loss(
    connection: Connection, mailboxes: dict[str, Mailbox]
) -> None:
    connection.opened(Wire())
    connection.closed("the cable")

    assert [[event for _, event in box._events] for box in mailboxes.values()] == [
        [FeedConnected(key=key, url="wss://somewhere"), FeedLost(key=key, reason="the cable")]
        for key in ("upbit:KRW-BTC", "upbit:KRW-ETH")
    ]


def test_the_feed_is_told_of_the_first_snapshot_only(connection: Connection, feed: Inbox) -> None:
    connection.received(upbit(), 5)
    connection.received(upbit(at_ms=2), 6)
    connection.closed("the cable")

    assert told(feed) == [
        ConnectionStreaming(connection),
        ConnectionLost(connection, "the cable"),
    ]


def test_a_snapshot_is_offered_to_its_symbol_with_its_receive_time(
    connection: Connection, mailboxes: dict[str, Mailbox]
) -> None:
    connection.received(upbit("KRW-ETH"), 5)

    assert mailboxes["KRW-BTC"].latest is None
    assert mailboxes["KRW-ETH"].latest == Snapshot(
        "upbit", "KRW-ETH", ((100.0, 1.0),), ((101.0, 1.0),), 1, None, 5
    )


def test_frames_are_counted_good_and_bad(connection: Connection) -> None:
    connection.received(upbit(), 5)
    connection.received(b"nonsense", 6)
    connection.received(b'{"status":"UP"}', 7)

    assert [connection.frames, connection.snapshots, connection.last_frame_ns] == [3, 1, 7]


def test_an_error_reply_is_passed_on_to_the_feed(connection: Connection, feed: Inbox) -> None:
    connection.received(b'{"error":{"name":"NO_CODES"}}', 5)
    (refused,) = told(feed)

    assert isinstance(refused, ConnectionRefused)
    assert (refused.reply.code, refused.reply.symbols) == ("NO_CODES", SYMBOLS["upbit"])


def test_a_mistake_in_a_protocol_ends_no_connection(
    feed: Inbox, mailboxes: dict[str, Mailbox]
) -> None:
    connection = Connection("upbit", "", Broken(), FeedPart(mailboxes), feed)
    connection.received(upbit(), 5)

    assert connection.bad_frames == {"unexpected": 1}


def test_a_frame_too_long_to_be_kept_is_counted_and_is_a_sign_of_life(
    connection: Connection,
) -> None:
    connection.oversized(2**24 + 1, 5)

    assert connection.bad_frames == {"oversized": 1}
    assert (connection.frames, connection.last_frame_ns) == (1, 5)


def test_a_symbol_removed_a_moment_ago_is_nobodys_and_no_fault(
    feed: Inbox, mailboxes: dict[str, Mailbox]
) -> None:
    part = FeedPart(mailboxes)
    row = EXCHANGES["upbit"]
    protocol = row.protocol(SYMBOLS["upbit"], row.streams[0])
    connection = Connection("upbit", "", protocol, part, feed)
    part.remove("KRW-ETH")
    connection.received(upbit("KRW-ETH"), 5)

    assert mailboxes["KRW-ETH"].latest is None
    assert connection.bad_frames == {}


def test_an_exchange_that_will_hang_up_is_told_to_the_feed_and_is_no_snapshot(
    feed: Inbox, mailboxes: dict[str, Mailbox]
) -> None:
    row = EXCHANGES["binance"]
    protocol = row.protocol(SYMBOLS["binance"], row.streams[0])
    connection = Connection("binance", "", protocol, FeedPart(mailboxes), feed)
    connection.received(b'{"e":"serverShutdown","E":1746601573804}', 5)

    assert told(feed) == [ConnectionEnding(connection)]
    assert connection.snapshots == 0


## One connection of differences


class NotingRest:
    """A REST side that never answers and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled = 0

    def get(self, url: str, _: float, __: Callable[[Answer], object]) -> "NotingRest":
        self.asked.append(url.partition("symbol=")[2].partition("&")[0])
        return self

    def cancel(self) -> None:
        self.cancelled += 1


class PingedWire(Wire):
    """A link that notes pings."""

    pings = 0

    def ping(self) -> None:
        self.pings += 1


@attrs.frozen
class Diffs:
    """A connection of differences, and all that is around it."""

    connection: Connection
    rest: NotingRest
    feed: Inbox
    wire: PingedWire
    mailboxes: dict[str, Mailbox]
    stepped: Any

    def latest(self) -> list[int | None]:
        return [box.latest.sequence if box.latest else None for box in self.mailboxes.values()]


REQUESTS = {
    symbol: BookRequest(symbol, f"/api/v3/depth?symbol={symbol}&limit=1000", 50)
    for symbol in SYMBOLS["binance"]
}


def difference(first: int, last: int) -> bytes:
    data = {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": last, "b": [], "a": []}
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": data}).encode()


def answer(number: int = 10, status: int = 200) -> Answer:
    body = f'{{"lastUpdateId":{number},"bids":[["1","1"]],"asks":[["2","1"]]}}'
    return Answer(status=status, body=body.encode(), received_ns=5)


@pytest.fixture
def diffs(stepped: Any) -> Diffs:
    rest, feed = NotingRest(), Inbox(stepped)
    mailboxes = {symbol: Mailbox(f"binance:{symbol}", stepped) for symbol in SYMBOLS["binance"]}
    desk = BookDesk("http://rest", rest, RestGate(Budget(6000, 60.0)), stepped)
    protocol = EXCHANGES["binance"].protocol(SYMBOLS["binance"], "depth")
    connection = Connection("binance", "", protocol, FeedPart(mailboxes), feed, desk=desk)
    wire = PingedWire()
    connection.opened(wire)
    stepped.advance(0.0)
    return Diffs(connection, rest, feed, wire, mailboxes, stepped)


def test_its_books_are_fetched_when_it_is_open(diffs: Diffs) -> None:
    assert diffs.rest.asked == [*SYMBOLS["binance"]]


def test_an_answer_is_read_with_the_next_frame(diffs: Diffs) -> None:
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    before = diffs.latest()
    diffs.connection.received(b'{"result":null,"id":1}', 7)

    assert (before, diffs.latest()) == ([None, None], [10, None])


def test_an_answer_is_read_with_the_next_ping_or_pong(diffs: Diffs) -> None:
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    diffs.connection.heard(7)

    assert diffs.latest() == [10, None]


def test_only_the_answer_that_waits_longest_is_worth_a_ping(diffs: Diffs) -> None:
    for symbol in SYMBOLS["binance"]:
        diffs.connection.answered(REQUESTS[symbol], answer())
    for symbol in SYMBOLS["binance"]:
        diffs.connection.nudge(REQUESTS[symbol])

    assert diffs.wire.pings == 1


def test_answers_that_are_read_are_worth_no_ping(diffs: Diffs) -> None:
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    diffs.connection.heard(7)
    diffs.connection.nudge(REQUESTS["BTCUSDT"])

    assert diffs.wire.pings == 0


def test_it_streams_when_every_symbol_has_had_a_book(diffs: Diffs) -> None:
    told(diffs.feed)
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    diffs.connection.heard(7)
    after_one = told(diffs.feed)
    diffs.connection.answered(REQUESTS["ETHUSDT"], answer())
    diffs.connection.heard(8)

    assert (after_one, told(diffs.feed)) == ([], [ConnectionStreaming(diffs.connection)])


def test_a_symbol_that_is_refused_or_removed_is_not_waited_for(diffs: Diffs) -> None:
    told(diffs.feed)
    diffs.connection.answered(REQUESTS["ETHUSDT"], answer(status=400))
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    diffs.connection.heard(7)
    refused, streaming = told(diffs.feed)

    assert isinstance(refused, ConnectionRefused)
    assert refused.reply.symbols == ("ETHUSDT",)
    assert streaming == ConnectionStreaming(diffs.connection)
    assert diffs.connection.bad_frames == {"error_reply": 1}


def test_a_symbol_whose_market_is_halted_is_not_waited_for(diffs: Diffs) -> None:
    told(diffs.feed)
    no_levels = attrs.evolve(answer(), body=b'{"lastUpdateId":10,"bids":[],"asks":[]}')
    diffs.connection.answered(REQUESTS["ETHUSDT"], no_levels)
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    diffs.connection.heard(7)

    assert told(diffs.feed) == [ConnectionStreaming(diffs.connection)]


def test_a_base_that_cannot_be_read_is_counted_and_fetched_again(diffs: Diffs) -> None:
    diffs.connection.answered(REQUESTS["BTCUSDT"], attrs.evolve(answer(), body=b"<html>"))
    diffs.connection.heard(7)
    diffs.stepped.advance(2.0)

    assert diffs.connection.bad_frames == {"json": 1}
    assert diffs.rest.asked[2:] == ["BTCUSDT"]


def test_a_jump_in_the_exchanges_numbers_is_counted(diffs: Diffs) -> None:
    diffs.connection.answered(REQUESTS["BTCUSDT"], answer())
    for first, last in ((11, 12), (13, 14), (20, 21)):
        diffs.connection.received(difference(first, last), 7)

    assert diffs.connection.gaps == 1


def test_when_it_is_gone_nothing_is_fetched_for_it_any_more(diffs: Diffs) -> None:
    diffs.connection.closed("the cable")

    assert diffs.rest.cancelled == 2
