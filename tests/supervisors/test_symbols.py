"""The book of symbols: one mailbox and one audience for each key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from ticklane.messages import InvalidOption, Snapshot, TooManySymbols, UnknownKey
from ticklane.runtime import Inbox
from ticklane.supervisors import ChildSpec, Symbols

if TYPE_CHECKING:
    from ticklane.runtime import Mailbox
    from ticklane.tests.conftest import Stepped


class Kept:
    """A book of symbols, and what it asked to be started."""

    def __init__(self, stepped: Stepped, **options: Any) -> None:
        self.stepped = stepped
        self.specs: list[ChildSpec] = []
        defaults: dict[str, Any] = {
            "capacity": 1000,
            "overflow": "drop_oldest",
            "adaptive": False,
            "max_symbols": 100,
        }
        self.symbols = Symbols(**(defaults | options), dispatcher=stepped, start=self.specs.append)

    def add(self, symbol: str) -> Mailbox:
        return self.symbols.add("upbit", symbol)


@pytest.fixture
def kept(stepped: Stepped) -> Kept:
    """Return an empty book with the usual options."""
    return Kept(stepped)


def test_a_new_symbol_has_a_mailbox_by_its_key(kept: Kept) -> None:
    mailbox = kept.add("KRW-BTC")

    assert mailbox.key == "upbit:KRW-BTC"
    assert kept.symbols.mailbox("upbit:KRW-BTC") is mailbox
    assert kept.symbols.mailboxes == {"upbit:KRW-BTC": mailbox}


def test_a_new_symbol_is_started_once(kept: Kept) -> None:
    one, other = kept.add("KRW-BTC"), kept.add("KRW-BTC")

    assert one is other
    assert [(spec.key, spec.inbox) for spec in kept.specs] == [("upbit:KRW-BTC", one)]


def test_the_same_symbol_of_another_exchange_is_another(kept: Kept) -> None:
    assert kept.symbols.add("upbit", "BTC") is not kept.symbols.add("binance", "BTC")


def test_its_actor_calls_who_listens(kept: Kept) -> None:
    mailbox, seen = kept.add("KRW-BTC"), list[Snapshot]()
    kept.symbols.audience("upbit:KRW-BTC").join("upbit:KRW-BTC", seen.append, None)
    kept.specs[0].start(Inbox(kept.stepped))
    snapshot = Snapshot("upbit", "KRW-BTC", (), ())
    mailbox.offer(snapshot)
    kept.stepped.run()

    assert seen == [snapshot]


def test_who_listens_stays_when_the_actor_is_replaced(kept: Kept) -> None:
    kept.add("KRW-BTC")
    one = kept.symbols.audience("upbit:KRW-BTC")
    for _ in range(2):
        kept.specs[0].start(Inbox(kept.stepped))

    assert kept.symbols.audience("upbit:KRW-BTC") is one


@pytest.mark.parametrize("ask", ["mailbox", "audience"])
def test_an_unknown_key_is_an_error_that_names_near_ones(kept: Kept, ask: str) -> None:
    kept.add("KRW-BTC")

    with pytest.raises(UnknownKey, match=r"'upbit:KRW-BTX'.*did you mean upbit:KRW-BTC\?"):
        getattr(kept.symbols, ask)("upbit:KRW-BTX")


@pytest.mark.parametrize("key", ["KRW-BTC", "", ":", "upbit:"])
def test_what_is_no_key_is_an_error_that_says_what_a_key_is(kept: Kept, key: str) -> None:
    with pytest.raises(InvalidOption, match="key must be"):
        kept.symbols.mailbox(key)


def test_one_more_than_max_symbols_is_an_error(stepped: Stepped) -> None:
    kept = Kept(stepped, max_symbols=2)
    kept.add("A")
    kept.add("B")

    with pytest.raises(TooManySymbols, match="no room for 'upbit:C': max_symbols is 2"):
        kept.add("C")
    assert kept.add("A") is kept.symbols.mailbox("upbit:A")
    assert len(kept.specs) == 2


def test_options_are_for_all_symbols(stepped: Stepped) -> None:
    kept = Kept(stepped, capacity=7)

    assert [kept.add(symbol).capacity for symbol in "AB"] == [7, 7]


def test_options_by_key_leave_the_others_the_default(stepped: Stepped) -> None:
    kept = Kept(stepped, capacity={"upbit:A": 7})

    assert [kept.add(symbol).capacity for symbol in "AB"] == [7, 1000]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"capacity": 0}, "capacity must be a whole number, at least 1, not 0"),
        ({"overflow": "block"}, "overflow must be one of drop_oldest, drop_newest, conflate"),
        ({"capacity": {"upbit:A": 0}}, "capacity must be a whole number, at least 1, not 0"),
        ({"overflow": {"upbit:A": "block"}}, "overflow must be one of"),
    ],
)
def test_a_wrong_option_is_an_error_at_once(
    stepped: Stepped, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidOption, match=said):
        Kept(stepped, **options)


def test_many_threads_that_ask_for_a_new_symbol_get_the_same(kept: Kept) -> None:
    begin, found = threading.Barrier(8), list[Any]()

    def add() -> None:
        begin.wait(5.0)
        found.append(kept.add("KRW-BTC"))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(set(map(id, found))), len(kept.specs)) == (1, 1)


def test_a_symbol_removed_is_unknown_and_what_it_was_is_returned(kept: Kept) -> None:
    kept.add("KRW-ETH")
    removed = kept.symbols.remove("upbit:KRW-ETH")

    assert [removed] == kept.specs
    assert kept.symbols.mailboxes == {}
    assert kept.symbols.by_exchange == {"upbit": {}}
    for ask in (kept.symbols.mailbox, kept.symbols.audience, kept.symbols.remove):
        with pytest.raises(UnknownKey):
            ask("upbit:KRW-ETH")


def test_a_symbol_removed_makes_room_for_another(stepped: Stepped) -> None:
    kept = Kept(stepped, max_symbols=1)
    before = kept.add("KRW-BTC")
    kept.symbols.remove("upbit:KRW-BTC")

    assert kept.add("KRW-BTC") is not before
