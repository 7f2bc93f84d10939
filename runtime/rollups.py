"""What mailboxes do in ten seconds, as rows for the run log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..analysis import LagHistogram, pack_lags
from ..messages import MetricsSample, QueueTick, Rollup
from .mailbox import Mailbox

__all__ = ["ROLLUP_S", "Rollups"]

ROLLUP_S = 10
"""What one row tells of."""
MS = 1e6


class Rollups:
    """Cut what all mailboxes do into rows of ten seconds; one thread at a time.

    Not all at one time, since that would keep the interpreter from handlers for too long: each
    symbol has its own place in the ten seconds. `mailboxes` by key is live: what is added to it
    later is in the rows, too.
    """

    def __init__(self, mailboxes: Mapping[str, Mailbox], now_ns: int) -> None:
        self._mailboxes = mailboxes
        self._round_ns = now_ns
        self._takers: dict[str, _Taker] = {}
        self._next = 0

    def add(self, sample: MetricsSample, now_ns: int) -> list[Rollup]:
        """Take in one interval; return the rows of the symbols whose place has come."""
        for key, tick in sample.ticks.items():
            if tick.depth_max and (taker := self._taker(key)):
                taker.note(tick)
        place = sample.at_unix_s % ROLLUP_S / ROLLUP_S
        return self._take(int(len(self._mailboxes) * place), sample.at_unix_s, now_ns)

    def finish(self, at_unix_s: float, now_ns: int) -> list[Rollup]:
        """Return the rows of all whose place has not come yet, and begin the next ten seconds."""
        rows = self._take(len(self._mailboxes), at_unix_s, now_ns)
        removed = [self._takers.pop(key) for key in self._takers.keys() - self._mailboxes.keys()]
        self._next, self._round_ns = 0, now_ns
        return [*rows, *_rows(removed, at_unix_s, now_ns)]

    def _take(self, until: int, at_unix_s: float, now_ns: int) -> list[Rollup]:
        takers = [self._taker(key) for key in [*self._mailboxes][self._next : until]]
        self._next = max(self._next, until)
        return _rows(takers, at_unix_s, now_ns)

    def _taker(self, key: str) -> _Taker | None:
        taker, mailbox = self._takers.get(key), self._mailboxes.get(key)
        # A symbol that was removed and added again has another mailbox.
        if mailbox is not None and (taker is None or taker.mailbox is not mailbox):
            taker = self._takers[key] = _Taker(mailbox, self._round_ns)
        return taker


class _Taker:
    """Cut what one mailbox does."""

    __slots__ = ("_before", "_depth_max", "_lags", "_oldest_age_ms", "_since_ns", "mailbox")

    def __init__(self, mailbox: Mailbox, now_ns: int) -> None:
        self.mailbox = mailbox
        self._since_ns = now_ns
        self._lags = LagHistogram()
        self._before: tuple[int, ...] = (0,) * 8
        self._depth_max = 0
        self._oldest_age_ms = 0.0

    def note(self, tick: QueueTick) -> None:
        self._depth_max = max(self._depth_max, tick.depth_max)
        self._oldest_age_ms = max(self._oldest_age_ms, tick.oldest_age_ms)

    def take(self, at_unix_s: float, now_ns: int) -> Rollup | None:
        """Return what was done since this was last asked; None where nothing was."""
        seconds, self._since_ns = (now_ns - self._since_ns) / 1e9, now_ns
        before, self._before = self._before, _counts(self.mailbox)
        depth_max, self._depth_max = self._depth_max, 0
        oldest_age_ms, self._oldest_age_ms = self._oldest_age_ms, 0.0
        if self._before == before and not depth_max:
            return None
        lags = self._new_lags()
        quantiles = lags.quantiles(0.0, 0.5, 0.99, 1.0)
        counts = (now - then for now, then in zip(self._before, before, strict=True))
        lags_ms = (ns / MS for ns in quantiles)
        row = (self.mailbox.key, *counts, depth_max, oldest_age_ms, *lags_ms, pack_lags(lags))
        return Rollup._make((at_unix_s, seconds, *row))

    def _new_lags(self) -> LagHistogram:
        before, self._lags = self._lags, self.mailbox.lags
        return self._lags.since(before)


def _rows(takers: Iterable[_Taker | None], at_unix_s: float, now_ns: int) -> list[Rollup]:
    rows = (taker.take(at_unix_s, now_ns) for taker in takers if taker)
    return [row for row in rows if row]


def _counts(mailbox: Mailbox) -> tuple[int, ...]:
    """Return the counts of a row, in its order."""
    return (
        mailbox.offered,
        mailbox.handled,
        mailbox.failed,
        mailbox.dropped,
        mailbox.conflated,
        mailbox.expired,
        mailbox.rejected,
        mailbox.restarts,
    )
