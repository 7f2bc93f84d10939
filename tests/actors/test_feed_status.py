"""What there is to know of a feed's connection, through all the connections it had."""

import pytest

from ticklane.actors import Connection, FeedPart, FeedStatus
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


def current(status: FeedStatus, connection: Connection) -> Connection:
    """Make it the status's current connection, and return it."""
    status.attach(connection, Behind())
    status.connection = connection
    return connection


def connection(dispatcher: Dispatcher, *frames: bytes) -> Connection:
    """Return a connection that has received the frames, the last one at second 3."""
    mailbox = Mailbox("upbit:KRW-BTC", dispatcher)
    protocol = EXCHANGES["upbit"].protocol(("KRW-BTC",), "orderbook")
    new = Connection("upbit#2", "", protocol, FeedPart({"KRW-BTC": mailbox}), Inbox(dispatcher))
    for frame in frames:
        new.received(frame, 3 * SECOND_NS)
    return new


def test_before_the_first_connection_nothing_is_counted(status: FeedStatus) -> None:
    metrics = status.metrics(0)

    assert (metrics.name, metrics.exchange, metrics.state) == ("upbit#2", "upbit", "idle")
    assert (metrics.frames, metrics.snapshots, metrics.reconnects) == (0, 0, 0)
    assert (metrics.bad_frames, metrics.silence_s, metrics.last_error) == ({}, None, None)


def test_the_connection_there_is_counts(status: FeedStatus, dispatcher: Dispatcher) -> None:
    current(status, connection(dispatcher, BOOK % 1, b"nonsense", BOOK % 2))
    metrics = status.metrics(5 * SECOND_NS)

    assert (metrics.frames, metrics.snapshots, metrics.bad_frames) == (3, 2, {"json": 1})
    assert metrics.silence_s == 2.0


def test_what_a_lost_connection_counted_stays(status: FeedStatus, dispatcher: Dispatcher) -> None:
    lost = current(status, connection(dispatcher, BOOK % 1, b"nonsense"))
    status.retire(lost)
    current(status, connection(dispatcher, BOOK % 2, b"{}", b"more nonsense"))
    metrics = status.metrics(5 * SECOND_NS)

    assert (metrics.frames, metrics.snapshots) == (5, 2)
    assert metrics.bad_frames == {"json": 2, "type": 1}


def test_the_delay_is_when_the_newest_came_less_when_the_exchange_sent_it(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    current(status, connection(dispatcher, BOOK % 1_700_000_000_000, BOOK % 1_700_000_000_100))
    # It came at second 3, two seconds before the clocks were read.
    metrics = status.metrics(5 * SECOND_NS, 1_700_000_002.250)

    assert metrics.delay_ms == 150.0


def test_the_delay_is_not_known_without_the_wall_clock_or_before_the_first_snapshot(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    current(status, connection(dispatcher))
    before = status.metrics(5 * SECOND_NS, 1_700_000_000.0).delay_ms
    current(status, connection(dispatcher, BOOK % 1))

    assert (before, status.metrics(5 * SECOND_NS).delay_ms) == (None, None)


def test_the_gaps_of_a_lost_connection_stay(status: FeedStatus, dispatcher: Dispatcher) -> None:
    for gaps in (2, 3):
        current(status, connection(dispatcher)).gaps = gaps
        status.retire(status.connection)
    current(status, connection(dispatcher)).gaps = 4

    assert status.metrics(0).gaps == 9


def test_a_lost_connection_is_nobodys_silence(status: FeedStatus, dispatcher: Dispatcher) -> None:
    lost = current(status, connection(dispatcher, BOOK % 1))
    status.retire(lost)

    assert status.connection is None
    assert status.metrics(5 * SECOND_NS).silence_s is None


def test_an_earlier_connection_that_ends_late_takes_nothing_from_the_new_one(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    earlier = current(status, connection(dispatcher, BOOK % 1))
    new = current(status, connection(dispatcher, BOOK % 2))
    status.retire(earlier)

    assert status.connection is new
    assert status.metrics(5 * SECOND_NS).frames == 2


def test_metrics_do_not_change_once_they_are_taken(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    now = current(status, connection(dispatcher, b"nonsense"))
    metrics = status.metrics(5 * SECOND_NS)
    now.received(b"more nonsense", 5 * SECOND_NS)

    assert metrics.bad_frames == {"json": 1}


def test_all_connections_there_are_count_and_the_current_one_is_silent(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    current(status, connection(dispatcher, BOOK % 1))
    status.attach(connection(dispatcher, BOOK % 2, BOOK % 3), Behind())
    metrics = status.metrics(5 * SECOND_NS)

    assert (metrics.frames, metrics.backlog_bytes) == (3, 140_000)
    assert metrics.silence_s == 2.0


def test_a_connection_retired_twice_counts_once(status: FeedStatus, dispatcher: Dispatcher) -> None:
    lost = current(status, connection(dispatcher, BOOK % 1))
    status.retire(lost)
    status.retire(lost)

    assert status.metrics(0).frames == 1


def test_a_connection_counts_before_its_link_is_known(
    status: FeedStatus, dispatcher: Dispatcher
) -> None:
    status.attach(connection(dispatcher, BOOK % 1), None)

    assert (status.metrics(0).frames, status.metrics(0).backlog_bytes) == (1, 0)
