"""Real WebSocket connections, against a server that is not ours."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from ticklane import Feed, MarketData
from ticklane.runtime import Dispatcher, Link, WebSocketTransport

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

    def heard(self, received_ns: int) -> None:
        with self._changed:
            self.signs += 1
            self._changed.notify_all()

    def closed(self, reason: str) -> None:
        with self._changed:
            self.reasons.append(reason)
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


@attrs.frozen
class SelfSigned:
    """A certificate for 127.0.0.1 that nobody vouches for."""

    file: Path
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    today = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return SelfSigned(folder / "certificate.pem", context)


def say_a_book(connection: ServerConnection) -> None:
    connection.send(BOOK)


def test_a_certificate_nobody_vouches_for_is_refused(
    transport: WebSocketTransport, self_signed: SelfSigned
) -> None:
    ear = Ear()
    with server(say_a_book, tls=self_signed.context) as url:
        transport.open("upbit", url, ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert "CERTIFICATE_VERIFY_FAILED" in ear.reasons[0]
    assert (ear.opens, ear.frames) == (0, [])


def test_a_certificate_for_another_name_is_refused(
    dispatcher: Dispatcher, self_signed: SelfSigned
) -> None:
    transport = WebSocketTransport(dispatcher, ca_file=str(self_signed.file))
    ear = Ear()
    with server(say_a_book, tls=self_signed.context) as url:
        transport.open("upbit", url.replace("127.0.0.1", "localhost"), ear)
        assert ear.has(lambda it: it.reasons)
        assert ended()

    assert "Hostname mismatch" in ear.reasons[0]


def test_a_feeds_last_error_names_the_certificate(self_signed: SelfSigned) -> None:
    lost = threading.Event()
    with server(say_a_book, tls=self_signed.context) as url:
        market = MarketData([Feed("upbit", ["KRW-BTC"], url=url)])
        market.subscribe("upbit:KRW-BTC", lambda _: None, on_event=lambda _: lost.set())
        with market:
            assert lost.wait(TIMEOUT_S)
        feed = market.metrics().feeds[0]

    assert "certificate verify failed: self-signed certificate" in str(feed.last_error)
    assert feed.snapshots == 0


def test_a_certificate_vouched_for_by_the_file_given_is_accepted(
    dispatcher: Dispatcher, self_signed: SelfSigned
) -> None:
    transport = WebSocketTransport(dispatcher, ca_file=str(self_signed.file))
    with server(say_a_book, tls=self_signed.context) as url:
        feed = Feed("upbit", ["KRW-BTC"], url=url)
        with MarketData([feed], dispatcher=dispatcher, transport=transport) as market:
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
        def closed(self, reason: str) -> None:
            told.wait(TIMEOUT_S)
            super().closed(reason)

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
