"""Hypothesis strategies for a host's own properties; needs the extra `simulation`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from ..exchanges import Feed, split_key
from ..messages import (
    BookResynced,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedStalled,
    GapDetected,
    InvalidOption,
    MissingExtra,
    SequenceReset,
    Snapshot,
)
from .book_walk import FAR_TICKS, STAMPS, TICKS, BookMove, first_book, walk
from .fault import Fault
from .random_plan import random_fault

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise MissingExtra("ticklane.simulation.strategies", "simulation") from error

__all__ = ["fault_plans", "faults", "feed_events", "interleavings", "moving_books", "snapshots"]

REASONS = ("code 1001", "code 1006", "reset by peer", "no answer to a ping")


def snapshots(
    key: str = "upbit:KRW-BTC",
    *,
    levels: tuple[int, int] = (1, 5),
    stamps: Sequence[str] = STAMPS,
) -> SearchStrategy[Snapshot]:
    """Return a strategy for whole books of `key`: sorted, not crossed, every size above 0.

    `levels`: the fewest and the most of a side; from 0 for a market that nobody may want to buy or
    sell in. `stamps`: some of `time`, `sequence`, `both` and `none`. Raises InvalidOption.
    """
    moves = st.tuples(_starts(key, stamps), _moves(["newer"], levels))
    # Mapped and not built: what fails is shown as the book, not as how it came about.
    return moves.map(lambda drawn: drawn[1].after(drawn[0]))


def moving_books(
    key: str = "upbit:KRW-BTC",
    *,
    after: Snapshot | None = None,
    levels: tuple[int, int] = (1, 5),
    stamps: Sequence[str] = STAMPS,
    twins: bool = True,
    resets: bool = False,
    min_size: int = 0,
    max_size: int = 20,
) -> SearchStrategy[list[Snapshot]]:
    """Return a strategy for one symbol's books in their order: prices walk, stamps grow.

    `after`: the book they follow, and whose kind of stamp they have. `twins`: some have the stamp
    of the one before, and some are copies of it. `resets`: the numbers may begin again from
    below.
    """
    how = [*["newer"] * 4, *["twin", "copy"] * twins, *["reset"] * resets]
    starts = snapshots(key, levels=levels, stamps=stamps) if after is None else st.just(after)
    walks = st.lists(_moves(how, levels), min_size=min_size, max_size=max_size)
    return st.tuples(starts, walks).map(lambda drawn: walk(*drawn))


def feed_events(
    key: str = "upbit:KRW-BTC", *, min_size: int = 0, max_size: int = 20
) -> SearchStrategy[list[FeedEvent]]:
    """Return a strategy for what a handler's `on_event` is told of a feed, in an order it may have.

    It is connected before it is lost, and whole again only after a gap.
    """
    chances = st.tuples(st.integers(0, 3), st.sampled_from(REASONS), st.integers(1, 1000))
    return st.builds(_life, st.just(key), st.lists(chances, min_size=min_size, max_size=max_size))


def faults(feeds: Sequence[Feed], *, seconds: float = 0.0) -> SearchStrategy[Fault]:
    """Return a strategy for any one of `FAULTS`, within `seconds`, at what `feeds` bring."""
    return st.builds(
        random_fault,
        st.randoms(use_true_random=False),
        st.integers(0, int(seconds)).map(float),
        st.just(list(dict.fromkeys(feed.exchange for feed in feeds))),
        st.just([key for feed in feeds for key in feed.keys]),
    )


def fault_plans(
    feeds: Sequence[Feed], *, seconds: float, min_size: int = 0, max_size: int = 12
) -> SearchStrategy[tuple[Fault, ...]]:
    """Return a strategy for plans of faults within `seconds`, in order of time; see `play`."""
    plans = st.lists(faults(feeds, seconds=seconds), min_size=min_size, max_size=max_size)
    return plans.map(lambda plan: tuple(sorted(plan, key=lambda fault: fault.at_s)))


def interleavings(most: int = 500) -> SearchStrategy[Callable[[int], int]]:
    """Return a strategy for who runs next: `World(choose=...)`; each value serves one world.

    The first `most` times that there is a choice it is Hypothesis's, so that what fails shrinks
    towards first come, first served; then it is that.
    """
    return st.randoms(use_true_random=False).map(
        lambda random: Interleaving(random.randrange, most)
    )


@attrs.define
class Interleaving:
    """Choose by `draw` so many times, then the first."""

    _draw: Callable[[int], int] = attrs.field(repr=False)
    _left: int

    def __call__(self, ready: int) -> int:
        """Return which of so many is next, 0 to `ready` - 1."""
        if not self._left:
            return 0
        self._left -= 1
        return self._draw(ready)


def _starts(key: str, stamps: Sequence[str]) -> SearchStrategy[Snapshot]:
    split_key(key)
    if not stamps or not {*stamps} <= {*STAMPS}:
        raise InvalidOption("stamps", stamps, f"some of {', '.join(STAMPS)}")
    return st.builds(first_book, st.just(key), st.integers(1, FAR_TICKS), st.sampled_from(stamps))


def _moves(how: Sequence[str], levels: tuple[int, int]) -> SearchStrategy[BookMove]:
    return st.builds(
        BookMove,
        how=st.sampled_from(how),
        ticks=st.integers(-5, 5),
        spread=st.integers(1, 10),
        bids=_sizes(levels),
        asks=_sizes(levels),
        step=st.integers(1, 1000),
    )


def _sizes(levels: tuple[int, int]) -> SearchStrategy[list[float]]:
    fewest, most = levels
    size = st.integers(1, FAR_TICKS).map(lambda number: number / TICKS)
    return st.lists(size, min_size=fewest, max_size=most)


_LIFE: dict[str, tuple[tuple[str, str], ...]] = {
    "away": (("connected", "whole"),),
    "whole": (("lost", "away"), ("stalled", "silent"), ("gap", "broken"), ("reset", "whole")),
    "silent": (("lost", "away"),),
    "broken": (("resynced", "whole"), ("lost", "away")),
}
"""The life of a symbol's stream: where it is, what may be told, where it is then."""


def _life(key: str, chances: Iterable[tuple[int, str, int]]) -> list[FeedEvent]:
    events: list[FeedEvent] = []
    state = "away"
    for choice, reason, number in chances:
        possible = _LIFE[state]
        told, state = possible[choice % len(possible)]
        events.append(_event(key, told, reason, number))
    return events


def _event(key: str, told: str, reason: str, number: int) -> FeedEvent:
    return {
        "connected": FeedConnected(key=key, url=f"wss://{key.partition(':')[0]}"),
        "lost": FeedLost(key=key, reason=reason),
        "stalled": FeedStalled(key=key, silence_s=float(number)),
        "gap": GapDetected(key=key, missed=number),
        "resynced": BookResynced(key=key),
        "reset": SequenceReset(key=key),
    }[told]
