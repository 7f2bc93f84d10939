import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.compat import OrderBookSnapshot
from ticklane.messages import Snapshot

LEVELS = st.lists(
    st.tuples(
        st.floats(min_value=0.01, allow_nan=False, allow_infinity=False),
        st.floats(min_value=0.01, allow_nan=False, allow_infinity=False),
    ),
    max_size=3,
)
BOOKS = st.builds(
    OrderBookSnapshot,
    st.text(min_size=1),
    st.floats(allow_nan=False),
    LEVELS | LEVELS.map(tuple),
    LEVELS | LEVELS.map(tuple),
)
SNAPSHOTS = st.builds(
    Snapshot,
    st.just("upbit"),
    st.text(min_size=1),
    LEVELS.map(tuple),
    LEVELS.map(tuple),
    st.none() | st.integers(1, 10**13),
    st.none() | st.integers(),
    st.none() | st.integers(min_value=0),
)


def test_the_best_prices_are_those_that_stand_first() -> None:
    book = OrderBookSnapshot("KRW-BTC", 1.0, [(100.0, 1.0), (99.0, 2.0)], ((101.0, 1.0),))

    assert (book.best_bid(), book.best_ask()) == (100.0, 101.0)


def test_an_empty_side_has_no_best_price() -> None:
    book = OrderBookSnapshot(symbol="KRW-BTC", timestamp=1.0, bids=[], asks=())

    assert (book.best_bid(), book.best_ask()) == (None, None)


def test_a_snapshot_has_the_books_levels_as_floats() -> None:
    book = OrderBookSnapshot("KRW-BTC", 1.5, [[100, 1]], (("101.5", "2"),))  # type: ignore[list-item, arg-type]

    snapshot = book.to_snapshot("upbit")

    assert snapshot.key == "upbit:KRW-BTC"
    assert (snapshot.bids, snapshot.asks) == (((100.0, 1.0),), ((101.5, 2.0),))


@pytest.mark.parametrize(
    ("timestamp", "exchange_time_ms"),
    [
        (1_700_000_000.123, 1_700_000_000_123),
        (1_700_000_000_123, 1_700_000_000_123),
        (0, None),
        (-1.0, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_a_time_stamp_becomes_unix_milliseconds_where_it_is_one(
    timestamp: float, exchange_time_ms: int | None
) -> None:
    snapshot = OrderBookSnapshot("KRW-BTC", timestamp, [], []).to_snapshot("upbit")

    assert snapshot.exchange_time_ms == exchange_time_ms


@given(book=BOOKS)
def test_a_book_comes_back_from_a_snapshot_as_the_same_object(book: OrderBookSnapshot) -> None:
    assert OrderBookSnapshot.from_snapshot(book.to_snapshot("upbit")) is book


@given(snapshot=SNAPSHOTS)
def test_a_snapshot_comes_back_from_a_book_with_nothing_lost(snapshot: Snapshot) -> None:
    back = OrderBookSnapshot.from_snapshot(snapshot).to_snapshot(snapshot.exchange)

    assert all(
        getattr(back, field.name) == getattr(snapshot, field.name)
        for field in attrs.fields(Snapshot)
    )
