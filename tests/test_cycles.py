"""Starting and stopping a thousand times leaves nothing behind."""

import gc
import threading
import tracemalloc

import pykka

from ticklane import MarketData, Snapshot

KEY = "upbit:KRW-BTC"


def cycle() -> None:
    market = MarketData(symbols=[KEY])
    market.subscribe(KEY, lambda _: None)
    with market:
        market.offer(Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), sequence=1))
    assert market.queue(KEY).handled == 1


def memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def growth() -> int:
    before = memory()
    for _ in range(40):
        cycle()
    return memory() - before


def test_a_thousand_starts_and_stops_leave_no_thread_no_actor_and_no_memory() -> None:
    threads, actors = threading.active_count(), len(pykka.ActorRegistry.get_all())
    for _ in range(880):
        cycle()
    tracemalloc.start()
    try:
        growths = [growth(), growth(), growth()]
    finally:
        tracemalloc.stop()

    assert threading.active_count() == threads
    assert len(pykka.ActorRegistry.get_all()) == actors
    # A table of the process's that becomes too small is made larger once.
    assert min(growths) < 40 * 100, "each cycle left 100 bytes or more"
