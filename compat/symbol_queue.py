"""A symbol's mailbox as the older design showed it."""

from collections.abc import Callable

import attrs

__all__ = ["SymbolQueue"]


@attrs.frozen
class SymbolQueue:
    """Tell how many snapshots of one symbol wait; from any thread. Nothing can be taken out."""

    _depth: Callable[[], int] = attrs.field(repr=False)

    def qsize(self) -> int:
        """Return how many snapshots wait now."""
        return self._depth()

    def empty(self) -> bool:
        """Say whether none waits."""
        return not self._depth()
