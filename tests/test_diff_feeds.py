"""Books kept from differences, from end to end: real sockets, and virtual time."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import attrs
import pytest

from ticklane import Feed, MarketData
from ticklane.messages import FeedEvent, Snapshot
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    World,
    WorldExchange,
    WorldTransport,
)

TIMEOUT_S = 10.0
BTC, ETH = "binance:BTCUSDT", "binance:ETHUSDT"


@attrs.define
class Diary:
    """What one symbol's consumer was told, in order."""

    told: list[Snapshot | FeedEvent] = attrs.field(factory=list)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def add(self, told: Snapshot | FeedEvent) -> None:
        with self._changed:
            self.told.append(told)
            self._changed.notify_all()

    @property
    def entries(self) -> list[object]:
        """The number of each book, the name of each event."""
        return [
            each.sequence if isinstance(each, Snapshot) else type(each).__name__
            for each in self.told
        ]

    @property
    def books(self) -> list[Snapshot]:
        return [each for each in self.told if isinstance(each, Snapshot)]

    def has(self, entry: object) -> bool:
        """Wait until it was told."""
        with self._changed:
            return self._changed.wait_for(lambda: entry in self.entries, TIMEOUT_S)

    def has_books(self, count: int) -> bool:
        """Wait until so many were told."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.books) >= count, TIMEOUT_S)


def subscribed(market: MarketData, key: str) -> Diary:
    diary = Diary()
    market.subscribe(key, diary.add, on_event=diary.add)
    return diary


def diff(symbol: str, first: int, last: int, bid_size: float = 1.0) -> str:
    data = {"e": "depthUpdate", "E": last, "s": symbol, "U": first, "u": last}
    content = data | {"b": [["10.0", str(bid_size)]], "a": []}
    return json.dumps({"stream": f"{symbol.lower()}@depth@100ms", "data": content})


def base(number: int) -> bytes:
    content = {"lastUpdateId": number, "bids": [["9.0", "1.0"]], "asks": [["11.0", "1.0"]]}
    return json.dumps(content).encode()


## Over real sockets, with an exchange that says what the test says


Reply = tuple[int, bytes, dict[str, str]]


class RestSide:
    """Answers each request as it is told to; a request waits until there is an answer for it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self._replies: dict[str, list[Reply]] = {}
        self._changed = threading.Condition()
        self._over = False
        side = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, headers = side.reply_to(self.path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will_say(self, symbol: str, body: bytes, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self._changed:
            self._replies.setdefault(symbol, []).append((status, body, named))
            self._changed.notify_all()

    def was_asked(self, symbol: str, times: int = 1) -> bool:
        """Wait until it was asked for a symbol so often."""
        with self._changed:
            return self._changed.wait_for(lambda: self.times(symbol) >= times, TIMEOUT_S)

    def times(self, symbol: str) -> int:
        return [asked for asked, _ in self.asked].count(symbol)

    def reply_to(self, path: str) -> Reply:
        symbol = path.partition("symbol=")[2].partition("&")[0]
        with self._changed:
            self.asked.append((symbol, time.monotonic()))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._over or self._replies.get(symbol))
            return (503, b"", {}) if self._over else self._replies[symbol].pop(0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@attrs.frozen
class Stand:
    """An exchange that is told what to say, and a host that listens."""

    exchange: LoopbackExchange
    rest: RestSide
    market: MarketData
    btc: Diary
    eth: Diary


@pytest.fixture
def stand() -> Iterator[Stand]:
    with LoopbackExchange("binance", ()) as exchange, RestSide() as rest:
        feed = Feed(
            "binance", ["BTCUSDT", "ETHUSDT"], stream="depth", url=exchange.url, rest=rest.url
        )
        market = MarketData([feed])
        btc, eth = subscribed(market, BTC), subscribed(market, ETH)
        with market:
            assert exchange.connected.wait(TIMEOUT_S)
            yield Stand(exchange, rest, market, btc, eth)


def test_every_book_comes_whole_after_its_base(stand: Stand) -> None:
    stand.rest.will_say("BTCUSDT", base(100))
    assert stand.btc.has(100)
    stand.exchange.send_raw(diff("BTCUSDT", 101, 105, 7.0))
    assert stand.btc.has(105)

    latest = stand.market.latest(BTC)
    assert latest is not None
    assert latest.bids == ((10.0, 7.0), (9.0, 1.0))
    assert latest.asks == ((11.0, 1.0),)
    assert latest.exchange_time_ms == 105


def test_a_symbol_that_gets_no_frames_has_its_book_soon_all_the_same(stand: Stand) -> None:
    before_s = time.monotonic()
    stand.rest.will_say("ETHUSDT", base(100))

    assert stand.eth.has(100)
    assert time.monotonic() - before_s < 5.0


def test_a_late_base_finds_what_came_meanwhile(stand: Stand) -> None:
    assert stand.rest.was_asked("BTCUSDT")
    for number in (101, 102, 103):
        stand.exchange.send_raw(diff("BTCUSDT", number, number, float(number)))
    stand.rest.will_say("BTCUSDT", base(101))

    assert stand.btc.has(103)
    assert stand.btc.entries == ["FeedConnected", 103]
    assert stand.btc.books[0].best_bid == 10.0


def test_a_base_that_is_too_old_is_fetched_again(stand: Stand) -> None:
    assert stand.rest.was_asked("BTCUSDT")
    stand.rest.will_say("BTCUSDT", base(100))
    assert stand.btc.has(100)
    stand.exchange.send_raw(diff("BTCUSDT", 150, 151))
    stand.rest.will_say("BTCUSDT", base(120))
    assert stand.rest.was_asked("BTCUSDT", times=3)
    stand.rest.will_say("BTCUSDT", base(150))

    assert stand.btc.has(151)
    assert stand.btc.entries[-3:] == ["GapDetected", "BookResynced", 151]


def test_after_a_gap_only_that_book_is_fetched_anew(stand: Stand) -> None:
    for symbol, diary in (("BTCUSDT", stand.btc), ("ETHUSDT", stand.eth)):
        stand.rest.will_say(symbol, base(100))
        assert diary.has(100)
    stand.exchange.send_raw(diff("BTCUSDT", 104, 105))
    assert stand.btc.has("GapDetected")
    stand.exchange.send_raw(diff("ETHUSDT", 101, 102))
    assert stand.eth.has(102)
    stand.rest.will_say("BTCUSDT", base(105))
    assert stand.btc.has("BookResynced")
    stand.exchange.send_raw(diff("BTCUSDT", 106, 107))
    assert stand.btc.has(107)

    assert stand.btc.entries == ["FeedConnected", 100, "GapDetected", "BookResynced", 105, 107]
    assert stand.eth.entries == ["FeedConnected", 100, 102]
    assert (stand.rest.times("BTCUSDT"), stand.rest.times("ETHUSDT")) == (2, 1)


def test_a_crossed_book_is_counted_and_fetched_anew(stand: Stand) -> None:
    stand.rest.will_say("BTCUSDT", base(100))
    assert stand.btc.has(100)
    stand.exchange.send_raw(diff("BTCUSDT", 101, 102).replace('"10.0"', '"12.0"'))
    stand.rest.will_say("BTCUSDT", base(102))
    assert stand.btc.has(102)

    assert stand.btc.entries == ["FeedConnected", 100, "GapDetected", "BookResynced", 102]
    assert stand.market.metrics().feeds[0].bad_frames == {"crossed": 1}
    assert stand.market.metrics().feeds[0].reconnects == 0


def test_a_rate_limit_is_obeyed(stand: Stand) -> None:
    stand.rest.will_say("BTCUSDT", b"", 429, Retry_After="1")
    assert stand.rest.was_asked("BTCUSDT", times=2)
    stand.rest.will_say("BTCUSDT", base(100))

    assert stand.btc.has(100)
    first_s, second_s = (at_s for symbol, at_s in stand.rest.asked if symbol == "BTCUSDT")
    assert second_s - first_s >= 1.0


def test_a_symbol_the_exchange_does_not_know_is_the_feeds_last_error(stand: Stand) -> None:
    stand.rest.will_say("ETHUSDT", b'{"code":-1121,"msg":"Invalid symbol."}', 400)
    stand.rest.will_say("BTCUSDT", base(100))
    assert stand.btc.has(100)
    assert stand.rest.was_asked("ETHUSDT", times=2)
    stand.exchange.send_raw(diff("BTCUSDT", 101, 101))
    assert stand.btc.has(101)

    last_error = stand.market.metrics().feeds[0].last_error
    assert last_error is not None
    assert "HTTP 400" in last_error
    assert "ETHUSDT" in last_error


def test_stopping_does_not_wait_for_a_rest_side_that_is_silent(stand: Stand) -> None:
    assert stand.rest.was_asked("BTCUSDT")
    before_s = time.monotonic()
    stand.market.stop()

    assert time.monotonic() - before_s < 3.0
    assert not [each for each in threading.enumerate() if "rest-" in each.name]


## Over real sockets, with a simulated exchange


@pytest.mark.parametrize("exchange_name", ["binance", "binance-usdm"])
def test_a_simulated_market_arrives_as_it_was_sent(exchange_name: str) -> None:
    key = f"{exchange_name}:BTCUSDT"
    books = dict[int | None, Snapshot]()

    def noted() -> Iterator[tuple[float, Snapshot]]:
        for at_s, book in SyntheticMarket([key], seed=5, rate=100.0).books():
            books[book.sequence] = book
            yield at_s, book

    with LoopbackExchange(exchange_name, noted()) as exchange:
        feed = Feed(
            exchange_name, ["BTCUSDT"], stream="depth", url=exchange.url, rest=exchange.rest_url
        )
        market = MarketData([feed])
        diary = subscribed(market, key)
        with market:
            assert diary.has_books(50)

    assert all(
        (book.bids, book.asks) == (books[book.sequence].bids, books[book.sequence].asks)
        for book in diary.books
    )
    assert "GapDetected" not in diary.entries


## In virtual time


@contextmanager
def simulated(
    world: World, keys: list[str], rate: float = 2.0
) -> Iterator[tuple[WorldExchange, dict[str, Diary], dict[Any, Snapshot]]]:
    """Run a market of differences; yields its exchange, what was told, and the true books."""
    true: dict[Any, Snapshot] = {}

    def noted() -> Iterator[tuple[float, Snapshot]]:
        for at_s, book in SyntheticMarket(keys, seed=7, rate=rate).books():
            true[book.key, book.sequence] = book
            yield at_s, book

    exchange = WorldExchange(world, "binance", noted())
    transport = WorldTransport(world, [exchange])
    feed = Feed("binance", [key.partition(":")[2] for key in keys], stream="depth")
    market = MarketData([feed], dispatcher=world, transport=transport, rest=transport)
    diaries = {key: subscribed(market, key) for key in keys}
    with market:
        yield exchange, diaries, true


def keys_of(count: int) -> list[str]:
    return [f"binance:S{number}USDT" for number in range(count)]


def are_true(diaries: dict[str, Diary], true: dict[Any, Snapshot]) -> bool:
    return all(
        (book.bids, book.asks) == (true[key, book.sequence].bids, true[key, book.sequence].asks)
        for key, diary in diaries.items()
        for book in diary.books
    )


def are_up_to_date(exchange: WorldExchange, diaries: dict[str, Diary]) -> bool:
    newest = {book.key: book.sequence for book in exchange.model.books.values()}
    return newest == {key: diary.books[-1].sequence for key, diary in diaries.items()}


FAULTS: dict[str, Callable[[WorldExchange], None]] = {
    "gap": lambda exchange: exchange.gap(3),
    "reorder": lambda exchange: exchange.reorder(3),
    "corrupt": lambda exchange: exchange.corrupt(3),
    "duplicate": lambda exchange: exchange.duplicate(3),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_every_book_is_the_true_one_and_all_are_whole_again(fault: str) -> None:
    world = World(seed=2)
    with simulated(world, keys_of(5)) as (exchange, diaries, true):
        world.run_for(20.0)
        FAULTS[fault](exchange)
        world.run_for(60.0)
        whole_again = world.run_until(lambda: are_up_to_date(exchange, diaries), timeout=10.0)

    assert are_true(diaries, true)
    assert whole_again
    told = [each for diary in diaries.values() for each in diary.entries]
    assert told.count("GapDetected") == told.count("BookResynced")
    assert ("GapDetected" in told) == (fault != "duplicate")


def test_a_mass_disconnect_of_many_symbols_keeps_the_rest_budget() -> None:
    world = World(seed=2)
    asked: list[float] = []
    with simulated(world, keys_of(120), rate=0.2) as (exchange, diaries, true):
        get = exchange.model.get

        def noted(target: str, now_s: float) -> Any:
            asked.append(now_s)
            return get(target, now_s)

        exchange.model.get = noted  # type: ignore[method-assign]
        world.run_for(80.0)
        exchange.disconnect()
        world.run_for(160.0)
        whole_again = world.run_until(lambda: are_up_to_date(exchange, diaries), timeout=10.0)

    assert are_true(diaries, true)
    assert whole_again
    assert max(50 * sum(at <= each < at + 60.0 for each in asked) for at in asked) <= 4800


def test_a_rest_side_that_is_away_for_minutes_costs_no_connection() -> None:
    world = World(seed=2)
    with simulated(world, keys_of(5)) as (exchange, diaries, _):
        get = exchange.model.get
        refused = attrs.evolve(get("/api/v3/none", 0.0), status=418, headers={"Retry-After": "200"})
        exchange.model.get = lambda *_: refused  # type: ignore[method-assign]
        world.run_for(190.0)
        exchange.model.get = get  # type: ignore[method-assign]
        world.run_for(60.0)
        told = [diary.entries for diary in diaries.values()]

    assert all(entries[0] == "FeedConnected" for entries in told)
    assert all({type(each) for each in entries[1:]} == {int} for entries in told)


def test_a_connection_is_left_only_when_the_next_one_has_every_book() -> None:
    world = World(seed=2)
    with simulated(world, keys_of(120), rate=0.3) as (exchange, diaries, true):
        world.run_for(100.0)
        exchange.shutdown(notice_s=150.0)
        world.run_for(30.0)
        halfway = exchange.connections
        world.run_for(70.0)
        told = [diary.entries for diary in diaries.values()]
        connections = exchange.connections

    assert (halfway, connections) == (2, 1)
    assert all(entries[0] == "FeedConnected" for entries in told)
    assert all({type(each) for each in entries[1:]} == {int} for entries in told)
    assert are_true(diaries, true)


def test_a_gap_has_an_end_though_its_connection_is_replaced_in_it() -> None:
    world = World(seed=2)
    with simulated(world, keys_of(2)) as (exchange, diaries, true):
        world.run_for(20.0)
        get = exchange.model.get
        away = attrs.evolve(get("/api/v3/none", 0.0), status=503)
        exchange.model.get = lambda *_: away  # type: ignore[method-assign]
        exchange.gap(symbol="S0USDT")
        gapped = world.run_until(lambda: "GapDetected" in diaries["binance:S0USDT"].entries)
        exchange.model.get = get  # type: ignore[method-assign]
        exchange.shutdown(notice_s=20.0)
        replaced = world.run_until(lambda: exchange.connections == 2) and world.run_until(
            lambda: exchange.connections == 1
        )
        world.run_for(5.0)
        told = [each for each in diaries["binance:S0USDT"].entries if isinstance(each, str)]

    assert gapped
    assert replaced
    assert told == ["FeedConnected", "GapDetected", "BookResynced"]
    assert are_true(diaries, true)


def test_symbols_added_one_by_one_on_a_quiet_market_keep_the_message_budget() -> None:
    world = World(seed=2)
    keys = keys_of(40)
    said: list[float] = []
    books = SyntheticMarket(keys, seed=7, rate=0.02).books()
    exchange = WorldExchange(world, "binance", books)
    for name in ("receive", "hear"):
        take = getattr(exchange.model, name)

        def noted(*args: Any, take: Any = take) -> None:
            said.append(args[-1])
            take(*args)

        setattr(exchange.model, name, noted)
    transport = WorldTransport(world, [exchange])
    feed = Feed("binance", ["S0USDT"], stream="depth")
    market = MarketData([feed], dispatcher=world, transport=transport, rest=transport)
    with market:
        world.run_for(30.0)
        for key in keys:
            market.add(key)
            world.run_for(0.05)
        world.run_for(120.0)

    # One is left for the answer to a ping of the exchange's.
    assert max(sum(at_s <= each < at_s + 1.0 for each in said) for at_s in said) <= 4
