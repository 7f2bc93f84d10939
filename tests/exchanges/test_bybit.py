"""Bybit's frames: whole books, differences, gaps and restarts."""

import json
import threading
from itertools import islice
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane import Feed, MarketData
from ticklane.exchanges import (
    EXCHANGES,
    Brought,
    BybitLinearProtocol,
    BybitProtocol,
    Send,
)
from ticklane.exchanges.bybit import PATIENCE_NS
from ticklane.messages import (
    BadFrame,
    BookResynced,
    ExchangeReplied,
    FeedEvent,
    GapDetected,
    SequenceReset,
    Snapshot,
)
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    World,
    WorldExchange,
    WorldTransport,
)
from ticklane.simulation.bybit_venue import BybitForm

KEY = "bybit:BTCUSDT"
BIDS = [["100.5", "1.5"], ["100.0", "2"]]
ASKS = [["101.0", "3"], ["101.5", "4"]]
BOOK = Snapshot("bybit", "BTCUSDT", ((9.0, 1.0),), ((10.0, 1.0),), 1)


def _frame(kind: str, update: int, bids: Any = (), asks: Any = (), **changes: Any) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": 7000 + update}
    topic = changes.pop("topic", "orderbook.50.BTCUSDT")
    frame = {"topic": topic, "type": kind, "ts": 1700, "data": data | changes, "cts": 1690}
    return json.dumps(frame).encode()


def _whole(update: int = 10, **changes: Any) -> bytes:
    return _frame("snapshot", update, BIDS, ASKS, **changes)


def _delta(update: int, bids: Any = (), asks: Any = (), **changes: Any) -> bytes:
    return _frame("delta", update, bids, asks, **changes)


def _protocol(stream: str = "orderbook.50") -> BybitProtocol:
    return BybitProtocol(("BTCUSDT", "ETHUSDT"), stream)


def _brought(*payloads: bytes, protocol: BybitProtocol | None = None) -> list[Brought]:
    """Return what frames lead to, the events by themselves."""
    protocol = protocol or _protocol()
    return [each for payload in payloads for each in protocol.receive(payload, 7)]


def _books(brought: list[Brought]) -> list[Snapshot]:
    return [each for each in brought if isinstance(each, Snapshot)]


def _asked_anew(brought: list[Brought]) -> list[tuple[str, list[str]]]:
    requests = [json.loads(each.text) for each in brought if isinstance(each, Send)]
    return [(request["op"], request["args"]) for request in requests]


ANEW = [
    ("unsubscribe", ["orderbook.50.BTCUSDT"]),
    ("subscribe", ["orderbook.50.BTCUSDT"]),
]

## Books


def test_a_topic_begins_with_a_whole_book() -> None:
    assert _brought(_whole()) == [
        Snapshot(
            exchange="bybit",
            symbol="BTCUSDT",
            bids=((100.5, 1.5), (100.0, 2.0)),
            asks=((101.0, 3.0), (101.5, 4.0)),
            exchange_time_ms=1690,
            sequence=7010,
            received_ns=7,
        )
    ]


def test_a_difference_sets_adds_and_takes_out_levels() -> None:
    *_, book = _books(
        _brought(_whole(), _delta(11, [["100.5", "0"], ["100.2", "9"]], [["101.0", "8"]]))
    )

    assert book.bids == ((100.2, 9.0), (100.0, 2.0))
    assert book.asks == ((101.0, 8.0), (101.5, 4.0))
    assert book.sequence == 7011


def test_a_book_has_as_many_levels_as_were_asked_for() -> None:
    bids = [[str(200 - place), "1"] for place in range(60)]
    (book,) = _books(_brought(_frame("snapshot", 10, bids, [["201", "1"]])))

    assert len(book.bids) == 50


def test_a_whole_book_takes_the_place_of_what_was_there() -> None:
    *_, book = _books(_brought(_whole(), _frame("snapshot", 40, [["90", "1"]], [["91", "1"]])))

    assert (book.bids, book.asks) == (((90.0, 1.0),), ((91.0, 1.0),))


def test_after_a_new_whole_book_its_number_counts() -> None:
    brought = _brought(_whole(), _whole(40), _delta(41, [["100.5", "7"]]))

    assert [book.bids[0] for book in _books(brought)][-1] == (100.5, 7.0)
    assert not any(isinstance(each, FeedEvent | Send) for each in brought)


def test_without_the_engines_time_the_services_time_is_taken() -> None:
    payload = json.loads(_whole())
    del payload["cts"]
    (book,) = _books(_brought(json.dumps(payload).encode()))

    assert book.exchange_time_ms == 1700


def test_a_market_without_any_level_brings_no_book() -> None:
    assert _brought(_frame("snapshot", 10)) == []


def test_a_book_that_comes_twice_brings_nothing_twice() -> None:
    delta = _delta(11, [["100.5", "7"]])

    assert len(_brought(_whole(), delta, delta)) == 2


def test_linear_contracts_are_an_exchange_of_their_own() -> None:
    protocol = BybitLinearProtocol(("BTCUSDT",))
    (book,) = _books(_brought(_whole(), protocol=protocol))

    assert book.key == "bybit-linear:BTCUSDT"
    assert protocol.url("wss://stream.bybit.com").endswith("/v5/public/linear")


updates = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), max_size=3),
        st.lists(st.tuples(st.integers(10, 19), st.integers(0, 3)), max_size=3),
    ),
    max_size=8,
)


@given(updates)
def test_a_book_is_what_a_dictionary_of_its_differences_says(changes: Any) -> None:
    bids, asks = {9.0: 1.0}, {10.0: 1.0}
    payloads = [_frame("snapshot", 10, [["9", "1"]], [["10", "1"]])]
    for number, (bid_changes, ask_changes) in enumerate(changes, 11):
        for side, changed in ((bids, bid_changes), (asks, ask_changes)):
            side.update(changed)
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        written = [[[str(p), str(s)] for p, s in side] for side in (bid_changes, ask_changes)]
        payloads.append(_delta(number, *written))

    last = _brought(*payloads)[-1:]

    if bids or asks:
        (book,) = _books(last)
        assert book.bids == tuple(sorted(bids.items(), reverse=True))
        assert book.asks == tuple(sorted(asks.items()))


## Gaps


def test_a_missing_difference_is_told_and_its_topic_asked_for_anew() -> None:
    _, gap, *asked = _brought(_whole(), _delta(14))

    assert gap == GapDetected(key=KEY, missed=3)
    assert _asked_anew(asked) == ANEW


def test_after_a_gap_the_next_whole_book_is_a_resynced_one() -> None:
    brought = _brought(_whole(), _delta(14), _whole(20), _delta(21, [["100.5", "7"]]))

    assert brought[-3] == BookResynced(key=KEY)
    assert [book.sequence for book in _books(brought)] == [7010, 7020, 7021]


def test_until_it_comes_differences_bring_nothing() -> None:
    protocol = _protocol()
    _brought(_whole(), _delta(14), protocol=protocol)

    assert _brought(_delta(15), _delta(16), _delta(99), protocol=protocol) == []


def test_a_topic_is_asked_for_again_when_no_whole_book_came() -> None:
    protocol = _protocol()
    _brought(_whole(), _delta(14), protocol=protocol)

    late = [*protocol.receive(_delta(15), 7 + PATIENCE_NS)]

    assert _asked_anew(late) == ANEW


def test_a_difference_before_the_first_whole_book_waits_for_that() -> None:
    protocol = _protocol()

    assert _brought(_delta(14), protocol=protocol) == []
    assert _asked_anew([*protocol.receive(_delta(15), 7 + PATIENCE_NS)]) == ANEW


def test_gaps_in_a_row_do_not_make_requests_in_a_row() -> None:
    payloads = [payload for number in range(20) for payload in (_whole(), _delta(12 + number))]
    brought = _brought(*payloads)

    assert sum(isinstance(each, GapDetected) for each in brought) == 20
    assert len(_asked_anew(brought)) == 2


def test_numbers_that_fall_back_are_a_gap_too() -> None:
    _, gap, *asked = _brought(_whole(), _delta(5))

    assert gap == GapDetected(key=KEY, missed=1)
    assert _asked_anew(asked) == ANEW


def test_only_the_gapped_book_is_reset() -> None:
    protocol = _protocol()
    other = {"s": "ETHUSDT", "topic": "orderbook.50.ETHUSDT"}
    _brought(_whole(), _whole(**other), _delta(14), protocol=protocol)

    (book,) = _brought(_delta(11, **other), protocol=protocol)

    assert isinstance(book, Snapshot)


@pytest.mark.parametrize(
    ("delta", "reason"),
    [
        (_delta(11, [["100.5", "-1"]]), "size"),
        (_delta(11, [["NaN", "1"]]), "number"),
        (_delta(11, [["102", "1"]]), "crossed"),
        (_delta(11, [["102"]]), "type"),
        (_delta(11, s="ETHUSDT"), "symbol"),
        (_frame("gamma", 11), "type"),
    ],
)
def test_a_difference_that_cannot_be_used_is_told_and_loses_the_book(
    delta: bytes, reason: str
) -> None:
    _, bad, gap, *asked = _brought(_whole(), delta)

    assert isinstance(bad, BadFrame)
    assert bad.reason == reason
    assert gap == GapDetected(key=KEY, missed=1)
    assert _asked_anew(asked) == ANEW


def test_a_frame_that_cannot_be_read_at_all_is_missed_by_the_next() -> None:
    protocol = _protocol()
    _brought(_whole(), protocol=protocol)
    with pytest.raises(BadFrame, match="json"):
        protocol.receive(_delta(11)[:-9], 7)

    gap, *_ = protocol.receive(_delta(12), 7)

    assert gap == GapDetected(key=KEY, missed=1)


## Restarts


@pytest.mark.parametrize("kind", ["snapshot", "delta"])
def test_a_restarted_service_overwrites_the_book_and_tells_so(kind: str) -> None:
    _, reset, book = _brought(_whole(), _frame(kind, 1, [["90", "1"]], [["91", "1"]], seq=7011))

    assert reset == SequenceReset(key=KEY)
    assert isinstance(book, Snapshot)
    assert (book.bids, book.sequence) == (((90.0, 1.0),), 7011)


def test_the_first_book_of_a_fresh_service_is_no_restart() -> None:
    assert len(_brought(_whole(1))) == 1


## Requests and replies


def test_each_symbol_is_asked_for_by_a_request_of_its_own() -> None:
    assert [json.loads(text) for text in _protocol("orderbook.200").greeting()] == [
        {"op": "subscribe", "args": ["orderbook.200.BTCUSDT"], "req_id": "BTCUSDT"},
        {"op": "subscribe", "args": ["orderbook.200.ETHUSDT"], "req_id": "ETHUSDT"},
    ]


def test_the_address_is_that_of_the_spot_market() -> None:
    assert _protocol().url("wss://stream.bybit.com") == "wss://stream.bybit.com/v5/public/spot"


def test_a_change_leaves_topics_and_takes_on_others() -> None:
    texts = _protocol().change(("SOLUSDT",), ("BTCUSDT",))

    assert [(request["op"], request["args"]) for request in map(json.loads, texts)] == [
        ("unsubscribe", ["orderbook.50.BTCUSDT"]),
        ("subscribe", ["orderbook.50.SOLUSDT"]),
    ]


def test_a_change_does_not_disturb_the_other_books() -> None:
    protocol = _protocol()
    _brought(_whole(), protocol=protocol)
    protocol.change(("SOLUSDT",), ("ETHUSDT",))

    assert len(_books(_brought(_delta(11), protocol=protocol))) == 1


def test_a_symbol_taken_on_anew_begins_with_a_whole_book() -> None:
    protocol = _protocol()
    _brought(_whole(), protocol=protocol)
    protocol.change(("BTCUSDT",), ("BTCUSDT",))

    assert _books(_brought(_delta(11), protocol=protocol)) == []


def test_a_gapped_book_asked_for_anew_is_told_as_resynced() -> None:
    protocol = _protocol()
    _brought(_whole(), _delta(14), protocol=protocol)
    protocol.change(("BTCUSDT",), ("BTCUSDT",))

    assert _brought(_whole(), protocol=protocol)[0] == BookResynced(key=KEY)


def test_frames_of_a_removed_symbol_bring_nothing() -> None:
    protocol = _protocol()
    protocol.change((), ("BTCUSDT",))

    assert _brought(_whole(), protocol=protocol) == []


def test_a_topic_nobody_asked_for_is_told_as_symbol() -> None:
    with pytest.raises(BadFrame, match=r"symbol: 'orderbook.50.XRPUSDT' was not asked for"):
        _brought(_whole(topic="orderbook.50.XRPUSDT"))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"success":true,"ret_msg":"","conn_id":"c","req_id":"BTCUSDT","op":"subscribe"}',
        b'{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}',
        b'{"op":"pong","args":["1700"]}',
        b'{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT"}}',
    ],
)
def test_acknowledgements_and_other_topics_bring_nothing(payload: bytes) -> None:
    assert _brought(payload) == []


def test_a_refused_subscription_names_its_symbol() -> None:
    reply = {
        "success": False,
        "ret_msg": "error:handler not found,topic:orderbook.50.ETHUSDT",
        "req_id": "ETHUSDT",
        "op": "subscribe",
    }
    with pytest.raises(ExchangeReplied) as caught:
        _brought(json.dumps(reply).encode())

    assert caught.value.symbols == ("ETHUSDT",)
    assert str(caught.value).startswith("bybit replied subscribe: error:handler not found,topic:")


def test_a_refusal_that_names_nothing_concerns_all() -> None:
    with pytest.raises(ExchangeReplied) as caught:
        _brought(b'{"success":false,"ret_msg":"args size >10","op":"subscribe"}')

    assert caught.value.symbols == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"data":1}', b'{"topic":null}'])
def test_what_is_neither_book_nor_reply_is_told_as_type(payload: bytes) -> None:
    with pytest.raises(BadFrame, match="type"):
        _brought(payload)


## Over a socket


class Host:
    """Market data that is fed by a loopback exchange, and what it was told."""

    def __init__(self, exchange: LoopbackExchange, symbols: tuple[str, ...], **feed: Any) -> None:
        name = exchange.exchange
        self.told: list[Any] = []
        self._changed = threading.Condition()
        self.market = MarketData([Feed(name, symbols, url=exchange.url, **feed)])
        for symbol in symbols:
            self.market.subscribe(f"{name}:{symbol}", self._note, on_event=self._note)

    def _note(self, what: Any) -> None:
        with self._changed:
            self.told.append(what)
            self._changed.notify_all()

    def books(self) -> list[Snapshot]:
        return [each for each in self.told if isinstance(each, Snapshot)]

    def await_told(self, kind: type) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(isinstance(each, kind) for each in self.told), timeout=10.0
            ), self.told

    def await_books(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.books()) >= number, timeout=10.0)


@pytest.mark.parametrize("name", ["bybit", "bybit-linear"])
@pytest.mark.parametrize("stream", EXCHANGES["bybit"].streams)
def test_books_come_through_market_data_as_they_were_sent(name: str, stream: str) -> None:
    keys = (f"{name}:BTCUSDT", f"{name}:ETHUSDT")
    books = [*islice(SyntheticMarket(keys, start_unix_ms=1_700_000_000_000).books(), 40)]
    levels = int(stream.partition(".")[2])
    with LoopbackExchange(name, books, speed=0) as exchange:
        host = Host(exchange, ("BTCUSDT", "ETHUSDT"), stream=stream)
        with host.market:
            host.await_books(1)
            assert exchange.finished.wait(10.0)
            host.await_books(exchange.frames_sent)

    sent = {(each.sequence, each.bids[:levels], each.asks[:levels]) for _, each in books}
    assert {(each.sequence, each.bids, each.asks) for each in host.books()} <= sent
    assert not any(isinstance(each, GapDetected) for each in host.told)


def test_a_gap_on_the_wire_is_told_and_mended_in_band() -> None:
    endless = SyntheticMarket([KEY], rate=100.0).books()
    with LoopbackExchange("bybit", endless) as exchange:
        host = Host(exchange, ("BTCUSDT",))
        with host.market:
            host.await_books(3)
            exchange.send_raw(_delta(10**9).decode())
            host.await_told(BookResynced)
            host.await_books(len(host.books()) + 3)

    events = [type(each) for each in host.told if not isinstance(each, Snapshot)]
    assert events[1:3] == [GapDetected, BookResynced]
    gap = next(place for place, each in enumerate(host.told) if isinstance(each, GapDetected))
    assert isinstance(host.told[gap + 1], BookResynced)


def test_a_refusal_on_the_wire_is_told_of_its_symbol_and_the_rest_goes_on() -> None:
    with LoopbackExchange("bybit", [(0.0, BOOK)]) as exchange:
        host = Host(exchange, ("NO_SUCH", "BTCUSDT"))
        with host.market:
            host.await_books(1)
        (feed,) = host.market.metrics().feeds

    assert feed.bad_frames["error_reply"] == 1
    assert "handler not found,topic:orderbook.50.NO_SUCH" in str(feed.last_error)


def test_symbols_are_taken_on_and_left_off_without_reconnecting() -> None:
    endless = SyntheticMarket([KEY, "bybit:ETHUSDT"], rate=100.0).books()
    with LoopbackExchange("bybit", endless) as exchange:
        host = Host(exchange, ("BTCUSDT",))
        with host.market:
            host.await_books(1)
            host.market.add("bybit:ETHUSDT")
            host.market.remove(KEY)
            host.market.wait_for("bybit:ETHUSDT", 10.0)
            (feed,) = host.market.metrics().feeds

    assert feed.reconnects == 0
    assert feed.bad_frames == {}


def test_pings_are_texts_whose_answers_are_no_bad_frames() -> None:
    world = World()
    # Never silent for long: that is probed with pings, too.
    books = ((n / 2, attrs.evolve(BOOK, sequence=n)) for n in range(1, 200))
    exchange = WorldExchange(world, "bybit", books)
    transport = WorldTransport(world, [exchange])
    market = MarketData([Feed("bybit", ["BTCUSDT"])], dispatcher=world, transport=transport)
    with market:
        world.run_for(65.0)
        (feed,) = market.metrics().feeds

    assert feed.frames == 1 + feed.snapshots + 3
    assert feed.bad_frames == {}


def test_the_venue_and_the_protocol_agree_on_every_difference() -> None:
    form = BybitForm("orderbook.50.BTCUSDT", 50)
    protocol = _protocol()
    books = [book for _, book in islice(SyntheticMarket([KEY], seed=3).books(), 50)]

    brought = [protocol.receive(form.frame(book).encode(), 7) for book in books]

    assert [(each.bids, each.asks) for (each,) in brought if isinstance(each, Snapshot)] == [
        (book.bids, book.asks) for book in books
    ]
