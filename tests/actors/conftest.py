"""What the tests of actors share: what is logged, and one feed's actor whose wires a test plays."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import attrs
import pykka
import pytest
from loguru import logger

from ticklane import Feed
from ticklane.actors import ConnectGate, FeedActor, FeedPart, FeedStatus
from ticklane.messages import FeedEvent, Snapshot
from ticklane.runtime import Inbox, Link, Mailbox, Receiver
from ticklane.simulation import World
from ticklane.simulation.upbit_venue import UpbitForm

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from loguru import Message


@pytest.fixture
def logged() -> Iterator[list[Message]]:
    """Return what the library logs during the test, live."""
    messages: list[Message] = []
    sink = logger.add(messages.append, format="{level} {message}")
    logger.enable("ticklane")
    yield messages
    logger.disable("ticklane")
    logger.remove(sink)


@attrs.define(eq=False)
class Wire:
    """One connection as the test plays it."""

    url: str
    receiver: Receiver
    world: World
    obedient: bool
    """Whether it is lost as soon as it is closed."""
    sent: list[tuple[float, str]] = attrs.field(factory=list)
    """What was said, and when, in seconds."""
    pings: int = 0
    answers: bool = False
    """Whether it answers pings."""
    closed_for: str | None = None
    gone: bool = False
    here = None

    def send(self, text: str) -> None:
        self.sent.append((self.world.clock.now_ns() / 1e9, text))

    def ping(self) -> None:
        self.pings += 1
        if self.answers:
            self.receiver.heard(self.world.clock.now_ns())

    def close(self, reason: str) -> None:
        self.closed_for = self.closed_for or reason
        if self.obedient:
            self.world.call_later(0.0, lambda: self.is_lost(reason))

    def backlog(self) -> int:
        return 0

    def opens(self) -> None:
        self.receiver.opened(self)
        self.world.run_for(0.0)

    def brings(self, *symbols: str) -> None:
        """Bring a book of now of each symbol."""
        at_ns = self.world.clock.now_ns()
        for symbol in symbols or ("BTC",):
            levels = ((100.0, 1.0),), ((101.0, 1.0),)
            book = Snapshot("upbit", symbol, *levels, at_ns // 1_000_000)
            self.receiver.received(UpbitForm().frame(book), at_ns)
        self.world.run_for(0.0)

    def is_lost(self, reason: str = "the cable", refusal: Any = None) -> None:
        if not self.gone:
            self.gone = True
            self.receiver.closed(reason, refusal)
            self.world.run_for(0.0)


@attrs.define
class Wires:
    """A transport whose connections the test plays."""

    world: World
    made: list[Wire] = attrs.field(factory=list)
    broken: bool = False
    obedient: bool = False

    def open(self, name: str, url: str, receiver: Receiver) -> Link:
        if self.broken:
            raise RuntimeError(f"can't start new thread for {name}")
        self.made.append(Wire(url, receiver, self.world, self.obedient))
        return self.made[-1]


@attrs.define
class Playground:
    """One feed's actor, and everything around it."""

    exchange: str = "upbit"
    symbols: tuple[str, ...] = ("BTC", "ETH")
    url: Any = None
    redundancy: int = 1
    world: World = attrs.field(factory=World)
    wires: Wires = attrs.field()
    gate: ConnectGate = attrs.field()
    status: FeedStatus = attrs.field()
    inbox: Inbox = attrs.field()
    mailboxes: dict[str, Mailbox] = attrs.field()
    part: FeedPart = attrs.field()
    standby: int = 0
    limits: Any = None
    refs: list[pykka.ActorRef[FeedActor]] = attrs.field(factory=list)

    @wires.default
    def _wires(self) -> Wires:
        return Wires(self.world)

    @gate.default
    def _gate(self) -> ConnectGate:
        return ConnectGate(self.world.clock)

    @status.default
    def _status(self) -> FeedStatus:
        return FeedStatus(f"{self.exchange}#{id(self)}", self.exchange)

    @inbox.default
    def _inbox(self) -> Inbox:
        return Inbox(self.world)

    @mailboxes.default
    def _mailboxes(self) -> dict[str, Mailbox]:
        return {name: Mailbox(f"{self.exchange}:{name}", self.world) for name in self.symbols}

    @part.default
    def _part(self) -> FeedPart:
        return FeedPart(self.mailboxes, self.redundancy)

    def start(self) -> Playground:
        ref = FeedActor.start(
            feed=Feed(self.exchange, self.symbols, url=self.url),
            part=self.part,
            status=self.status,
            transport=self.wires,
            gate=self.gate,
            dispatcher=self.world,
            inbox=self.inbox,
            standby=self.standby,
            limits=self.limits,
        )
        self.refs.append(ref)
        self.world.run_for(0.0)
        return self

    def end(self) -> None:
        self.inbox.stop(drain=True)
        self.world.run_for(0.0)

    @property
    def wire(self) -> Wire:
        return self.wires.made[-1]

    def opens(self) -> None:
        self.wire.opens()

    def brings_a_book(self) -> None:
        self.wire.brings("BTC")

    def is_lost(self, wire: Wire | None = None) -> None:
        (wire or self.wire).is_lost()

    def streams(self, seconds: int, wire: Wire | None = None) -> None:
        """Bring a book of every symbol twice a second for so long."""
        for _ in range(2 * seconds):
            self.world.run_for(0.5)
            (wire or self.wire).brings(*self.symbols)

    def events(self, symbol: str = "BTC") -> list[FeedEvent]:
        return [event for _, event in self.mailboxes[symbol]._events]

    def told(self, symbol: str = "BTC") -> list[str]:
        return [type(event).__name__ for event in self.events(symbol)]


@pytest.fixture(scope="session")
def new_playground() -> Callable[..., Playground]:
    """Return how to make one, for those that need several or other options."""
    return Playground


@pytest.fixture
def playground() -> Iterator[Playground]:
    """Yield one that has started, with wires that the test plays."""
    playground = Playground()
    yield playground.start()
    playground.end()


@attrs.frozen
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    body: Any


class WebServer(ThreadingHTTPServer):
    """Answers with `status`, once `open` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.open = threading.Event()
        self.open.set()
        self.posts: list[Posted] = []
        self.came = threading.Semaphore(0)
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """Say nothing of those who hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(Posted(self.path, dict(self.headers), json.loads(body)))
        self.server.came.release()
        self.server.open.wait(10.0)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def web_server(tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Yield a server that runs."""
    server = WebServer()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def new_server() -> Callable[..., AbstractContextManager[WebServer]]:
    """Return how to start a web server, with TLS or without."""
    return web_server


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Yield a web server that runs."""
    with web_server() as running:
        yield running
