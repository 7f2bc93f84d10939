"""What each design of the hop is given."""

from collections.abc import Callable, Iterator

import attrs

from ticklane import Snapshot

__all__ = ["Design", "Work"]

OUTSTANDING = 1_000
OUTSTANDING_EACH = 10


@attrs.frozen
class Work:
    """Snapshots to bring from a producer to a handler."""

    warm: list[Snapshot]
    """One of each symbol, before the clock starts."""
    timed: list[Snapshot]

    @property
    def symbols(self) -> list[str]:
        """All symbols, by their names within the exchange."""
        return [snapshot.symbol for snapshot in self.warm]

    def blocks(self, snapshots: list[Snapshot]) -> Iterator[list[Snapshot]]:
        """Cut into what may wait at one time: the next block is due when the last is handled.

        A thousand, as many as the older design's queue holds, and Ticklane's mailbox by default, so
        that nobody has to drop or to wait for room; ten of each symbol where there are more than a
        hundred, so that all are as busy.
        """
        most = max(OUTSTANDING, OUTSTANDING_EACH * len(self.warm))
        for first in range(0, len(snapshots), most):
            yield snapshots[first : first + most]


Design = Callable[[Work], float]
"""Does the work, and returns the seconds from the first timed offer to the last one handled."""
