"""When a simulated exchange says what; a burst brings forward what comes next."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import attrs

from ..analysis.checks import check_whole
from ..messages import Snapshot

__all__ = ["Timetable"]

T = TypeVar("T")


class Timetable(Iterator[tuple[float, T]]):
    """`(seconds, what)` in order of time, of which `hurry` brings the next ones forward.

    After a burst all goes on in its old rhythm, so much earlier. A book's time stamp is moved with
    it: an exchange stamps what it sends now.
    """

    def __init__(self, timed: Iterable[tuple[float, T]]) -> None:
        self._timed = iter(timed)
        self._ahead_s = self._last_s = 0.0
        self._hurried = 0

    def hurry(self, number: int) -> None:
        """Let the `number` after the next come together with it; raises InvalidOption."""
        check_whole("books", number, 0)
        self._hurried += number

    def __next__(self) -> tuple[float, T]:
        at_s, what = next(self._timed)
        if self._hurried:
            self._hurried -= 1
            self._ahead_s = at_s - self._last_s
        # Never before the last, by a rounding.
        self._last_s = max(self._last_s, at_s - self._ahead_s)
        if self._ahead_s and isinstance(what, Snapshot) and what.exchange_time_ms is not None:
            moved_ms = int(at_s * 1000) - int(self._last_s * 1000)
            stamped = attrs.evolve(what, exchange_time_ms=what.exchange_time_ms - moved_ms)
            return self._last_s, stamped
        return self._last_s, what
