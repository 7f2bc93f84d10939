"""Synthetic markets: the same for the same seed, and sane for every seed."""

from collections.abc import Sequence
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.exchanges.levels import checked_book
from ticklane.messages import InvalidOption, Snapshot
from ticklane.simulation import SyntheticMarket, demo_keys, demo_symbols

KEYS = demo_keys(6)


def first(n: int, keys: Sequence[str] = KEYS, **options: float) -> list[tuple[float, Snapshot]]:
    return list(islice(SyntheticMarket(keys, **options).books(), n))  # type: ignore[arg-type]


def test_same_seed_gives_the_same_books() -> None:
    assert first(300, seed=7) == first(300, seed=7)


def test_other_seed_gives_other_books() -> None:
    assert first(30, seed=7) != first(30, seed=8)


def test_a_market_begins_anew_with_every_call() -> None:
    market = SyntheticMarket(KEYS)

    assert list(islice(market.books(), 50)) == list(islice(market.books(), 50))


def test_a_symbol_does_the_same_in_other_company() -> None:
    alone = [book for _, book in first(20, KEYS[:1])]
    in_company = [book for _, book in first(600) if book.key == KEYS[0]]

    assert in_company[:20] == alone


@given(seed=st.integers(), depth=st.integers(1, 40), key=st.sampled_from(KEYS))
def test_books_of_every_seed_pass_the_check_of_real_ones(seed: int, depth: int, key: str) -> None:
    for _, book in first(20, [key], seed=seed, depth=depth):
        assert checked_book(book.bids, book.asks) == (book.bids, book.asks)
        assert len(book.bids) == len(book.asks) == depth


@given(seed=st.integers())
def test_books_come_in_order_of_time(seed: int) -> None:
    times = [at_s for at_s, _ in first(200, seed=seed)]

    assert times == sorted(times)


def test_all_symbols_take_part() -> None:
    assert {book.key for _, book in first(300)} == set(KEYS)


def test_books_come_at_about_the_rate_asked_for() -> None:
    books = first(4000, demo_keys(40), rate=20.0)

    assert 4000 / books[-1][0] / 40 == pytest.approx(20.0, rel=0.25)


def test_gaps_between_books_are_bursty() -> None:
    times = [at_s for at_s, _ in first(1000, KEYS[:1])]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))

    assert gaps[500] < 0.75 * sum(gaps) / len(gaps)


def test_binance_books_are_numbered_and_not_stamped() -> None:
    books = [book for _, book in first(100, ["binance:BTCUSDT"])]
    numbers = [book.sequence or 0 for book in books]

    assert numbers == sorted(set(numbers))
    assert {book.exchange_time_ms for book in books} == {None}


def test_upbit_books_are_stamped_from_the_start_and_not_numbered() -> None:
    books = first(100, ["upbit:KRW-BTC"], start_unix_ms=1_700_000_000_000)

    assert [book.exchange_time_ms for _, book in books] == [
        1_700_000_000_000 + int(at_s * 1000) for at_s, _ in books
    ]
    assert {book.sequence for _, book in books} == {None}


def test_demo_keys_are_of_both_exchanges_in_turn() -> None:
    assert demo_keys(3) == ("upbit:KRW-BTC", "binance:BTCUSDT", "upbit:KRW-ETH")


def test_demo_keys_do_not_run_out() -> None:
    assert len(set(demo_keys(1000))) == 1000


@pytest.mark.parametrize(
    ("keys", "options", "said"),
    [
        ((), {}, "at least one key"),
        (("BTCUSDT",), {}, "exchange:SYMBOL"),
        (("nyse:IBM",), {}, "binance"),
        (KEYS, {"rate": 0.0}, "above 0, not 0.0"),
        (KEYS, {"depth": 0}, "at least 1, not 0"),
    ],
)
def test_what_cannot_be_is_refused(
    keys: tuple[str, ...], options: dict[str, float], said: str
) -> None:
    with pytest.raises(InvalidOption, match=said):
        SyntheticMarket(keys, **options)  # type: ignore[arg-type]


def test_few_levels_change_from_one_book_to_the_next_as_in_real_ones() -> None:
    books = [book for _, book in first(2000, KEYS[:1])]
    changes = [
        len({*later.bids, *later.asks} - {*earlier.bids, *earlier.asks})
        for earlier, later in pairwise(books)
    ]

    assert 1.0 < sum(changes) / len(changes) < 2.0


def test_best_prices_seldom_move_and_the_spread_is_of_few_ticks() -> None:
    books = [book for _, book in first(2000, ["upbit:KRW-BTC"])]
    prices = sorted({price for book in books for price, _ in (*book.bids, *book.asks)})
    tick = min(later - earlier for earlier, later in pairwise(prices))
    moves = sum(
        a.bids[0][0] != b.bids[0][0] or a.asks[0][0] != b.asks[0][0] for a, b in pairwise(books)
    )

    assert 0.05 < moves / len(books) < 0.15
    assert {round((book.spread or 0.0) / tick) for book in books} == {1, 2, 3, 4}


def test_symbols_are_spelt_as_their_exchange_does() -> None:
    assert demo_symbols("bithumb", 2) == ("KRW-BTC", "KRW-ETH")
    assert demo_symbols("bybit", 1) == ("BTCUSDT",)
