"""The hop, from offered to handled with the lag recorded: Ticklane and what it stands in for.

All designs get the same prebuilt snapshots, in turn of all symbols, from one producer, in blocks
(`hop_work` says how large); the same handler counts them, and each lag goes into a `LagHistogram`.
Before the clock starts every symbol has handled one, and Ticklane has been watching all of them.
Nobody drops any. Slower designs get fewer snapshots of the same list; Ticklane's last for seconds,
so that its watching counts. One round runs all designs side by side at each size, each in a new
process: what another left in memory would make it up to twice as slow. Ticklane runs twice: brought
by a feed's reading thread (`ticklane`), which handles what it may on the spot as the older design's
event loop does, and offered by a host's thread (`ticklane_offered`), where every snapshot changes
threads as with Pykka's `tell`.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import hop_asyncio
import hop_pykka
import hop_ticklane
from effort import Effort
from figures import Tree
from hop_work import Design, Work
from load import snapshots

__all__ = ["measure"]

DESIGNS: dict[str, tuple[Design, int, int]] = {
    "ticklane": (hop_ticklane.run_read, 600_000, 10_000),
    "ticklane_offered": (hop_ticklane.run_offered, 600_000, 10_000),
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
    new_each_time = 1 if effort.share == 1 else None
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), max_tasks_per_child=new_each_time
    ) as process:
        for symbols in (size for size in SIZES if size <= effort.count(SIZES[-1])):
            for name, (_, total, most) in DESIGNS.items():
                if symbols <= most:
                    hop = process.submit(_timed, name, symbols, effort.count(total))
                    hops[name][str(symbols)] = hop.result()
    return {"hop_us": hops}


def _timed(name: str, symbols: int, total: int) -> float:
    books = snapshots(symbols, symbols + total)
    work = Work(books[:symbols], books[symbols:])
    return DESIGNS[name][0](work) / total * 1e6
