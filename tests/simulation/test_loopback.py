"""The loopback exchange, looked at by third-party clients through real sockets."""

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.request import urlopen

import attrs
import pytest
import websocket
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ticklane.exchanges import EXCHANGES, Budget, DiffProtocol, ExchangeProtocol
from ticklane.messages import InvalidOption, MissingExtra, Snapshot, WrongState
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    VenueRules,
    capture_subscriptions,
    demo_keys,
    read_capture,
)

STREAMS = [(name, stream) for name, row in EXCHANGES.items() for stream in row.streams]
LEVELS = {"depth20": 20, "depth10": 10, "depth5": 5, "bookTicker": 1}
KEYS = demo_keys(8)
TIMEOUT_S = 10.0


def market(n: int) -> list[tuple[float, Snapshot]]:
    return list(islice(SyntheticMarket(KEYS, start_unix_ms=1_700_000_000_000).books(), n))


def books_of(exchange: str, n: int = 200) -> list[Snapshot]:
    return [book for _, book in market(n) if book.exchange == exchange]


def protocol_of(exchange: str, stream: str | None = None) -> ExchangeProtocol:
    row = EXCHANGES[exchange]
    symbols = (key.partition(":")[2] for key in KEYS if key.startswith(exchange))
    protocol = row.protocol(tuple(symbols), stream or row.streams[0])
    if isinstance(protocol, DiffProtocol):
        for request in protocol.missing():
            protocol.fetched(request.symbol, b'{"lastUpdateId":0,"bids":[],"asks":[]}', 0)
    return protocol


@contextmanager
def connected(exchange: LoopbackExchange, protocol: ExchangeProtocol) -> Iterator[ClientConnection]:
    # Left with frames unread, a client with a bounded queue takes 10 s to close.
    url = protocol.url(exchange.url)
    with connect(url, proxy=None, max_size=None, max_queue=None) as client:
        for message in protocol.greeting():
            client.send(message)
        yield client


def received(client: ClientConnection) -> bytes:
    return client.recv(timeout=TIMEOUT_S, decode=False)


def read_to_the_end(client: ClientConnection) -> None:
    while True:
        received(client)


@pytest.fixture
def quiet() -> Iterator[LoopbackExchange]:
    """Return an exchange that says nothing of its own accord."""
    with LoopbackExchange("upbit", ()) as exchange:
        yield exchange


## Books


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_books_come_back_equal_through_the_protocol(name: str, stream: str) -> None:
    protocol = protocol_of(name, stream)
    books = books_of(name)
    levels = LEVELS.get(stream, 30)
    with (
        LoopbackExchange(name, market(200), speed=0) as exchange,
        connected(exchange, protocol) as client,
    ):
        back = [book for _ in books for book in protocol.receive(received(client), 7)]

    assert back == [
        attrs.evolve(book, bids=book.bids[:levels], asks=book.asks[:levels], received_ns=7)
        for book in books
    ]


@pytest.mark.parametrize("name", ["upbit", "binance"])
def test_websocket_client_gets_the_books_too(name: str) -> None:
    protocol = protocol_of(name)
    with LoopbackExchange(name, market(50), speed=0) as exchange:
        client = websocket.create_connection(protocol.url(exchange.url), timeout=TIMEOUT_S)
        for message in protocol.greeting():
            client.send(message)
        opcode, payload = client.recv_data()
        client.close()

    assert opcode == (websocket.ABNF.OPCODE_BINARY if name == "upbit" else 1)
    (book,) = protocol.receive(payload, 7)
    assert isinstance(book, Snapshot)
    assert book.key == books_of(name)[0].key


def test_two_clients_that_asked_alike_get_the_same_frames() -> None:
    protocol = protocol_of("binance")
    endless = SyntheticMarket(KEYS, rate=50).books()
    with (
        LoopbackExchange("binance", endless) as exchange,
        connected(exchange, protocol) as first,
        connected(exchange, protocol) as second,
    ):
        seen_by_second = [received(second) for _ in range(10)]
        seen_by_first: list[bytes] = []
        while seen_by_second[-1] not in seen_by_first:
            seen_by_first.append(received(first))

    assert seen_by_first[-10:] == seen_by_second


def test_a_client_that_asks_for_nothing_gets_nothing_and_time_waits_for_it() -> None:
    with (
        LoopbackExchange("upbit", market(20), speed=0) as exchange,
        connect(exchange.url, proxy=None) as client,
    ):
        client.send("PING")

        assert received(client) == b'{"status":"UP"}'
        assert exchange.frames_sent == 0


def test_streams_can_be_added_by_request() -> None:
    protocol = protocol_of("binance", "bookTicker")
    request = '{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}'
    with (
        LoopbackExchange("binance", market(50), speed=0) as exchange,
        connect(f"{exchange.url}/stream", proxy=None) as client,
    ):
        client.send(request)

        assert received(client) == b'{"result":null,"id":1}'
        (book,) = protocol.receive(received(client), 7)

    assert isinstance(book, Snapshot)
    assert book.key == "binance:BTCUSDT"


def test_a_bad_request_is_answered_and_the_connection_goes_on(quiet: LoopbackExchange) -> None:
    with connect(quiet.url, proxy=None) as client:
        client.send("nonsense")

        assert b"WRONG_FORMAT" in received(client)
        client.send("PING")
        assert b"UP" in received(client)


def test_the_end_of_the_books_is_told_once_all_have_been_read() -> None:
    protocol = protocol_of("upbit")
    books = books_of("upbit", 20)
    with (
        LoopbackExchange("upbit", market(20)) as exchange,
        connected(exchange, protocol) as client,
    ):
        for _ in books:
            received(client)

        assert exchange.finished.wait(TIMEOUT_S)
        assert exchange.frames_sent == len(books)


def test_an_error_of_the_books_ends_the_exchange_and_is_raised_by_stop() -> None:
    def broken() -> Iterator[tuple[float, Snapshot]]:
        yield from market(2)
        raise ZeroDivisionError

    exchange = LoopbackExchange("upbit", broken(), speed=0)
    exchange.start()
    with connected(exchange, protocol_of("upbit")) as client, pytest.raises(ConnectionClosed):
        read_to_the_end(client)

    with pytest.raises(ExceptionGroup) as caught:
        exchange.stop()
    assert caught.group_contains(ZeroDivisionError)


## Replay


@pytest.mark.parametrize(
    ("file", "path", "requests"),
    [
        ("upbit-2021-04-17.ws.txt", "/websocket/v1", protocol_of("upbit").greeting()),
        ("binance-2021-10-12.ws.txt", "/stream?streams=nknusdt@depth@100ms", ()),
    ],
)
def test_a_replay_sends_every_frame_as_captured(
    captures: Path, file: str, path: str, requests: tuple[str, ...]
) -> None:
    frames = [frame.payload for frame in read_capture(captures / file)]
    with (
        LoopbackExchange.replaying(captures / file, speed=0) as exchange,
        connect(exchange.url + path, proxy=None) as client,
    ):
        for request in requests:
            client.send(request)
        back = [client.recv(timeout=TIMEOUT_S) for _ in frames]

        assert exchange.finished.wait(TIMEOUT_S)
        client.ping().wait(TIMEOUT_S)

    assert back == frames
    assert exchange.frames_sent == len(frames)


def test_every_client_of_a_replay_gets_all_of_it(captures: Path) -> None:
    path = captures / "binance-2021-10-12.ws.txt"
    frames = [frame.payload for frame in read_capture(path)]
    protocol = EXCHANGES["binance"].protocol(
        tuple(symbol for symbol, _ in capture_subscriptions(path)), "bookTicker"
    )
    with LoopbackExchange.replaying(path, speed=1e6) as exchange:
        for _ in range(2):
            with connected(exchange, protocol) as client:
                back = [client.recv(timeout=TIMEOUT_S) for _ in frames]

                assert back == frames


def test_who_subscribes_during_a_replay_gets_the_rest(tmp_path: Path) -> None:
    path, protocol = tmp_path / "a", protocol_of("upbit")
    frames = ("1.0: first", "2.5: second", "2.6: third")
    path.write_text("\n".join(["wss://api.upbit.com/websocket/v1 <-> 0", *frames, ""]))
    with LoopbackExchange.replaying(path) as exchange, ExitStack() as clients:
        first = clients.enter_context(connected(exchange, protocol))
        heard = [first.recv(timeout=TIMEOUT_S)]
        second = clients.enter_context(connected(exchange, protocol))
        heard += [first.recv(timeout=TIMEOUT_S) for _ in range(2)]
        rest = [second.recv(timeout=TIMEOUT_S) for _ in range(2)]

        assert exchange.finished.wait(TIMEOUT_S)

    assert heard == ["first", "second", "third"]
    assert rest == heard[1:]


def test_a_replay_says_nothing_while_it_is_stalled(tmp_path: Path) -> None:
    path, protocol, stall_s = tmp_path / "a", protocol_of("upbit"), 0.4
    frames = (f"{1.0 + number / 20}: frame {number}" for number in range(10))
    path.write_text("\n".join(["wss://api.upbit.com/websocket/v1 <-> 0", *frames, ""]))
    with LoopbackExchange.replaying(path) as exchange, connected(exchange, protocol) as client:
        heard = [client.recv(timeout=TIMEOUT_S)]
        exchange.stall(stall_s)
        began_s, sent = time.monotonic(), exchange.frames_sent
        heard += [client.recv(timeout=TIMEOUT_S) for _ in range(sent)]
        waited_s = time.monotonic() - began_s
        heard += [client.recv(timeout=TIMEOUT_S) for _ in range(10 - len(heard))]

    assert waited_s >= 0.9 * stall_s
    assert heard == [f"frame {number}" for number in range(10)]


def test_a_replay_is_of_the_exchange_it_was_captured_from(captures: Path) -> None:
    exchange = LoopbackExchange.replaying(captures / "upbit-2021-04-17.ws.txt")

    assert exchange.exchange == "upbit"


def test_a_replay_that_a_client_left_half_way_is_not_finished(captures: Path) -> None:
    protocol = protocol_of("upbit")
    path = captures / "upbit-2021-04-17.ws.txt"
    with LoopbackExchange.replaying(path) as exchange:
        with connected(exchange, protocol) as client:
            received(client)
            exchange.disconnect(None)
            with pytest.raises(ConnectionClosed):
                received(client)

        assert not exchange.finished.is_set()


## What it demands


def test_its_rest_side_answers_at_the_same_port() -> None:
    endless = SyntheticMarket(["binance:BTCUSDT"], rate=1000).books()
    with LoopbackExchange("binance", endless, waits=False) as exchange:
        with connected(exchange, protocol_of("binance")) as client:
            received(client)
        address = exchange.url.replace("ws://", "http://")
        target = f"{address}/api/v3/depth?symbol=BTCUSDT&limit=5"
        with urlopen(target, timeout=TIMEOUT_S) as reply:  # noqa: S310 - our own address
            book = json.loads(reply.read())

    assert reply.headers["Content-Type"] == "application/json"
    assert len(book["bids"]) == len(book["asks"]) == 5


def test_handshakes_beyond_the_limit_are_refused() -> None:
    rules = VenueRules(connects=(Budget(1, 3600.0),))
    with LoopbackExchange("upbit", (), rules=rules) as exchange:
        with connect(exchange.url, proxy=None):
            """The one that is allowed."""
        with pytest.raises(InvalidStatus) as refused, connect(exchange.url, proxy=None):
            """Not reached."""

    assert refused.value.response.status_code == 429


def test_it_pings_and_parts_with_who_does_not_answer() -> None:
    rules = VenueRules(ping_interval_s=0.1, pong_timeout_s=0.2)
    with LoopbackExchange("upbit", (), rules=rules) as exchange:
        rude = websocket.create_connection(exchange.url, timeout=TIMEOUT_S)
        with connect(exchange.url, proxy=None) as polite:
            assert rude.sock is not None
            said = b"".join(iter(partial(rude.sock.recv, 4096), b""))

            assert polite.ping().wait(TIMEOUT_S)
            assert exchange.connections == 1
        rude.shutdown()  # type: ignore[no-untyped-call]

    assert said[0] & 0x0F == websocket.ABNF.OPCODE_PING
    assert b"Pong timeout" in said


## Faults


def test_disconnecting_closes_with_the_code_asked_for(quiet: LoopbackExchange) -> None:
    with connect(quiet.url, proxy=None) as client:
        assert quiet.connected.wait(TIMEOUT_S)
        quiet.disconnect(code=1012)
        with pytest.raises(ConnectionClosed) as closed:
            received(client)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_aborting_resets_without_a_close_frame(quiet: LoopbackExchange) -> None:
    with connect(quiet.url, proxy=None) as client:
        assert quiet.connected.wait(TIMEOUT_S)
        quiet.disconnect(None)
        with pytest.raises(ConnectionClosed) as closed:
            received(client)

    assert closed.value.rcvd is None


def test_after_a_disconnect_connected_tells_of_new_clients_only(quiet: LoopbackExchange) -> None:
    with connect(quiet.url, proxy=None):
        assert quiet.connected.wait(TIMEOUT_S)
        quiet.disconnect()

        assert not quiet.connected.is_set()
        assert quiet.connections == 0
        with connect(quiet.url, proxy=None):
            assert quiet.connected.wait(TIMEOUT_S)
            assert quiet.connections == 1


@pytest.mark.parametrize("payload", ["not JSON", b"\x00\xff", ""])
def test_anything_can_be_sent_to_every_client(
    quiet: LoopbackExchange, payload: bytes | str
) -> None:
    with connect(quiet.url, proxy=None) as client:
        assert quiet.connected.wait(TIMEOUT_S)
        quiet.send_raw(payload)

        assert client.recv(timeout=TIMEOUT_S) == payload


def test_a_frame_of_32_mib_passes_beside_the_books() -> None:
    protocol = protocol_of("upbit")
    endless = SyntheticMarket(KEYS, rate=50).books()
    with (
        LoopbackExchange("upbit", endless) as exchange,
        connected(exchange, protocol) as client,
    ):
        received(client)
        exchange.send_raw(bytes(32 * 2**20))
        lengths = (len(received(client)) for _ in range(10_000))

        assert 32 * 2**20 in lengths


def test_a_client_that_does_not_read_is_dropped() -> None:
    protocol = protocol_of("upbit")
    endless = SyntheticMarket(KEYS).books()
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)]
    with LoopbackExchange("upbit", endless, speed=1e9, max_unread_bytes=2**16) as exchange:
        client = websocket.create_connection(protocol.url(exchange.url), sockopt=small)
        client.send(protocol.greeting()[0])
        reset = select.poll()
        reset.register(client.sock, select.POLLERR)  # type: ignore[arg-type]

        assert reset.poll(TIMEOUT_S * 1000)
        assert exchange.connections == 0
        client.shutdown()  # type: ignore[no-untyped-call]


## Life


def test_stopping_closes_connections_and_leaves_no_thread() -> None:
    exchange = LoopbackExchange("upbit", SyntheticMarket(KEYS).books())
    exchange.start()
    with connected(exchange, protocol_of("upbit")) as client:
        received(client)
        exchange.stop()
        with pytest.raises(ConnectionClosed) as closed:
            read_to_the_end(client)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert "loopback-upbit" not in {thread.name for thread in threading.enumerate()}


def test_its_thread_bears_its_name(quiet: LoopbackExchange) -> None:
    assert "loopback-upbit" in {thread.name for thread in threading.enumerate()}
    assert quiet.exchange == "upbit"


def test_a_stalled_exchange_can_be_stopped(quiet: LoopbackExchange) -> None:
    with connect(quiet.url, proxy=None):
        assert quiet.connected.wait(TIMEOUT_S)
        quiet.stall(3600.0)
        waiting = threading.Thread(target=knock, args=(quiet.url,))
        waiting.start()
        quiet.stop()
        waiting.join(TIMEOUT_S)

    assert not waiting.is_alive()


def knock(url: str) -> None:
    with suppress(InvalidMessage, InvalidStatus, OSError), connect(url, proxy=None):
        """Let in or not."""


def test_stopping_twice_or_before_the_start_is_fine() -> None:
    LoopbackExchange("upbit", ()).stop()
    with LoopbackExchange("upbit", ()) as exchange:
        exchange.stop()


def test_another_can_take_the_place_of_one_that_stopped() -> None:
    with LoopbackExchange("upbit", ()) as exchange:
        port = int(exchange.url.rpartition(":")[2])
        with connect(exchange.url, proxy=None):
            exchange.stop()

    with LoopbackExchange("upbit", (), port=port) as exchange, connect(exchange.url, proxy=None):
        assert exchange.connected.wait(TIMEOUT_S)


def test_a_port_that_is_taken_is_an_error_of_the_start(quiet: LoopbackExchange) -> None:
    port = int(quiet.url.rpartition(":")[2])

    with pytest.raises(OSError, match="address already in use"):
        LoopbackExchange("upbit", (), port=port).start()


def test_what_does_not_fit_the_state_is_a_clear_error(quiet: LoopbackExchange) -> None:
    with pytest.raises(WrongState, match="starts once"):
        quiet.start()
    with pytest.raises(WrongState, match="after start"):
        _ = LoopbackExchange("upbit", ()).url
    quiet.stop()
    with pytest.raises(WrongState, match="does not run"):
        quiet.send_raw("late")


@pytest.mark.parametrize("speed", [-1.0, float("nan")])
def test_a_speed_below_0_is_refused(speed: float) -> None:
    with pytest.raises(InvalidOption, match="speed must be at least 0"):
        LoopbackExchange("upbit", (), speed=speed)


def test_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(InvalidOption, match="one of upbit, binance"):
        LoopbackExchange("nyse", ())


def test_without_websockets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("hub", "programmes"):
        monkeypatch.delitem(sys.modules, f"ticklane.simulation.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "websockets.asyncio.server", None)

    with pytest.raises(MissingExtra, match=r"ticklane\[simulation\]"):
        LoopbackExchange("upbit", ())
