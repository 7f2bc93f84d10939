"""When to ask again for what an exchange has rejected."""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs

from .backoff import Backoff

__all__ = ["Rejections"]

FIRST_WAIT_S = 1.0


@attrs.define
class Rejections:
    """Ask again for all that was rejected at once, later each time: after 1 s, doubled up to 30 s.

    Up to 20 % come on top at random. A rejection a minute after the last one begins with 1 s again.
    Time is monotonic, in seconds.
    """

    _backoff: Backoff = attrs.field(init=False, factory=lambda: Backoff(first_s=FIRST_WAIT_S))
    _due_s: float = attrs.field(init=False, default=math.inf)
    _waiting: dict[str, None] = attrs.field(init=False, factory=dict)
    _known: set[str] = attrs.field(init=False, factory=set)

    def note(self, symbols: Iterable[str], now_s: float, draw: float) -> bool:
        """Note what was rejected; return whether any of it never was before.

        `draw` is a random number in [0, 1).
        """
        symbols = tuple(symbols)
        if symbols and not self._waiting:
            self._due_s = now_s + self._backoff.delay(now_s, draw)
        self._waiting |= dict.fromkeys(symbols)
        is_new = not self._known.issuperset(symbols)
        self._known.update(symbols)
        return is_new

    def due(self, now_s: float) -> tuple[str, ...]:
        """Return what is to be asked for now: nothing, or all that waits, which waits no more."""
        if now_s < self._due_s:
            return ()
        self._due_s = math.inf
        due, self._waiting = tuple(self._waiting), {}
        return due
