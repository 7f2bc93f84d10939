"""Market data against exchanges that behave badly: over real sockets, and in virtual time."""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise

import attrs
import pytest
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from ticklane import Feed, MarketData, Snapshot
from ticklane.exchanges import EXCHANGES
from ticklane.messages import FeedEvent, FeedLost
from ticklane.runtime import Dispatcher, Link, Receiver
from ticklane.simulation import World
from ticklane.simulation.upbit_venue import UpbitForm

TIMEOUT_S = 10.0
KEY = "upbit:KRW-BTC"
RESET = struct.pack("ii", 1, 0)  # socket(7), SO_LINGER: closing sends a reset


def frame(number: int) -> bytes:
    book = Snapshot("upbit", "KRW-BTC", ((100.0, 1.0),), ((101.0, 1.0),), number)
    return Frame(Opcode.BINARY, UpbitForm().frame(book)).serialize(mask=False)


## The exchange


@attrs.define
class Villain:
    """A server that does to every client as told, one after another."""

    deed: Callable[[socket.socket, int], object]
    listening: socket.socket
    visits: list[float] = attrs.field(factory=list)
    """When each client came, by `time_s`."""
    time_s: Callable[[], float] = time.monotonic

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.listening.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                self.visits.append(self.time_s())
                client.settimeout(TIMEOUT_S)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with client, suppress(OSError):
                    self.deed(client, len(self.visits))


@contextmanager
def villain(
    deed: Callable[[socket.socket, int], object],
    time_s: Callable[[], float] = time.monotonic,
) -> Iterator[Villain]:
    """Yield a server; `deed` gets a client and its number, from 1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Villain(deed, listening, time_s=time_s)
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(TIMEOUT_S)
    assert not thread.is_alive()


def request(client: socket.socket) -> str:
    """Return a client's request to connect."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (said := client.recv(1000)):
            raise ConnectionError("the client has left")
        head += said
    return head.decode()


def admit(client: socket.socket) -> None:
    """Open the connection, and take what the client subscribes to."""
    (key,) = re.findall(r"Sec-WebSocket-Key: (\S+)", request(client))
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
    )
    client.recv(65_536)


def until_left(client: socket.socket) -> None:
    while client.recv(65_536):
        """Pass over what the client says."""


## The client


@attrs.define
class AheadClock:
    """The machine's clock, put forward by the test."""

    ahead_ns: int = 0

    def now_ns(self) -> int:
        return time.monotonic_ns() + self.ahead_ns

    def now_s(self) -> float:
        return self.now_ns() / 1e9

    def unix_s(self) -> float:
        return time.time() + self.ahead_ns / 1e9


@attrs.define
class Host:
    """Market data of one symbol, and what its consumer was told."""

    market: MarketData
    dispatcher: Dispatcher
    clock: AheadClock
    numbers: list[int | None] = attrs.field(factory=list)
    events: list[FeedEvent] = attrs.field(factory=list)

    def on_book(self, book: Snapshot) -> None:
        self.numbers.append(book.exchange_time_ms)

    @property
    def losses(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, FeedLost)]

    def until(self, condition: Callable[[], object], pace: float = 0.0) -> None:
        """Wait, while the clock goes `pace` seconds a step faster than time."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, (self.numbers[-5:], self.events[-5:])
            self.spend(pace)
            time.sleep(0.005)

    def spend(self, seconds: float) -> None:
        self.clock.ahead_ns += int(seconds * 1e9)
        # Timers wait by the machine's clock, until something new is put.
        self.dispatcher.call_later(0.0, lambda: None)


@contextmanager
def host(url: str, clock: AheadClock | None = None, capacity: int = 1000) -> Iterator[Host]:
    """Yield a host whose market data runs."""
    clock = clock or AheadClock()
    dispatcher = Dispatcher(clock=clock)
    dispatcher.start()
    feed = Feed("upbit", ["KRW-BTC"], url=url)
    market = MarketData([feed], dispatcher=dispatcher, capacity=capacity)
    visitor = Host(market, dispatcher, clock)
    market.subscribe(KEY, visitor.on_book, on_event=visitor.events.append)
    try:
        with market:
            yield visitor
    finally:
        assert dispatcher.stop() == []


## Over real sockets


def test_a_peer_that_falls_silent_without_a_word_is_found_in_ten_seconds() -> None:
    silent_since = []

    def fall_silent(client: socket.socket, number: int) -> None:
        admit(client)
        for place in range(5):
            client.sendall(frame(10 * number + place))
            time.sleep(0.02)
        silent_since.append(clock.now_s())
        until_left(client)

    clock = AheadClock()
    with villain(fall_silent) as server, host(server.url, clock) as visitor:
        visitor.until(lambda: 14 in visitor.numbers and silent_since)
        visitor.until(lambda: visitor.losses, pace=0.1)
        found_s = clock.now_s() - silent_since[0]
        visitor.until(lambda: 24 in visitor.numbers, pace=0.1)

    assert "half-open" in visitor.losses[0]
    assert found_s <= 10.0


def test_an_exchange_that_never_says_anything_is_left_and_tried_again() -> None:
    def say_nothing(client: socket.socket, _: int) -> None:
        admit(client)
        until_left(client)

    with villain(say_nothing) as server, host(server.url) as visitor:
        visitor.until(lambda: len(server.visits) > 1, pace=0.5)

    assert visitor.losses
    assert visitor.numbers == []


def test_an_exchange_that_answers_no_ping_but_sends_books_is_kept() -> None:
    def answer_with_books(client: socket.socket, _: int) -> None:
        admit(client)
        for number in range(1000):
            client.sendall(frame(number))
            if not client.recv(65_536):
                return

    with villain(answer_with_books) as server, host(server.url) as visitor:
        for number in range(6):
            # As the exchange has said nothing for a while it is pinged, and says a book.
            visitor.until(lambda number=number: number in visitor.numbers, pace=0.05)  # type: ignore[misc]
        visits = len(server.visits)
        losses = [*visitor.losses]

    assert (visits, losses) == (1, [])


def test_books_that_come_one_byte_at_a_time_come_whole() -> None:
    def drip(client: socket.socket, _: int) -> None:
        admit(client)
        for byte in frame(1) + frame(2):
            client.sendall(bytes([byte]))
        until_left(client)

    with villain(drip) as server, host(server.url) as visitor:
        visitor.until(lambda: visitor.numbers == [1, 2])

    assert visitor.market.metrics().feeds[0].bad_frames == {}


@pytest.mark.parametrize("code", [1012, 1013])
def test_an_exchange_that_closes_for_a_restart_is_connected_to_again(code: int) -> None:
    def close(client: socket.socket, number: int) -> None:
        admit(client)
        client.sendall(frame(number))
        if number == 1:
            client.sendall(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False))
        until_left(client)

    with villain(close) as server, host(server.url) as visitor:
        visitor.until(lambda: visitor.numbers == [1, 2], pace=0.05)

    assert visitor.losses[0] == f"closed by the exchange with {code}"


def test_a_reset_in_mid_frame_costs_that_frame() -> None:
    def reset(client: socket.socket, number: int) -> None:
        admit(client)
        if number > 1:
            client.sendall(frame(3))
            until_left(client)
            return
        client.sendall(frame(1) + frame(2)[:100])
        visitor.until(lambda: visitor.numbers == [1])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    with villain(reset) as server, host(server.url) as visitor:
        visitor.until(lambda: 3 in visitor.numbers, pace=0.05)

    assert visitor.numbers == [1, 3]
    assert "reset" in visitor.losses[0].lower()
    assert visitor.market.metrics().feeds[0].bad_frames == {}


def test_a_rate_limit_with_retry_after_is_obeyed() -> None:
    def refuse(client: socket.socket, _: int) -> None:
        request(client)
        client.sendall(b"HTTP/1.1 429 No\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")

    clock = AheadClock()
    with villain(refuse, clock.now_s) as server, host(server.url, clock) as visitor:
        visitor.until(lambda: len(server.visits) == 3, pace=0.5)

    waits = [later - earlier for earlier, later in pairwise(server.visits)]
    assert min(waits) >= 30.0
    assert "429" in (visitor.market.metrics().feeds[0].last_error or "")


@pytest.mark.parametrize("capacity", [100, 20_000])
def test_of_ten_thousand_frames_in_one_burst_none_is_lost_silently(capacity: int) -> None:
    burst = b"".join(frame(number) for number in range(1, 10_001))

    def blurt(client: socket.socket, _: int) -> None:
        admit(client)
        client.sendall(burst)
        until_left(client)

    with villain(blurt) as server, host(server.url, capacity=capacity) as visitor:
        visitor.until(lambda: 10_000 in visitor.numbers)
    queue = visitor.market.queue(KEY)

    assert (queue.offered, queue.depth) == (10_000, 0)
    assert queue.handled + queue.dropped == 10_000
    assert len(visitor.numbers) == queue.handled
    assert capacity < 10_000 or queue.dropped == 0


def test_a_burst_that_a_stuck_handler_cannot_take_is_shed_and_counted_exactly() -> None:
    burst = b"".join(frame(number) for number in range(1, 10_001))
    subscribed, free = threading.Event(), threading.Event()

    def blurt(client: socket.socket, _: int) -> None:
        admit(client)
        subscribed.wait(TIMEOUT_S)
        client.sendall(burst)
        until_left(client)

    with villain(blurt) as server, host(server.url, capacity=100) as visitor:
        visitor.market.subscribe(KEY, lambda _: free.wait(TIMEOUT_S))
        subscribed.set()
        visitor.until(lambda: visitor.market.metrics().feeds[0].frames == 10_000)
        free.set()
        visitor.until(lambda: 10_000 in visitor.numbers)
    queue = visitor.market.queue(KEY)

    assert queue.offered == 10_000
    assert queue.handled + queue.dropped == 10_000
    assert queue.dropped >= 10_000 - 100 - 10


## In virtual time


@attrs.define
class Slammer:
    """A transport to exchanges that accept, and close at once."""

    world: World
    visits: dict[str, list[float]] = attrs.field(factory=dict)
    here = None

    def open(self, name: str, _url: str, receiver: Receiver) -> Link:
        exchange = name.partition("#")[0]
        self.visits.setdefault(exchange, []).append(self.world.clock.now_ns() / 1e9)
        self.world.call_later(0.01, lambda: receiver.opened(self))
        self.world.call_later(0.02, lambda: receiver.closed("closed by the exchange with 1006"))
        return self

    def send(self, text: str) -> None:
        """Do nothing: nobody listens."""

    def ping(self) -> None:
        """Do nothing, as above."""

    def close(self, reason: str) -> None:
        """Do nothing: it is closed already."""

    def backlog(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("exchange", "symbol"), [("upbit", "KRW-{}"), ("bithumb", "KRW-{}"), ("binance", "{}USDT")]
)
def test_an_exchange_that_slams_the_door_is_visited_within_its_budget(
    exchange: str, symbol: str
) -> None:
    world = World(seed=1)
    slammer = Slammer(world)
    feeds = [Feed(exchange, [symbol.format(number)]) for number in range(100)]
    market = MarketData(feeds, dispatcher=world, transport=slammer)
    market.start()
    world.run_for(60.0)
    market.stop()
    visits = slammer.visits[exchange]

    for budget in EXCHANGES[exchange].connects:
        assert all(
            sum(start <= at < start + budget.seconds for at in visits) <= budget.count
            for start in visits
        )
    assert len(visits) >= len(feeds)
