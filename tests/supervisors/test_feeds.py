"""What a host asks for, turned into connections."""

from collections.abc import Sequence

import attrs

from ticklane.exchanges import EXCHANGES, Feed
from ticklane.runtime import Dispatcher, Link, Receiver
from ticklane.supervisors import ChildSpec, Group, RestartPolicy, Symbols
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
        return [status.name for status in self.feeds.statuses]


def make(dispatcher: Dispatcher, feeds: Sequence[Feed], max_symbols: int = 1000) -> Made:
    started: list[ChildSpec] = []
    symbols = Symbols(
        capacity=10,
        overflow="conflate",
        adaptive=False,
        max_symbols=max_symbols,
        dispatcher=dispatcher,
        start=started.append,
    )
    group = Group(
        "feeds",
        strategy="one_for_one",
        policy=RestartPolicy(),
        on_give_up=lambda _: None,
        dispatcher=dispatcher,
    )
    made = Feeds(
        tuple(feeds), symbols, group, transport=Nowhere(), rest=None, dispatcher=dispatcher
    )
    return Made(made, symbols, started)


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


def test_each_part_has_as_many_connections_as_the_redundancy_says(dispatcher: Dispatcher) -> None:
    symbols = [f"KRW-{i}" for i in range(UPBIT_MOST + 1)]
    made = make(dispatcher, [Feed("upbit", symbols, redundancy=2)])

    assert made.names == ["upbit", "upbit#2", "upbit#3", "upbit#4"]
    assert list(made.feeds.inboxes) == made.names
    assert len(made.symbols.mailboxes) == UPBIT_MOST + 1


def test_a_name_is_never_used_twice(dispatcher: Dispatcher) -> None:
    made = make(dispatcher, [Feed("upbit", ["KRW-BTC"]), Feed("upbit", ["KRW-ETH"])])
    made.feeds.remove("upbit", "KRW-ETH")
    without = made.names
    for number in range(UPBIT_MOST):
        made.feeds.add("upbit", f"KRW-{number}")

    assert (without, made.names) == (["upbit"], ["upbit", "upbit#3"])
    assert list(made.feeds.inboxes) == made.names


def test_a_symbol_that_several_feeds_bring_is_removed_from_all(dispatcher: Dispatcher) -> None:
    made = make(dispatcher, [Feed("upbit", ["KRW-BTC"]), Feed("upbit", ["KRW-BTC", "KRW-ETH"])])
    made.feeds.remove("upbit", "KRW-BTC")

    assert made.names == ["upbit#2"]


def test_a_new_connection_for_an_added_symbol_is_as_its_feed_declares(
    dispatcher: Dispatcher,
) -> None:
    made = make(dispatcher, [Feed("upbit", ["KRW-BTC"], redundancy=3)])
    made.feeds.remove("upbit", "KRW-BTC")
    made.feeds.add("upbit", "KRW-BTC")

    assert made.names == ["upbit#4", "upbit#5", "upbit#6"]


def test_symbols_are_cut_off_when_all_connections_that_bring_them_are_lost(
    dispatcher: Dispatcher,
) -> None:
    feeds = make(
        dispatcher,
        [
            Feed("upbit", ["KRW-BTC", "KRW-ETH"], redundancy=2),
            Feed("upbit", ["KRW-ETH"]),
            Feed("binance", ["BTCUSDT"]),
        ],
    ).feeds

    assert feeds.cut_off(set()) == feeds.cut_off({"upbit"}) == set()
    assert feeds.cut_off({"upbit", "upbit#2"}) == {"upbit:KRW-BTC"}
    assert feeds.cut_off({"upbit", "upbit#2", "upbit#3"}) == {"upbit:KRW-BTC", "upbit:KRW-ETH"}
