"""The hop with a `pykka.ThreadingActor`, and so a thread, for every symbol."""

from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic_ns, perf_counter
from typing import Any

import pykka
from hop_work import Work, settle
from load import Tally, await_all

from ticklane import Snapshot
from ticklane.analysis import LagHistogram

__all__ = ["run"]


class Symbol(pykka.ThreadingActor):
    """Records the lag and calls the handler."""

    def __init__(self, handle: Callable[[Snapshot], object]) -> None:
        super().__init__()
        self._handle = handle
        self._lags = LagHistogram()

    def on_receive(self, message: tuple[int, Snapshot]) -> Any:
        told_ns, snapshot = message
        self._lags.record(monotonic_ns() - told_ns)
        self._handle(snapshot)


Actors = dict[str, pykka.ActorRef[Symbol]]


def run(work: Work) -> float:
    """Tell from this thread."""
    done = Event()
    tally = Tally(done.set)
    handle = tally.handle
    actors: Actors = {symbol: Symbol.start(handle) for symbol in work.symbols}
    try:
        _tell(actors, work.blocks(work.warm), tally, done)
        settle()
        start = perf_counter()
        _tell(actors, work.blocks(work.timed), tally, done)
        return perf_counter() - start
    finally:
        pykka.get_all([actor.stop(block=False) for actor in actors.values()])


def _tell(actors: Actors, blocks: Iterator[list[Snapshot]], tally: Tally, done: Event) -> None:
    for block in blocks:
        done.clear()
        tally.expect(len(block))
        for snapshot in block:
            actors[snapshot.symbol].tell((monotonic_ns(), snapshot))
        await_all(done)
