"""Which symbols are silent beyond their own rhythm."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .rhythm import Rhythm

__all__ = ["QuietSymbols"]


@attrs.define
class QuietSymbols:
    """Learn each symbol's rhythm, and name those that are silent for longer than is plausible.

    One that is named is not named again before it has said something. One thread at a time.
    """

    _rhythms: dict[str, Rhythm] = attrs.field(init=False, factory=dict)
    _named: dict[str, int] = attrs.field(init=False, factory=dict)
    """Those named last, and when they had said something last."""

    def resume(self, now_ns: int) -> None:
        """Count every silence from now on: a new connection is there."""
        for rhythm in self._rhythms.values():
            rhythm.resume(now_ns)

    def look(self, now_ns: int, arrived_ns: Mapping[str, int | None]) -> dict[str, float]:
        """Return those to name now with their silence in seconds.

        `arrived_ns`: when each symbol last said something, None where it never did. A symbol that
        is not in it any more is forgotten.
        """
        self._forget(arrived_ns)
        quiet: dict[str, float] = {}
        for symbol, at_ns in arrived_ns.items():
            if at_ns is not None and self._is_quiet(symbol, at_ns, now_ns):
                quiet[symbol] = (now_ns - at_ns) / 1e9
        return quiet

    def _is_quiet(self, symbol: str, arrived_ns: int, now_ns: int) -> bool:
        if (rhythm := self._rhythms.get(symbol)) is None:
            rhythm = self._rhythms[symbol] = Rhythm()
        rhythm.note(arrived_ns)
        if not rhythm.overdue(now_ns) or self._named.get(symbol) == arrived_ns:
            return False
        self._named[symbol] = arrived_ns
        return True

    def _forget(self, arrived_ns: Mapping[str, int | None]) -> None:
        for symbol in [symbol for symbol in self._rhythms if symbol not in arrived_ns]:
            del self._rhythms[symbol]
            self._named.pop(symbol, None)
