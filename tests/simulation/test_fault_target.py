"""Every fault, on a simulated exchange in a world and on one on loopback: the same words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Any

import pytest

from ticklane.messages import InvalidOption, Refusal, Snapshot
from ticklane.runtime import Dispatcher, Link, Transport, WebSocketTransport
from ticklane.simulation import (
    FaultTarget,
    LoopbackExchange,
    World,
    WorldExchange,
    WorldTransport,
)

STREAM = "/ws/btcusdt@depth5@100ms"
GAP_S = 0.02
PRICES = ((9.0, 1.0),), ((10.0, 1.0),)


def books() -> Iterator[tuple[float, Snapshot]]:
    """Yield the books of two symbols in turn, each numbered from 1."""
    for number in count(1):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            yield number * GAP_S, Snapshot("binance", symbol, *PRICES, None, number)


class Client:
    """What a connection was told."""

    def __init__(self, note: Callable[[Any], None]) -> None:
        self._note = note
        self.link: Link | None = None
        self.frames: list[bytes] = []
        self.received_ns: list[int] = []
        self.pongs = 0
        self.reason = ""
        self.refusal: Refusal | None = None

    def opened(self, link: Link) -> None:
        self.link = link
        self._note("opened")

    def received(self, payload: bytes, received_ns: int) -> None:
        self.frames.append(payload)
        self.received_ns.append(received_ns)
        self._note(payload)

    def oversized(self, length: int, received_ns: int) -> None:
        raise AssertionError(length, received_ns)

    def heard(self, received_ns: int) -> None:
        assert received_ns
        self.pongs += 1
        self._note("pong")

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        self.reason, self.refusal = reason, refusal
        self._note(reason)

    @property
    def numbers(self) -> list[int]:
        """The numbers of its books, 0 for what is no book."""
        return [number(frame) for frame in self.frames]


def number(frame: bytes) -> int:
    try:
        content = json.loads(frame)
    except ValueError:
        return 0
    return content.get("lastUpdateId", 0)  # type: ignore[no-any-return]


class Site:
    """An exchange, and how to connect to it."""

    def __init__(self, target: Any, transport: Transport, url: str, stage: Any) -> None:
        self.target: FaultTarget = target
        self._transport = transport
        self._url = url
        self._stage = stage
        self._links: list[Link] = []

    def connect(self, path: str = STREAM) -> Client:
        client = Client(self._stage.note)
        self._links.append(self._transport.open("test", self._url + path, client))
        return client

    def connected(self, frames: int = 3) -> Client:
        """Return a client that has got so many frames."""
        client = self.connect()
        self.until(lambda: len(client.frames) >= frames)
        return client

    def until(self, condition: Callable[[], bool]) -> None:
        self._stage.until(condition)

    def leave(self) -> None:
        for link in self._links:
            link.close("the test is over")


@pytest.fixture
def site(stage: Any) -> Iterator[Site]:
    """Yield a site in each place, one after the other."""
    if isinstance(stage.dispatcher, World):
        exchange = WorldExchange(stage.dispatcher, "binance", books())
        transport = WorldTransport(stage.dispatcher, [exchange])
        yield Site(exchange, transport, "ws://binance", stage)
        return
    assert isinstance(stage.dispatcher, Dispatcher)
    with LoopbackExchange("binance", books()) as loopback:
        site = Site(loopback, WebSocketTransport(stage.dispatcher), loopback.url, stage)
        yield site
        site.leave()


def test_disconnecting_closes_with_the_code_asked_for(site: Site) -> None:
    client = site.connected()
    site.target.disconnect(1012)
    site.until(lambda: bool(client.reason))

    assert client.reason == "closed by the exchange with 1012"


WRONG: list[tuple[str, tuple[Any, ...], str]] = [
    *(
        ("disconnect", (code,), "code must be a WebSocket close code that may be sent, or None")
        for code in (0, 1005, 1006, 1015, 2999, 5000, "1001")
    ),
    *(
        (name, (seconds,), "seconds must be a number of seconds, at least 0")
        for name in ("stall", "reject", "rate_limit")
        for seconds in (-1.0, math.nan, "1")
    ),
    ("shutdown", (-1.0,), "notice_s must be a number of seconds, at least 0"),
    ("rate_limit", (1.0, 200), "status must be 418, 429 or 503"),
    ("burst", (-1,), "books must be a whole number, at least 0"),
    *(
        (name, (frames,), "frames must be a whole number, at least 1")
        for name in ("corrupt", "duplicate", "reorder", "gap")
        for frames in (0, 1.5)
    ),
]


def test_a_fault_that_cannot_be_is_an_error_and_does_nothing(site: Site) -> None:
    client = site.connected()
    said = []
    for name, given, allowed in WRONG:
        with pytest.raises(InvalidOption) as caught:
            getattr(site.target, name)(*given)
        said.append(str(caught.value) == f"{allowed}, not {given[-1]!r}")
    before = len(client.frames)
    site.until(lambda: len(client.frames) >= before + 3)

    assert all(said)
    assert site.target.alive == 1


def test_disconnecting_without_a_code_resets(site: Site) -> None:
    client = site.connected()
    site.target.disconnect(None)
    site.until(lambda: bool(client.reason))

    assert client.reason == "ConnectionResetError: [Errno 104] Connection reset by peer"


def test_a_half_open_connection_takes_everything_and_says_nothing(site: Site) -> None:
    client, link = (dead := site.connected()), dead.link
    site.target.half_open()
    other = site.connected()
    frames = len(client.frames)
    assert link is not None
    link.ping()
    link.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
    more = len(other.frames) + 20
    site.until(lambda: len(other.frames) >= more)

    assert (len(client.frames), client.pongs, client.reason) == (frames, 0, "")


def test_a_stalled_exchange_says_it_all_when_the_stall_is_over(site: Site) -> None:
    client = site.connected()
    site.target.stall(0.3)
    link = client.link
    assert link is not None
    link.ping()
    site.until(lambda: len(client.frames) >= 30 and client.pongs > 0)
    pauses_s = [(later - earlier) / 1e9 for earlier, later in pairwise(client.received_ns)]

    assert max(pauses_s) > 0.25
    assert client.numbers == [*range(client.numbers[0], client.numbers[0] + len(client.frames))]


def test_who_connects_in_a_stall_is_let_in_when_it_is_over(site: Site) -> None:
    first = site.connected()
    site.target.stall(0.3)
    late = site.connected(frames=1)

    assert late.numbers[0] > first.numbers[2] + 10


def test_a_burst_brings_the_next_books_at_once(site: Site) -> None:
    client = site.connected()
    site.target.burst(600)  # of two symbols: 300 each
    site.until(lambda: len(client.frames) >= 320)
    spans_ns = [
        later - earlier
        for earlier, later in zip(client.received_ns, client.received_ns[300:], strict=False)
    ]

    assert min(spans_ns) / 1e9 < 300 * GAP_S / 2
    assert client.numbers == [*range(client.numbers[0], client.numbers[0] + len(client.frames))]


def test_frames_can_be_cut_in_half(site: Site) -> None:
    client = site.connected()
    site.target.corrupt(2, symbol="BTCUSDT")
    site.until(lambda: client.numbers.count(0) == 2 and client.numbers[-1] > 0)
    spoilt, whole = client.frames[client.numbers.index(0)], client.frames[0]

    assert len(spoilt) == pytest.approx(len(whole) / 2, abs=2)


def test_frames_can_come_twice(site: Site) -> None:
    client = site.connected()
    site.target.duplicate(2, symbol="BTCUSDT")
    site.until(lambda: len(client.frames) - len(set(client.frames)) == 2)

    assert client.numbers == sorted(client.numbers)


def test_frames_can_come_in_the_wrong_order(site: Site) -> None:
    client = site.connected()
    site.target.reorder(2, symbol="BTCUSDT")
    site.until(lambda: backwards(client) == 2)

    assert min(client.numbers) == client.numbers[0]
    assert len(set(client.numbers)) == len(client.numbers)


def backwards(client: Client) -> int:
    return sum(later < earlier for earlier, later in pairwise(client.numbers))


def test_frames_can_be_left_out(site: Site) -> None:
    client = site.connected()
    site.target.gap(3, symbol="BTCUSDT")
    site.until(lambda: missing(client) == 3)

    assert client.numbers == sorted(client.numbers)


def missing(client: Client) -> int:
    return client.numbers[-1] - client.numbers[0] + 1 - len(client.frames)


def test_the_frames_of_another_symbol_are_left_alone(site: Site) -> None:
    client = site.connected()
    site.target.gap(3, symbol="ETHUSDT")
    site.until(lambda: len(client.frames) >= 20)

    assert missing(client) == 0


def test_anything_can_be_said_to_every_client(site: Site) -> None:
    client = site.connected()
    site.target.send_raw("not JSON")
    site.until(lambda: b"not JSON" in client.frames)


def test_a_rejected_subscription_is_answered_with_an_error(site: Site) -> None:
    site.target.reject(10.0)
    client = site.connect()
    site.until(lambda: bool(client.frames))

    assert json.loads(client.frames[0])["error"]["code"] == 2
    assert client.numbers == [0]


def test_who_connects_while_it_is_rate_limited_is_refused(site: Site) -> None:
    site.target.rate_limit(10.0)
    client = site.connect()
    site.until(lambda: bool(client.reason))

    assert client.reason == "handshake refused with HTTP status 429"
    assert client.refusal == Refusal("rate limit")


def test_a_shutdown_is_announced_before_connections_are_closed(site: Site) -> None:
    client = site.connected()
    site.target.shutdown(notice_s=0.2)
    site.until(lambda: bool(client.reason))
    events = [frame for frame in client.frames if b"serverShutdown" in frame]

    assert client.reason == "closed by the exchange with 1001 shutdown"
    assert len(events) == 1
    assert client.numbers[-1] > client.numbers[client.frames.index(events[0]) - 1]


def test_after_a_shutdown_it_may_be_away_for_a_while(site: Site) -> None:
    client = site.connected()
    site.target.shutdown(notice_s=0.1, down_s=10.0)
    site.until(lambda: bool(client.reason))
    later = site.connect()
    site.until(lambda: bool(later.reason))

    assert later.reason == "handshake refused with HTTP status 503"
