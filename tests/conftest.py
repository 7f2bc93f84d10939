"""Fixtures every test may use."""

from __future__ import annotations

import heapq
import ipaddress
import os
import random
import threading
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import hypothesis
import pykka
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ticklane import Feed, MarketData
from ticklane.runtime import (
    Clock,
    DeadLetters,
    Dispatcher,
    Dispatching,
    Inbox,
    Reply,
    Timer,
)
from ticklane.runtime.registry import unregister
from ticklane.simulation import LoopbackExchange, World, WorldExchange, WorldTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ticklane import Snapshot


NOBODY = 65534


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate of 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of real frames, or skip where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "captures"
    folder = Path(os.environ.get("TICKLANE_CAPTURES", beside))
    if not folder.is_dir():
        pytest.skip(f"no captures: {folder} is missing and TICKLANE_CAPTURES names no folder")
    return folder


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """Yield a folder of a user without privileges, since root may write where it must not."""
    with TemporaryDirectory() as folder:
        if os.getuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)
        Path(folder).chmod(0o755)


class SteppedClock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000_000

    def now_ns(self) -> int:
        return self.ns

    def unix_s(self) -> float:
        return 1_700_000_000.0 + self.ns / 1e9


class Stepped:
    """Runs actors only when a test says so, on the test's own thread, at a time the test sets."""

    def __init__(self) -> None:
        self.time = SteppedClock()
        self.clock: Clock = self.time
        self.random = random.Random(0)
        self.dead_letters = DeadLetters(self.clock)
        self.line: deque[Inbox] = deque()
        """The inboxes that want to be run."""
        self.timers: list[tuple[int, int, Timer]] = []
        """What is still to come: when (ns), a tie-breaker, the call."""
        self._tie = count()

    def submit(self, inbox: Inbox) -> None:
        self.line.append(inbox)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(callback)
        due_ns = self.time.ns + int(delay_s * 1e9)
        heapq.heappush(self.timers, (due_ns, next(self._tie), timer))
        return timer

    def lend(self, reply: pykka.Future[Any], inbox: Inbox) -> None:
        """Have whoever waits for the answer run the actors meanwhile."""
        assert isinstance(inbox, Inbox)
        assert isinstance(reply, Reply)
        reply.drive = self._drive

    def run(self, throughput: int = 64) -> None:
        """Run whatever is in line until nothing is."""
        while self.line:
            self.line.popleft().run(throughput)

    def advance(self, seconds: float) -> None:
        """Let time pass: make the calls that come due, each followed by what it sets going."""
        end_ns = self.time.ns + int(seconds * 1e9)
        self.run()
        while self.timers and self.timers[0][0] <= end_ns:
            self.fire_next()
        self.time.ns = end_ns

    def fire_next(self) -> None:
        """Make the call that comes due first, at its time, and run what it sets going."""
        due_ns, _, timer = heapq.heappop(self.timers)
        self.time.ns = max(self.time.ns, due_ns)
        timer.fire()
        self.run()

    def _drive(self, reply: Reply, timeout: float | None) -> None:
        self.run()
        if not reply.done and timeout is not None:
            self.advance(timeout)
        if not reply.done:
            raise pykka.Timeout("nothing is left to run and the answer is not there")


@pytest.fixture
def stepped() -> Stepped:
    """Return what runs actors step by step; nothing happens unless the test makes it."""
    return Stepped()


@pytest.fixture(scope="session")
def new_stepped() -> Callable[[], Stepped]:
    """Return how to make one for each of many examples."""
    return Stepped


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    """Yield a running dispatcher on real threads; a handler still stuck at the end is a failure."""
    running = Dispatcher()
    running.start()
    yield running
    assert running.stop() == []


@pytest.fixture(autouse=True)
def _leave_the_registry_as_it_was() -> Iterator[None]:
    """Forget the actors that a test did not stop, so that the next one does not find them."""
    before = {ref.actor_urn for ref in pykka.ActorRegistry.get_all()}
    yield
    for ref in pykka.ActorRegistry.get_all():
        if ref.actor_urn not in before:
            unregister(ref)


class Stage:
    """Where a behavioural test plays: on real threads or in a world, with the same words."""

    def __init__(self, dispatcher: Dispatching) -> None:
        self.dispatcher = dispatcher
        self.notes: list[Any] = []
        self._leaving = ExitStack()

    def exchange(self, name: str, books: Iterable[tuple[float, Snapshot]] = ()) -> Any:
        """Return a simulated exchange that runs here: a `FaultTarget`, with `connections`."""
        raise NotImplementedError

    def feed(self, exchange: Any, symbols: Iterable[str], **options: Any) -> Feed:
        """Return a feed from an exchange that runs here."""
        raise NotImplementedError

    def market(self, **options: Any) -> MarketData:
        """Return market data that runs here, and is stopped at the end."""
        market = MarketData(dispatcher=self.dispatcher, **options)
        self._leaving.callback(market.stop)
        return market

    def open(self, market: MarketData, *exchanges: Any) -> None:
        """Start, and go on until each of the exchanges has been connected to."""
        market.start()
        self.until(lambda: all(exchange.connections for exchange in exchanges))

    def note(self, what: Any) -> None:
        """Remember what happened."""
        self.notes.append(what)

    def until(self, condition: Callable[[], bool]) -> None:
        """Go on until notes, or time, have made it true; fail when that takes ten seconds."""
        raise NotImplementedError

    def spend(self, seconds: float) -> None:
        """Take time in a handler."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop what runs here, the last first."""
        self._leaving.close()


class ThreadStage(Stage):
    """Real threads: who waits is woken by each note, and looks again every now and then."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(dispatcher)
        self._changed = threading.Condition()

    def exchange(self, name: str, books: Iterable[tuple[float, Snapshot]] = ()) -> LoopbackExchange:
        return self._leaving.enter_context(LoopbackExchange(name, books))

    def feed(self, exchange: LoopbackExchange, symbols: Iterable[str], **options: Any) -> Feed:
        return Feed(exchange.exchange, symbols, url=exchange.url, **options)

    def note(self, what: Any) -> None:
        with self._changed:
            super().note(what)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10.0
        with self._changed:
            while not condition():
                assert time.monotonic() < deadline, f"it did not happen: {self.notes[-10:]}"
                self._changed.wait(0.01)

    def spend(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class WorldStage(Stage):
    """One thread, virtual time."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        super().__init__(self.world)
        self._exchanges: list[WorldExchange] = []

    def exchange(self, name: str, books: Iterable[tuple[float, Snapshot]] = ()) -> WorldExchange:
        exchange = WorldExchange(self.world, name, books)
        self._exchanges.append(exchange)
        return exchange

    def feed(self, exchange: WorldExchange, symbols: Iterable[str], **options: Any) -> Feed:
        return Feed(exchange.name, symbols, **options)

    def market(self, **options: Any) -> MarketData:
        transport = WorldTransport(self.world, self._exchanges)
        return super().market(**{"transport": transport, "rest": transport, **options})

    def until(self, condition: Callable[[], bool]) -> None:
        assert self.world.run_until(condition, timeout=10.0), f"not so: {self.notes[-10:]}"

    def spend(self, seconds: float) -> None:
        self.world.spend(seconds)


@pytest.fixture(params=["threads", "world"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Yield both places, one after the other: what holds on threads holds in a world."""
    here: Stage
    if request.param == "threads":
        here = ThreadStage(request.getfixturevalue("dispatcher"))
    else:
        here = WorldStage()
    yield here
    here.close()


# A loaded machine must not fail a property for having been slow once. A quarter fewer examples than
# usual: all tests together are to take less than five minutes.
hypothesis.settings.register_profile("ticklane", deadline=None, max_examples=75)
hypothesis.settings.load_profile("ticklane")
