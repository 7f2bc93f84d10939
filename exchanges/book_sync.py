"""Keeping one symbol's book in step with its differences."""

from __future__ import annotations

from collections import deque

import attrs
import msgspec

from ..messages import BadFrame, BookResynced, GapDetected, Level, Snapshot
from .diff_book import DiffBook
from .protocol import BookRequest, Brought

__all__ = ["Base", "BookSync", "Diff"]

MOST_WAITING = 200
"""Differences kept while a base is fetched: 20 s of them. Of more the oldest are dropped."""
MOST_REPEATED = 100
"""So many older differences in a row are no copies: the exchange has begun to count again."""
SETTLED = 100
"""After so many differences a base has proven good."""


class Diff(msgspec.Struct, gc=False):
    """One difference: what changed after update `first - 1`, up to update `last`."""

    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    time_ms: int | None = msgspec.field(name="E", default=None)
    symbol: str = msgspec.field(name="s", default="")
    prior: int | None = msgspec.field(name="pu", default=None)
    """The update before the first, on exchanges whose numbers have holes (futures)."""

    def follows(self, number: int, *, fresh: bool) -> bool:
        """Say whether nothing is missing between a book at update `number` and this.

        `fresh`: the book is a base, which may stand in the midst of a difference.
        """
        if self.prior is None:
            return self.first <= number + 1
        return self.prior == number or (fresh and self.first <= number)

    def missed(self, number: int) -> int:
        """Return how many updates are missing after `number`, 1 at least."""
        before = self.first - 1 if self.prior is None else self.prior
        return max(before - number, 1)


class Base(msgspec.Struct, gc=False):
    """A whole book, as the REST side gives it."""

    number: int = msgspec.field(name="lastUpdateId")
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_ms: int | None = msgspec.field(name="E", default=None)


class BookSync:
    """Make whole books of one symbol's differences, and notice when that cannot be.

    A book needs a base, which is asked for by a `BookRequest`; meanwhile differences wait. Each
    difference that is applied brings a `Snapshot`, also one that changes nothing among the best
    levels: its number and time are newer, and a consumer sees that the symbol lives. A gap, a
    difference that cannot be read and a crossed book lose the book: `GapDetected`, a new base, and
    `BookResynced` before the next snapshot. A base that is too old is asked for again. Where the
    levels known run short, a new base is fetched while the book goes on with those there are.

    `request`: how its base is asked for; `limit`: how many levels a side that gives. One thread at
    a time, and no clock.
    """

    def __init__(self, exchange: str, request: BookRequest, *, limit: int) -> None:
        self._exchange = exchange
        self._symbol = request.symbol
        self._request = attrs.evolve(request, attempt=-1)
        self._limit = limit
        self._book: DiffBook | None = None
        self._number = 0
        """The update the book stands at."""
        self._seen = 0
        """The newest update that was heard of."""
        self._applied = self._repeated = 0
        self._waiting: deque[Diff] = deque(maxlen=MOST_WAITING)
        """What came since the base was asked for, without a gap."""
        self._asked = self._lost = False

    def missing(self) -> tuple[BookRequest, ...]:
        """Return the request for a base, if one is needed and not on its way."""
        if self._asked or not (self._book is None or self._book.thin):
            return ()
        return self._ask(again=self._applied < SETTLED)

    def take(self, diff: Diff, received_ns: int) -> tuple[Brought, ...]:
        """Return what a difference comes to."""
        if diff.last <= self._seen:
            return self._take_older()
        self._seen = diff.last
        self._repeated = 0
        book = self._book
        brought = () if book is None else self._advance(book, diff, received_ns)
        if self._book is None or self._asked or self._book.thin:
            self._keep(diff)
            return (*brought, *self.missing())
        return brought

    def spoil(self, bad: BadFrame) -> tuple[Brought, ...]:
        """Return what a difference comes to that cannot be read."""
        self._waiting.clear()
        if self._book is None:
            return (bad, *self.missing())
        return (bad, self._lose(1), *self.missing())

    def rebase(self, base: Base, received_ns: int) -> tuple[Brought, ...]:
        """Return what a base comes to: it was asked for, or it is newer than all that came."""
        if not self._asked and base.number <= max(self._seen, self._number):
            return ()
        if not self._covers(base):
            return self._ask(again=True)
        try:
            self._book = self._built(base)
        except BadFrame as bad:
            return self.refuse(bad)
        last = self._waiting[-1] if self._waiting else None
        self._waiting.clear()
        self._asked = False
        self._applied = 0 if last is None else 1
        self._number = last.last if last else base.number
        resynced = (BookResynced(key=self._key),) if self._lost else ()
        self._lost = False
        time_ms = last.time_ms if last else base.time_ms
        return (*resynced, *self._snapshot(self._book, time_ms, received_ns))

    def refuse(self, bad: BadFrame) -> tuple[Brought, ...]:
        """Return what the base comes to that was asked for and cannot be used."""
        if not self._asked:
            return (bad,)
        self._waiting.clear()
        return (bad, *self._ask(again=True))

    @property
    def _key(self) -> str:
        return f"{self._exchange}:{self._symbol}"

    def _ask(self, *, again: bool) -> tuple[BookRequest, ...]:
        self._asked = True
        self._request = attrs.evolve(
            self._request, attempt=self._request.attempt + 1 if again else 0
        )
        return (self._request,)

    def _advance(self, book: DiffBook, diff: Diff, received_ns: int) -> tuple[Brought, ...]:
        if diff.last <= self._number:
            return ()
        if not diff.follows(self._number, fresh=not self._applied):
            return (self._lose(diff.missed(self._number)),)
        try:
            book.apply(diff.bids, diff.asks)
        except BadFrame as bad:
            return (bad, self._lose(diff.last - self._number))
        self._number = diff.last
        self._applied += 1
        return self._snapshot(book, diff.time_ms, received_ns)

    def _take_older(self) -> tuple[Brought, ...]:
        self._repeated += 1
        if self._repeated < MOST_REPEATED:
            return ()
        self._seen = self._repeated = 0
        self._waiting.clear()
        if self._book is None:
            return self.missing()
        return (self._lose(1), *self.missing())

    def _keep(self, diff: Diff) -> None:
        if self._waiting and not diff.follows(self._waiting[-1].last, fresh=False):
            self._waiting.clear()
        self._waiting.append(diff)

    def _lose(self, missed: int) -> GapDetected:
        self._book = None
        self._lost = True
        return GapDetected(key=self._key, missed=missed)

    def _covers(self, base: Base) -> bool:
        """Say whether nothing is missing between a base and what waits, which is cut to fit."""
        waiting = self._waiting
        while waiting and waiting[0].last <= base.number:
            waiting.popleft()
        if waiting:
            return waiting[0].follows(base.number, fresh=True)
        return base.number >= self._seen

    def _built(self, base: Base) -> DiffBook:
        book = DiffBook(base.bids, base.asks, limit=self._limit)
        for diff in self._waiting:
            book.apply(diff.bids, diff.asks)
        return book

    def _snapshot(
        self, book: DiffBook, time_ms: int | None, received_ns: int
    ) -> tuple[Snapshot, ...]:
        bids, asks = book.bids, book.asks
        # A halted market may have no level at all: that is no book.
        if not bids and not asks:
            return ()
        number = self._number
        return (Snapshot(self._exchange, self._symbol, bids, asks, time_ms, number, received_ns),)
