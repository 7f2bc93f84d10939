"""The hop, from offered to handled with the lag recorded: Ticklane and what it stands in for.

All designs get the same prebuilt snapshots, in turn of all symbols, from one producer, in blocks
(`hop_work` says how large); the same handler counts them, and each lag goes into a `LagHistogram`.
Before the clock starts every symbol has handled one. Nobody drops any. Slower designs get fewer
snapshots of the same list. One round runs all designs side by side at each size. Ticklane runs
twice: brought by a feed's reading thread (`ticklane`), which handles what it may on the spot as the
older design's event loop does, and offered by a host's thread (`ticklane_offered`), where every
snapshot changes threads as with Pykka's `tell`.
"""

import gc

import hop_asyncio
import hop_pykka
import hop_ticklane
from effort import Effort
from figures import Tree
from hop_work import Design, Work
from load import snapshots

__all__ = ["measure"]

DESIGNS: dict[str, tuple[Design, int, int]] = {
    "ticklane": (hop_ticklane.run_read, 200_000, 10_000),
    "ticklane_offered": (hop_ticklane.run_offered, 200_000, 10_000),
    "asyncio": (hop_asyncio.run, 40_000, 10_000),
    "pykka": (hop_pykka.run, 20_000, 1_000),
}
"""By name: how to run it, how many snapshots it gets, and for how many symbols at most."""

SIZES = (1, 10, 100, 1_000, 10_000)


def measure(effort: Effort) -> Tree:
    """Return microseconds per snapshot by design and number of symbols.

    A share of the work looks at fewer symbols: with few snapshots each, only their start would be
    measured.
    """
    hops: Tree = {name: {} for name in DESIGNS}
    for symbols in (size for size in SIZES if size <= effort.count(SIZES[-1])):
        books = snapshots(
            symbols, symbols + effort.count(max(each[1] for each in DESIGNS.values()))
        )
        for name, (design, total, most) in DESIGNS.items():
            if symbols <= most:
                work = Work(books[:symbols], books[symbols : symbols + effort.count(total)])
                hops[name][str(symbols)] = _timed(design, work)
    return {"hop_us": hops}


def _timed(design: Design, work: Work) -> float:
    try:
        return design(work) / len(work.timed) * 1e6
    finally:
        gc.unfreeze()
