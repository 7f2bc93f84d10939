"""The hop in Ticklane, by its public API and with its defaults."""

from collections.abc import Iterator
from threading import Event
from time import perf_counter

from hop_work import Work, settle
from load import Tally, await_all

from ticklane import MarketData, Snapshot

__all__ = ["run"]


def run(work: Work) -> float:
    """Offer from this thread."""
    done = Event()
    tally = Tally(done.set)
    market = MarketData(symbols=[snapshot.key for snapshot in work.warm])
    for snapshot in work.warm:
        market.subscribe(snapshot.key, tally.handle)
    with market:
        _offer(market, work.blocks(work.warm), tally, done)
        settle()
        start = perf_counter()
        _offer(market, work.blocks(work.timed), tally, done)
        seconds = perf_counter() - start
    _check(market, len(work.warm) + len(work.timed))
    return seconds


def _offer(market: MarketData, blocks: Iterator[list[Snapshot]], tally: Tally, done: Event) -> None:
    offer = market.offer
    for block in blocks:
        done.clear()
        tally.expect(len(block))
        for snapshot in block:
            offer(snapshot)
        await_all(done)


def _check(market: MarketData, total: int) -> None:
    totals = market.metrics().totals
    if totals.handled != total:
        raise RuntimeError(f"{total} were offered, but {totals}")
