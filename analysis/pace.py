"""Whether a handler is quick enough to be run by whoever brings its message."""

from __future__ import annotations

import attrs

__all__ = ["Pace"]

FIRST_PROBATION = 64
LONGEST_PROBATION = 65_536


@attrs.define
class Pace:
    """Remember whether a handler was quick so far.

    A new handler is trusted. One that was slow once is not, until it has handled a
    number of messages quickly in a row: 64 the first time, twice as many after each relapse.
    """

    _probation: int = FIRST_PROBATION // 2
    _until: int = 0

    def relapse(self, handled: int) -> None:
        """Note that the last of `handled` messages was slow."""
        if self.steady(handled - 1):
            self._probation = min(2 * self._probation, LONGEST_PROBATION)
        self._until = handled + self._probation

    def steady(self, handled: int) -> bool:
        """Say whether the handler is trusted, having handled `handled` messages in all."""
        return handled >= self._until
