"""What a host asks for, turned into connections."""

from collections.abc import Sequence

import attrs

from ticklane.exchanges import EXCHANGES, Feed
from ticklane.runtime import Dispatcher, Link, Receiver
from ticklane.supervisors import ChildSpec, Symbols
from ticklane.supervisors.feeds import Feeds

UPBIT_MOST = EXCHANGES["upbit"].symbols_per_connection


class Nowhere:
    """A transport that nobody should use before the start."""

    def open(self, name: str, url: str, receiver: Receiver) -> Link:
        raise AssertionError(name, url, receiver)


@attrs.frozen
class Made:
    """The connections made of feeds, and the symbols they declared."""

    feeds: Feeds
    symbols: Symbols
    started: list[ChildSpec]

    @property
    def names(self) -> list[str]:
        return [child.key for child in self.feeds.children]


def make(dispatcher: Dispatcher, feeds: Sequence[Feed]) -> Made:
    started: list[ChildSpec] = []
    symbols = Symbols(
        capacity=10,
        overflow="conflate",
        adaptive=False,
        max_symbols=1000,
        dispatcher=dispatcher,
        start=started.append,
    )
    return Made(Feeds(tuple(feeds), symbols, Nowhere(), dispatcher), symbols, started)


def test_no_feeds_are_no_connections(dispatcher: Dispatcher) -> None:
    assert make(dispatcher, []).names == []


def test_each_connection_bears_its_exchanges_name_and_a_number_from_the_second_on(
    dispatcher: Dispatcher,
) -> None:
    made = make(
        dispatcher,
        [
            Feed("upbit", ["KRW-BTC"]),
            Feed("binance", ["BTCUSDT"]),
            Feed("upbit", ["KRW-ETH"]),
        ],
    )

    assert made.names == ["upbit", "binance", "upbit#2"]


def test_a_feed_is_split_by_what_its_exchange_takes_on_one_connection(
    dispatcher: Dispatcher,
) -> None:
    made = make(dispatcher, [Feed("upbit", [f"KRW-{i}" for i in range(2 * UPBIT_MOST + 1)])])

    assert made.names == ["upbit", "upbit#2", "upbit#3"]
    assert len(made.symbols.mailboxes) == 2 * UPBIT_MOST + 1


def test_a_feed_that_just_fits_stays_whole(dispatcher: Dispatcher) -> None:
    made = make(dispatcher, [Feed("upbit", [f"KRW-{i}" for i in range(UPBIT_MOST)])])

    assert made.names == ["upbit"]


def test_every_symbol_declared_has_a_mailbox_and_an_actor_to_be_started(
    dispatcher: Dispatcher,
) -> None:
    made = make(dispatcher, [Feed("upbit", ["KRW-BTC", "KRW-ETH"]), Feed("binance", ["BTCUSDT"])])
    keys = ["upbit:KRW-BTC", "upbit:KRW-ETH", "binance:BTCUSDT"]

    assert list(made.symbols.mailboxes) == keys
    assert [spec.key for spec in made.started] == keys


def test_a_symbol_that_two_feeds_bring_has_one_mailbox(dispatcher: Dispatcher) -> None:
    made = make(dispatcher, [Feed("upbit", ["KRW-BTC"]), Feed("upbit", ["KRW-BTC"])])

    assert made.names == ["upbit", "upbit#2"]
    assert list(made.symbols.mailboxes) == ["upbit:KRW-BTC"]


def test_every_connection_has_a_status_from_the_beginning(dispatcher: Dispatcher) -> None:
    made = make(dispatcher, [Feed("binance", ["BTCUSDT"]), Feed("upbit", ["KRW-BTC"])])

    assert [(status.name, status.state) for status in made.feeds.statuses] == [
        ("binance", "idle"),
        ("upbit", "idle"),
    ]
