"""What there is to know of a feed's connection, through all the connections it had."""

import pytest

from ticklane.actors import Connection, FeedStatus
from ticklane.exchanges import EXCHANGES
from ticklane.runtime import Dispatcher, Inbox, Mailbox

BOOK = (
    b'{"type":"orderbook","code":"KRW-BTC","timestamp":%d,"orderbook_units":'
    b'[{"ask_price":101.0,"bid_price":100.0,"ask_size":1.0,"bid_size":1.0}]}'
)
SECOND_NS = 1_000_000_000


@pytest.fixture
def status() -> FeedStatus:
    return FeedStatus("upbit#2", "upbit")


def connection(dispatcher: Dispatcher, *frames: bytes) -> Connection:
    """Return a connection that has received the frames, the last one at second 3."""
    mailbox = Mailbox("upbit:KRW-BTC", dispatcher)
    protocol = EXCHANGES["upbit"].protocol(("KRW-BTC",), "orderbook")
    new = Connection("upbit#2", "", protocol, {"KRW-BTC": mailbox}, Inbox(dispatcher))
    for frame in frames:
        new.received(frame, 3 * SECOND_NS)
    return new


def test_before_the_first_connection_nothing_is_counted(status: FeedStatus) -> None:
    metrics = status.metrics(0)

    assert (metrics.name, metrics.exchange, metrics.state) == ("upbit#2", "upbit", "idle")
    assert (metrics.frames, metrics.snapshots, metrics.reconnects) == (0, 0, 0)
    assert (metrics.bad_frames, metrics.silence_s, metrics.last_error) == ({}, None, None)


def test_the_connection_there_is_counts(status: FeedStatus, dispatcher: Dispatcher) -> None:
    status.connection = connection(dispatcher, BOOK % 1, b"nonsense", BOOK % 2)
    metrics = status.metrics(5 * SECOND_NS)

    assert (metrics.frames, metrics.snapshots, metrics.bad_frames) == (3, 2, {"json": 1})
    assert metrics.silence_s == 2.0


def test_what_a_lost_connection_counted_stays(status: FeedStatus, dispatcher: Dispatcher) -> None:
    lost = connection(dispatcher, BOOK % 1, b"nonsense")
    status.connection = lost
    status.retire(lost)
    status.connection = connection(dispatcher, BOOK % 2, b"{}", b"more nonsense")
    metrics = status.metrics(5 * SECOND_NS)

    assert (metrics.frames, metrics.snapshots) == (5, 2)
    assert metrics.bad_frames == {"json": 2, "type": 1}


def test_a_lost_connection_is_nobodys_silence(status: FeedStatus, dispatcher: Dispatcher) -> None:
    lost = connection(dispatcher, BOOK % 1)
    status.connection = lost
    status.retire(lost)

    assert status.connection is None
    assert status.metrics(5 * SECOND_NS).silence_s is None


def test_an_earlier_connection_that_ends_late_takes_nothing_from_the_new_one(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    earlier, new = connection(dispatcher, BOOK % 1), connection(dispatcher, BOOK % 2)
    status.connection = new
    status.retire(earlier)

    assert status.connection is new
    assert status.metrics(5 * SECOND_NS).frames == 2


def test_metrics_do_not_change_once_they_are_taken(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    now = status.connection = connection(dispatcher, b"nonsense")
    metrics = status.metrics(5 * SECOND_NS)
    now.received(b"more nonsense", 5 * SECOND_NS)

    assert metrics.bad_frames == {"json": 1}


class Behind:
    """A link whose reader has not come to all that arrived."""

    here = None

    def send(self, text: str) -> None:
        raise AssertionError(text)

    def ping(self) -> None:
        raise AssertionError

    def close(self, reason: str) -> None:
        raise AssertionError(reason)

    def backlog(self) -> int:
        return 70_000


def test_the_backlog_is_that_of_the_link_there_is(status: FeedStatus) -> None:
    before = status.metrics(0).backlog_bytes
    status.link = Behind()

    assert (before, status.metrics(0).backlog_bytes) == (0, 70_000)
