"""What each design of the hop is given."""

import gc
from collections.abc import Callable, Iterator

import attrs

from ticklane import Snapshot

__all__ = ["Design", "Work", "settle"]

OUTSTANDING = 10_000
MAX_SIZE = 1_000
OUTSTANDING_EACH = 10
LASTING = 500_000


@attrs.frozen
class Work:
    """Snapshots to bring from a producer to a handler."""

    warm: list[Snapshot]
    """One of each symbol, before the clock starts."""
    timed: list[Snapshot]

    @property
    def lasts(self) -> bool:
        """Whether it is enough to last for longer than an interval of watching."""
        return len(self.timed) >= LASTING

    @property
    def symbols(self) -> list[str]:
        """All symbols, by their names within the exchange."""
        return [snapshot.symbol for snapshot in self.warm]

    def blocks(self, snapshots: list[Snapshot]) -> Iterator[list[Snapshot]]:
        """Cut into what may wait at one time: the next block is due when the last is handled.

        No more than a thousand of each symbol, which the older design's queue holds, and Ticklane's
        mailbox by default, so that nobody has to drop or to wait for room. Ten thousand in all, or
        ten of each symbol, so that starting over does not cost more than the work: it is a switch
        of threads for some and nothing for others.
        """
        symbols = len(self.warm)
        most = max(min(OUTSTANDING, MAX_SIZE * symbols), OUTSTANDING_EACH * symbols)
        for first in range(0, len(snapshots), most):
            yield snapshots[first : first + most]


def settle() -> None:
    """Have the garbage collector pass over all that was prepared, as a service does when it is up.

    Otherwise it traverses the prebuilt books and 10,000 symbols again and again, at the cost of
    whichever design happens to run.
    """
    gc.collect()
    gc.freeze()


Design = Callable[[Work], float]
"""Does the work, and returns the seconds from the first timed offer to the last one handled."""
