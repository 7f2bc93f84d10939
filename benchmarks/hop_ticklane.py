"""The hop in Ticklane, with its defaults: offered by a host's thread, and by a feed's reader."""

import time
from collections.abc import Callable, Iterator
from itertools import chain
from queue import SimpleQueue
from threading import Event
from time import perf_counter

from hop_work import Work, settle
from load import Tally, await_all

from ticklane import MarketData, Snapshot
from ticklane.runtime import Dispatcher

__all__ = ["run_offered", "run_read"]

Bring = Callable[[list[Snapshot]], object]
"""Brings a block of snapshots to their mailboxes."""


def run_offered(work: Work) -> float:
    """Offer from this thread, which may not be held up: every snapshot changes threads."""
    market = MarketData(symbols=[snapshot.key for snapshot in work.warm])

    def bring(block: list[Snapshot]) -> None:
        offer = market.offer
        for snapshot in block:
            offer(snapshot)

    return _run(work, market, bring)


def run_read(work: Work) -> float:
    """Bring by a reading thread, as feeds do, less what takes a snapshot out of a frame."""
    dispatcher = Dispatcher()
    market = MarketData(symbols=[snapshot.key for snapshot in work.warm], dispatcher=dispatcher)
    mailboxes = market._mailboxes["bench"]  # noqa: SLF001 - what a connection is given
    blocks: SimpleQueue[list[Snapshot]] = SimpleQueue()

    def read() -> bool:
        if (snapshot := next(arriving, None)) is None:
            return False
        mailboxes[snapshot.symbol].offer_here(snapshot, reader)
        return True

    arriving = chain.from_iterable(iter(blocks.get, []))
    reader = dispatcher.read("bench", read)
    reader.start()
    dispatcher.start()
    try:
        return _run(work, market, blocks.put)
    finally:
        blocks.put([])
        dispatcher.stop()


def _run(work: Work, market: MarketData, bring: Bring) -> float:
    done = Event()
    tally = Tally(done.set)
    handle = tally.handle
    for snapshot in work.warm:
        market.subscribe(snapshot.key, handle)
    with market:
        _bring(bring, work.blocks(work.warm), tally, done)
        if work.lasts:
            _await_watch(market, work.warm[-1].key)
        settle()
        start = perf_counter()
        _bring(bring, work.blocks(work.timed), tally, done)
        seconds = perf_counter() - start
    _check(market, len(work.warm) + len(work.timed))
    return seconds


def _bring(bring: Bring, blocks: Iterator[list[Snapshot]], tally: Tally, done: Event) -> None:
    for block in blocks:
        done.clear()
        tally.expect(len(block))
        bring(block)
        await_all(done)


def _await_watch(market: MarketData, key: str) -> None:
    """Wait until every symbol has been judged once: what it takes to begin comes but once."""
    threshold_ms = market.vitals().threshold_ms
    while threshold_ms(key) is None:
        time.sleep(0.01)


def _check(market: MarketData, total: int) -> None:
    totals = market.metrics().totals
    if totals.handled != total:
        raise RuntimeError(f"{total} were offered, but {totals}")
