"""Real WebSocket connections, against a server that is not ours."""

import re
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, Side, State
from websockets.sync.server import ServerConnection, serve
from websockets.utils import accept_key

from ticklane import Feed, MarketData
from ticklane.messages import InvalidOption, Refusal
from ticklane.runtime import Dispatcher, Link, WebSocketTransport, socket_stream
from ticklane.runtime.dial import Dial
from ticklane.runtime.frames import FrameParser
from ticklane.runtime.websocket_transport import WebSocketLink

TIMEOUT_S = 10.0
BOOK = (
    b'{"type":"orderbook","code":"KRW-BTC","timestamp":1,"orderbook_units":'
    b'[{"ask_price":101.0,"bid_price":100.0,"ask_size":1.0,"bid_size":1.0}]}'
)


@attrs.define
class Ear:
    """A receiver that writes down what it is told."""

    on_opened: Callable[[Link], object] = lambda _: None
    opens: int = 0
    frames: list[bytes] = attrs.field(factory=list)
    lengths: list[int] = attrs.field(factory=list)
    signs: int = 0
    stamps: list[int] = attrs.field(factory=list)
    reasons: list[str] = attrs.field(factory=list)
    refusal: Refusal | None = None
    threads: set[str] = attrs.field(factory=set)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)

    def opened(self, link: Link) -> None:
        self.on_opened(link)
        with self._changed:
            self.opens += 1
            self._changed.notify_all()

    def received(self, payload: bytes, received_ns: int) -> None:
        with self._changed:
            self.frames.append(payload)
            self.stamps.append(received_ns)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()

    def oversized(self, length: int, received_ns: int) -> None:
        with self._changed:
            self.lengths.append(length)
            self.stamps.append(received_ns)
            self._changed.notify_all()

    def heard(self, _: int) -> None:
        with self._changed:
            self.signs += 1
            self._changed.notify_all()

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        with self._changed:
            self.reasons.append(reason)
            self.refusal = refusal
            self._changed.notify_all()

    def has(self, condition: Callable[["Ear"], object]) -> bool:
        """Wait until `condition` holds."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: condition(self), timeout=TIMEOUT_S))


@contextmanager
def server(
    talk: Callable[[ServerConnection], object],
    *,
    answer: Callable[[ServerConnection, Request], Response | None] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Yield the address of a server that talks to each client as told, then reads on."""

    def until_closed(connection: ServerConnection) -> None:
        talk(connection)
        for _ in connection:
            """Pass over what the client says."""

    with serve(
        until_closed, "127.0.0.1", 0, process_request=answer, ssl=tls, ping_interval=None
    ) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        scheme = "wss" if tls else "ws"
        yield f"{scheme}://127.0.0.1:{listening.socket.getsockname()[1]}/stream"
        listening.shutdown()
        thread.join(TIMEOUT_S)


def silent(_: ServerConnection) -> None:
    """Say nothing."""


@pytest.fixture
def transport(dispatcher: Dispatcher) -> WebSocketTransport:
    return WebSocketTransport(dispatcher)


def readers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("ticklane-read")]


def ended() -> bool:
    """Wait until no reading thread is left."""
    for thread in readers():
        thread.join(TIMEOUT_S)
    return not readers()


## Connecting


def test_no_origin_is_sent(transport: WebSocketTransport) -> None:
    requests: list[Request] = []

    def answer(_: ServerConnection, request: Request) -> None:
        requests.append(request)

    ear = Ear()
    with server(silent, answer=answer) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        link.close("enough")
        assert ended()

    assert requests[0].path == "/stream"
    assert "Origin" not in requests[0].headers


def test_opening_returns_before_the_connection_is_made(transport: WebSocketTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ear = Ear()
        link = transport.open("upbit", f"ws://127.0.0.1:{mute.getsockname()[1]}", ear)
        # It can only be connecting: nobody answers.
        client, _ = mute.accept()
        assert client.recv(4)
        link.close("enough")
        assert ended()
        client.close()

    assert (ear.opens, ear.reasons) == (0, ["enough"])


def test_a_connection_refused_is_told_as_lost(transport: WebSocketTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ear = Ear()
    transport.open("upbit", f"ws://127.0.0.1:{port}", ear)

    assert ear.has(lambda it: it.reasons)
    assert ended()
    assert ear.reasons == ["ConnectionRefusedError: [Errno 111] Connection refused"]
    assert ear.opens == 0


def test_a_handshake_refused_is_told_with_its_status(transport: WebSocketTransport) -> None:
    def answer(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(429, "too many requests")

    ear = Ear()
    with server(silent, answer=answer) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert ear.opens == 0
    assert "429" in ear.reasons[0]


## Certificates


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """Return a server's side with a certificate for 127.0.0.1 that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(dispatcher: Dispatcher, certificate: Path) -> WebSocketTransport:
    """Return a transport to which it vouches for itself."""
    return WebSocketTransport(dispatcher, ca_file=str(certificate))


def say_a_book(connection: ServerConnection) -> None:
    connection.send(BOOK)


def test_a_certificate_nobody_vouches_for_is_refused(
    transport: WebSocketTransport, tls: ssl.SSLContext
) -> None:
    ear = Ear()
    with server(say_a_book, tls=tls) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert ear.reasons == ["certificate refused: self-signed certificate"]
    assert ear.refusal == Refusal("certificate")
    assert (ear.opens, ear.frames) == (0, [])


def test_a_certificate_for_another_name_is_refused(
    trusting: WebSocketTransport, tls: ssl.SSLContext
) -> None:
    ear = Ear()
    with server(say_a_book, tls=tls) as url:
        trusting.open("upbit", url.replace("127.0.0.1", "localhost"), ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert "Hostname mismatch" in ear.reasons[0]


def test_a_feeds_last_error_names_the_certificate(tls: ssl.SSLContext) -> None:
    lost = threading.Event()
    with server(say_a_book, tls=tls) as url:
        market = MarketData([Feed("upbit", ["KRW-BTC"], url=url)])
        market.subscribe("upbit:KRW-BTC", lambda _: None, on_event=lambda _: lost.set())
        with market:
            assert lost.wait(TIMEOUT_S)
        feed = market.metrics().feeds[0]

    assert feed.last_error == "certificate refused: self-signed certificate"
    assert feed.snapshots == 0


def test_a_certificate_vouched_for_by_the_file_given_is_accepted(
    dispatcher: Dispatcher, trusting: WebSocketTransport, tls: ssl.SSLContext
) -> None:
    with server(say_a_book, tls=tls) as url:
        feed = Feed("upbit", ["KRW-BTC"], url=url)
        with MarketData([feed], dispatcher=dispatcher, transport=trusting) as market:
            book = market.wait_for("upbit:KRW-BTC", TIMEOUT_S)
        assert ended()

    assert book.mid == 100.5


## Frames


def heard(transport: WebSocketTransport, *payloads: bytes | str | Sequence[bytes]) -> Ear:
    """Return what was told of a connection on which these were sent; lists are fragments."""

    def talk(connection: ServerConnection) -> None:
        for payload in payloads:
            connection.send(payload if isinstance(payload, (bytes, str)) else [*payload])

    ear = Ear()
    with server(talk) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: len(it.frames) == len(payloads))
        link.close("enough")
        assert ended()
    return ear


@pytest.mark.parametrize(
    "payload", [b"", b"\x00\xff", b"x" * 125, b"x" * 126, b"x" * 65_536, b"x" * 2**20]
)
def test_a_binary_frame_of_any_length_comes_whole(
    transport: WebSocketTransport, payload: bytes
) -> None:
    assert heard(transport, payload).frames == [payload]


def test_a_text_frame_comes_as_its_bytes(transport: WebSocketTransport) -> None:
    assert heard(transport, "가격").frames == ["가격".encode()]


def test_fragments_come_as_one_frame(transport: WebSocketTransport) -> None:
    assert heard(transport, [b"one ", b"", b"frame"], b"next").frames == [b"one frame", b"next"]


def test_frames_come_in_order_with_the_time_they_left_the_socket(
    transport: WebSocketTransport, dispatcher: Dispatcher
) -> None:
    before_ns = dispatcher.clock.now_ns()
    ear = heard(transport, *[b"%d" % number for number in range(100)])
    after_ns = dispatcher.clock.now_ns()

    assert ear.frames == [b"%d" % number for number in range(100)]
    assert ear.stamps == sorted(ear.stamps)
    assert before_ns < ear.stamps[0] <= ear.stamps[-1] < after_ns


def test_the_reading_thread_bears_the_connections_name(transport: WebSocketTransport) -> None:
    (name,) = heard(transport, b"hello").threads

    assert name.startswith("ticklane-read-upbit")


def test_what_is_sent_arrives(transport: WebSocketTransport) -> None:
    heard_back: list[str | bytes] = []

    def talk(connection: ServerConnection) -> None:
        heard_back.append(connection.recv(TIMEOUT_S))
        connection.send("thank you")

    ear = Ear(on_opened=lambda link: link.send("books, please"))
    with server(talk) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.frames)
        link.close("enough")
        assert ended()

    assert heard_back == ["books, please"]


def test_a_ping_is_answered_with_its_payload(transport: WebSocketTransport) -> None:
    def talk(connection: ServerConnection) -> None:
        # A pong with another payload would not set it.
        answered = connection.ping(b"1700000000000").wait(TIMEOUT_S)
        connection.send(f"answered: {answered}")

    ear = Ear()
    with server(talk) as url:
        link = transport.open("binance", url, ear)
        assert ear.has(lambda it: it.frames)
        link.close("enough")
        assert ended()

    assert ear.frames == [b"answered: True"]


def test_a_ping_between_fragments_is_answered_and_harms_nothing(
    transport: WebSocketTransport,
) -> None:
    answered: list[bool] = []

    def talk(connection: ServerConnection) -> None:
        def fragments() -> Iterator[bytes]:
            yield b"one "
            answered.append(connection.ping(b"between").wait(TIMEOUT_S))
            yield b"frame"

        connection.send(fragments())

    ear = Ear()
    with server(talk) as url:
        link = transport.open("binance", url, ear)
        assert ear.has(lambda it: it.frames)
        link.close("enough")
        assert ended()

    assert ear.frames == [b"one frame"]
    assert answered == [True]


## The end


def lost_by(
    transport: WebSocketTransport, talk: Callable[[ServerConnection], object]
) -> tuple[Ear, Link]:
    """Return what was told of a connection that the server has ended so."""
    ear = Ear()
    with server(talk) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()
    return ear, link


def reset(connection: ServerConnection) -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.socket.close()


def cut_off(connection: ServerConnection) -> None:
    connection.socket.sendall(b"\x82\x7e\xff\xffthe beginning")
    reset(connection)


def say_raw(raw: bytes) -> Callable[[ServerConnection], object]:
    def talk(connection: ServerConnection) -> None:
        connection.socket.sendall(raw)

    return talk


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (lambda it: it.close(1012, "restart"), "closed by the exchange with 1012 restart"),
        (lambda it: it.close(1000), "closed by the exchange with 1000"),
        (say_raw(b"\x88\x00"), "closed by the exchange with 1005"),
    ],
)
def test_a_close_is_told_with_its_code_and_reason(
    transport: WebSocketTransport, talk: Callable[[ServerConnection], object], said: str
) -> None:
    ear, _ = lost_by(transport, talk)

    assert ear.reasons == [said]


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(lambda it: it.socket.shutdown(socket.SHUT_WR), id="end of file"),
        pytest.param(reset, id="reset"),
        pytest.param(say_raw(b"HTTP/1.1 502 Bad Gateway\r\n" + b"\r\n" * 50), id="no WebSocket"),
        pytest.param(say_raw(b"\x83\x00"), id="an opcode there is not"),
        pytest.param(say_raw(b"\xf2\x00"), id="bits that are reserved"),
        pytest.param(say_raw(b"\x80\x00"), id="a fragment of nothing"),
        pytest.param(say_raw(b"\x09\x00"), id="a ping in fragments"),
        pytest.param(say_raw(b"\x89\x7e\x00\x7e" + bytes(126)), id="a ping too long"),
        pytest.param(say_raw(b"\x88\x01\x03"), id="half a close code"),
        pytest.param(say_raw(b"\x88\x02\x00\x00"), id="a close code there is not"),
        pytest.param(say_raw(b"\x88\x03\x03\xe8\xff"), id="a close reason that is no text"),
        pytest.param(cut_off, id="in the middle of a frame"),
    ],
)
def test_whatever_ends_a_connection_is_told_once(
    transport: WebSocketTransport, talk: Callable[[ServerConnection], object]
) -> None:
    ear, link = lost_by(transport, talk)
    link.send("hello?")
    link.ping()
    link.close("enough")

    assert len(ear.reasons) == 1
    assert ear.reasons[0]


def test_closing_is_told_once_with_our_reason(transport: WebSocketTransport) -> None:
    ear = Ear()
    with server(silent) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        for reason in ("first", "second"):
            link.close(reason)
        assert ended()
    link.close("third")

    assert ear.reasons == ["first"]


def test_closing_as_soon_as_it_is_open_is_fine(transport: WebSocketTransport) -> None:
    ear = Ear(on_opened=lambda link: link.close("never mind"))
    with server(silent) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert ear.reasons == ["never mind"]


def test_closing_before_tls_is_agreed_leaves_no_thread_waiting(
    transport: WebSocketTransport,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ear = Ear()
        link = transport.open("upbit", f"wss://127.0.0.1:{mute.getsockname()[1]}", ear)
        client, _ = mute.accept()
        assert client.recv(4)
        link.close("enough")
        for thread in readers():
            thread.join(1.0)
        left = readers()
        client.close()
        assert ended()

    assert left == []


def test_a_stopped_dispatcher_has_waited_for_its_reading_threads() -> None:
    dispatcher, told = Dispatcher(), threading.Event()
    dispatcher.start()

    class Slow(Ear):
        def closed(self, reason: str, refusal: Refusal | None = None) -> None:
            told.wait(TIMEOUT_S)
            super().closed(reason, refusal)

    ear = Slow()
    with server(silent) as url:
        link = WebSocketTransport(dispatcher).open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        link.close("enough")
        timer = threading.Timer(0.05, told.set)
        timer.start()
        dispatcher.stop()
        left = readers()
        timer.join()
        assert ended()

    assert left == []


## What a server may send, or leave out


@contextmanager
def raw(
    talk: Callable[[socket.socket], object],
    *,
    tls: ssl.SSLContext | None = None,
    at_once: bytes = b"",
) -> Iterator[str]:
    """Yield the address of a server for one client, that does as told after the handshake.

    `at_once`: what it says in one breath with the handshake.
    """

    def serve_one() -> None:
        with suppress(OSError), accepted(listening, tls) as client:
            client.sendall(handshake(client) + at_once)
            talk(client)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve_one)
        thread.start()
        scheme = "wss" if tls else "ws"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/stream"
        thread.join(TIMEOUT_S)
    assert not thread.is_alive()


def accepted(listening: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    client, _ = listening.accept()
    client.settimeout(TIMEOUT_S)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(client, server_side=True) if tls else client


def handshake(client: socket.socket) -> bytes:
    """Return the answer to a client's request."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1000)
    (key,) = re.findall(r"Sec-WebSocket-Key: (\S+)", head.decode())
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
    ).encode()


def frame(opcode: int, payload: bytes) -> bytes:
    return Frame(Opcode(opcode), payload).serialize(mask=False)


def until_end(client: socket.socket) -> bytes:
    """Return all that the client says, but the frame a reset may take from us."""
    said = b""
    with suppress(ConnectionError):
        while chunk := client.recv(65_536):
            said += chunk
    return said


def heard_of(
    transport: WebSocketTransport,
    talk: Callable[[socket.socket], object],
    *,
    tls: ssl.SSLContext | None = None,
    at_once: bytes = b"",
) -> Ear:
    """Return what was told of a connection that the server ends."""
    ear = Ear()
    with raw(talk, tls=tls, at_once=at_once) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()
    return ear


def saying(*frames: bytes) -> Callable[[socket.socket], object]:
    def talk(client: socket.socket) -> None:
        client.sendall(b"".join(frames))
        client.shutdown(socket.SHUT_WR)
        until_end(client)

    return talk


def test_one_byte_at_a_time_is_enough(transport: WebSocketTransport) -> None:
    price = "가격".encode()
    frames = frame(1, price) + frame(9, b"?") + frame(2, bytes(300)) + frame(8, b"\x03\xf4")

    def talk(client: socket.socket) -> None:
        for byte in frames:
            client.sendall(bytes([byte]))
        until_end(client)

    ear = heard_of(transport, talk)

    assert ear.frames == [price, bytes(300)]
    assert (ear.signs, ear.reasons) == (1, ["closed by the exchange with 1012"])


def test_ten_thousand_frames_in_one_burst_come_in_order(transport: WebSocketTransport) -> None:
    payloads = [b"%d %s" % (number, bytes(1_100)) for number in range(10_000)]
    ear = heard_of(transport, saying(*[frame(2, payload) for payload in payloads]))

    assert ear.frames == payloads
    assert ear.stamps == sorted(ear.stamps)
    # What came by one read left the socket at one time.
    assert len(set(ear.stamps)) < 5_000


@pytest.mark.parametrize("over_tls", [False, True])
def test_frames_may_come_in_one_breath_with_the_handshake(
    trusting: WebSocketTransport, tls: ssl.SSLContext, over_tls: bool
) -> None:
    def talk(client: socket.socket) -> None:
        until_end(client)

    ear = Ear()
    both = frame(2, b"first") + frame(2, b"second")
    with raw(talk, tls=tls if over_tls else None, at_once=both) as url:
        link = trusting.open("upbit", url, ear)
        assert ear.has(lambda it: len(it.frames) == 2)
        link.close("enough")
        assert ended()

    assert ear.frames == [b"first", b"second"]


def test_a_huge_message_is_told_and_passed_over_without_being_kept(
    transport: WebSocketTransport,
) -> None:
    piece = bytes(2**20)

    def talk(client: socket.socket) -> None:
        client.sendall(b"\x82\x7f" + (64 * len(piece)).to_bytes(8, "big"))
        for _ in range(64):
            client.sendall(piece)
        saying(frame(2, b"next"))(client)

    tracemalloc.start()
    ear = heard_of(transport, talk)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (ear.lengths, ear.frames) == ([2**26], [b"next"])
    assert most < 2**22


def test_how_long_a_message_may_be_is_the_transports_to_say(dispatcher: Dispatcher) -> None:
    transport = WebSocketTransport(dispatcher, max_frame_bytes=3)
    ear = heard_of(transport, saying(frame(1, b"four"), frame(1, b"two")))

    assert (ear.lengths, ear.frames) == ([4], [b"two"])


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_must_be_more_than_0(dispatcher: Dispatcher, limit: int) -> None:
    with pytest.raises(InvalidOption, match=f"max_frame_bytes must be more than 0, not {limit}"):
        WebSocketTransport(dispatcher, max_frame_bytes=limit)
    with pytest.raises(InvalidOption, match=f"connect_timeout_s must be more than 0, not {limit}"):
        WebSocketTransport(dispatcher, connect_timeout_s=limit)


def test_pings_and_pongs_are_told_as_signs_of_life(transport: WebSocketTransport) -> None:
    ear = heard_of(transport, saying(frame(9, b"?"), frame(10, b""), frame(10, b"unasked")))

    assert (ear.signs, ear.frames) == (3, [])


def test_a_message_says_whether_it_is_text(transport: WebSocketTransport) -> None:
    class Echo(Ear):
        link: Any = None

        def opened(self, link: Link) -> None:
            self.link = link
            super().opened(link)

        def received(self, payload: bytes, received_ns: int) -> None:
            self.link.send(payload.decode() if self.link.text else payload)
            super().received(payload, received_ns)

    heard_back: list[str | bytes] = []

    def talk(connection: ServerConnection) -> None:
        for said in ("text", b"binary", "text"):
            connection.send(said)
            heard_back.append(connection.recv(TIMEOUT_S))

    ear = Echo()
    with server(talk) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: len(it.frames) == 3)
        ear.link.close("enough")
        assert ended()

    assert heard_back == ["text", b"binary", "text"]


## The end, as the server sees it


def codes_of(said: bytes) -> list[int]:
    """Return the codes of the close frames that a client said."""
    there = Protocol(Side.SERVER, state=State.OPEN)
    there.receive_data(said)
    frames = [each for each in there.events_received() if isinstance(each, Frame)]
    return [Close.parse(each.data).code for each in frames if each.opcode is Opcode.CLOSE]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (frame(8, (1012).to_bytes(2, "big")), 1012),
        (frame(8, (1013).to_bytes(2, "big") + b"try again later"), 1013),
        (frame(8, b""), 1005),
        (b"\x83\x00", 1002),
        (b"\x82\x80" + bytes(4), 1002),
        (b"\x81\x01\xff", 1007),
    ],
)
@pytest.mark.parametrize("over_tls", [False, True])
def test_the_server_is_told_why_it_ends_whatever_else_it_had_sent(
    trusting: WebSocketTransport, tls: ssl.SSLContext, bad: bytes, code: int, over_tls: bool
) -> None:
    heard_back: list[bytes] = []

    def talk(client: socket.socket) -> None:
        client.sendall(bad + frame(2, bytes(200_000)))
        heard_back.append(until_end(client))

    ear = heard_of(trusting, talk, tls=tls if over_tls else None)

    assert codes_of(heard_back[0]) == [code]
    assert f"with {code}" in ear.reasons[0]
    assert ear.frames == []


def test_the_server_is_told_that_we_close(transport: WebSocketTransport) -> None:
    heard_back: list[bytes] = []
    ear = Ear(on_opened=lambda link: link.close("enough"))
    with raw(lambda client: heard_back.append(until_end(client))) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert codes_of(heard_back[0]) == [1000]


def half_closed(client: socket.socket) -> None:
    """End TLS, but not the connection below it."""
    assert isinstance(client, ssl.SSLSocket)
    with suppress(OSError):
        client.unwrap()
    until_end(client)


def cut(client: socket.socket) -> None:
    """End the connection without ending TLS, in the middle of a frame."""
    client.sendall(frame(2, bytes(1_000))[:-1])
    socket.socket.shutdown(client, socket.SHUT_WR)
    socket.socket.recv(client, 1)


@pytest.mark.parametrize("talk", [half_closed, cut])
def test_however_tls_ends_it_is_told(
    trusting: WebSocketTransport, tls: ssl.SSLContext, talk: Callable[[socket.socket], object]
) -> None:
    ear = heard_of(trusting, talk, tls=tls)

    assert ear.frames == []
    assert "1006" in ear.reasons[0]


def test_a_handshake_that_does_not_end_is_given_up(dispatcher: Dispatcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ear = Ear()
        transport = WebSocketTransport(dispatcher, connect_timeout_s=0.05)
        transport.open("upbit", f"ws://127.0.0.1:{mute.getsockname()[1]}", ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert re.search("not connected within 0.05 s|timed out", ear.reasons[0])


## A server that does not read, and a reader that does not


def test_a_server_that_reads_nothing_keeps_nobody_waiting(
    transport: WebSocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_stream, "SEND_TIMEOUT_S", 0.05)
    ear = Ear()
    over = threading.Event()
    with raw(lambda _: over.wait(TIMEOUT_S)) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        link.send(b"x" * 2**24)
        assert ear.has(lambda it: it.reasons)
        over.set()
        assert ended()

    assert ear.reasons == ["TimeoutError: the other side took nothing for 0.05 s"]


def test_closing_does_not_wait_for_who_sends(transport: WebSocketTransport) -> None:
    ear = Ear()
    over = threading.Event()
    with raw(lambda _: over.wait(TIMEOUT_S)) as url:
        link = transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        sending = threading.Thread(target=link.send, args=(b"x" * 2**24,))
        sending.start()
        while not link._stream or not link._stream._writing.locked():
            """It is about to begin."""
        link.close("enough")
        sending.join(TIMEOUT_S)
        assert not sending.is_alive()
        assert ended()
        over.set()

    assert ear.reasons == ["enough"]


@pytest.mark.parametrize("over_tls", [False, True])
def test_the_backlog_is_what_a_reader_has_not_come_to(
    trusting: WebSocketTransport, tls: ssl.SSLContext, over_tls: bool
) -> None:
    sent, free = threading.Event(), threading.Event()

    def talk(client: socket.socket) -> None:
        client.sendall(frame(2, bytes(1_000)) * 200)
        sent.set()
        until_end(client)

    class Busy(Ear):
        def received(self, payload: bytes, received_ns: int) -> None:
            free.wait(TIMEOUT_S)
            super().received(payload, received_ns)

    ear = Busy()
    with raw(talk, tls=tls if over_tls else None) as url:
        link = trusting.open("upbit", url, ear)
        assert sent.wait(TIMEOUT_S)
        while busy := link.backlog() < 1_000:
            """The last of it is on its way."""
        free.set()
        assert ear.has(lambda it: len(it.frames) == 200)
        after = link.backlog()
        link.close("enough")
        assert ended()

    assert (busy, after, link.backlog()) == (False, 0, 0)


def often(send: Callable[[Any], object], content: str | bytes, times: int) -> None:
    for _ in range(times):
        send(content)


def test_two_threads_may_send_while_tls_is_read(
    trusting: WebSocketTransport, tls: ssl.SSLContext
) -> None:
    heard_back: list[str | bytes] = []

    def talk(connection: ServerConnection) -> None:
        talking = threading.Thread(target=often, args=(connection.send, BOOK, 3_000))
        talking.start()
        heard_back.extend(connection.recv(TIMEOUT_S) for _ in range(2_000))
        talking.join(TIMEOUT_S)
        connection.send(b"all heard")

    ear = Ear()
    with server(talk, tls=tls) as url:
        link = trusting.open("upbit", url, ear)
        assert ear.has(lambda it: it.opens)
        for name in ("one", "two"):
            threading.Thread(target=often, args=(link.send, name, 1_000)).start()
        assert ear.has(lambda it: len(it.frames) == 3_001)
        link.close("enough")
        assert ended()

    assert ear.frames == [*[BOOK] * 3_000, b"all heard"]
    assert sorted(heard_back) == ["one"] * 1_000 + ["two"] * 1_000


def test_links_that_are_not_connected_have_no_backlog(transport: WebSocketTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ear = Ear()
        link = transport.open("upbit", f"ws://127.0.0.1:{mute.getsockname()[1]}", ear)
        before = link.backlog()
        link.send("nobody is there")
        link.close("enough")
        assert ended()

    assert (before, ear.reasons) == (0, ["enough"])


def test_a_connection_closed_while_it_is_made_is_ended_at_once(dispatcher: Dispatcher) -> None:
    ours, there = socket.socketpair()
    connecting, closed = threading.Event(), threading.Event()

    class LateDial(Dial):
        """Connected just before it is given up."""

        def connect(self) -> socket.socket:
            connecting.set()
            closed.wait(TIMEOUT_S)
            return ours

        def give_up(self, error: Exception) -> None:
            """Come too late for that."""

    dial = LateDial("upbit", "ws://nowhere", ssl.create_default_context(), timeout_s=TIMEOUT_S)
    ear = Ear()
    with there:
        link = WebSocketLink("upbit", dial, FrameParser(), ear, dispatcher)
        assert connecting.wait(TIMEOUT_S)
        link.close("enough")
        closed.set()
        assert until_end(there) == b""
    assert ended()

    assert (ear.opens, ear.reasons) == (0, ["enough"])
