"""What a frame costs from the socket to its handler's end, at full blast over loopback."""

import sys
import time
from itertools import count
from threading import Event

import wire_cryptofeed
from blast import SYMBOLS, blasting
from effort import Effort
from figures import Tree
from load import await_all

from ticklane import Feed, MarketData

__all__ = ["measure"]

FRAMES = 50_000
THEIR_FRAMES = 10_000
STREAMS = {"upbit": "orderbook/simple", "binance": "depth20"}


def measure(effort: Effort) -> Tree:
    """Return microseconds of processor time a frame, our whole process; beside it, by the clock.

    They are the same where the reader is what is waited for. cryptofeed, where it is installed,
    receives the same frames.
    """
    meters = {exchange: _ours(exchange, effort.count(FRAMES)) for exchange in STREAMS}
    if wire_cryptofeed.receive is None:
        print("wire: without cryptofeed, which is not installed", file=sys.stderr)
    else:
        meters["cryptofeed_upbit"] = _theirs(effort.count(THEIR_FRAMES))
    return {
        "wire_us": {name: meter.cpu_us for name, meter in meters.items()},
        "wire_clock_us": {name: meter.clock_us for name, meter in meters.items()},
    }


class Meter:
    """Notes the time of the first frame handled and of the last, from any thread."""

    def __init__(self, frames: int) -> None:
        self.done = Event()
        self._frames = frames
        self._number = count(1)
        self._began = self._ended = (0, 0)

    def handle(self, _book: object) -> None:
        """Count one."""
        number = next(self._number)
        if number == 1:
            self._began = time.process_time_ns(), time.perf_counter_ns()
        elif number == self._frames:
            self._ended = time.process_time_ns(), time.perf_counter_ns()
            self.done.set()

    @property
    def cpu_us(self) -> float:
        return self._us(0)

    @property
    def clock_us(self) -> float:
        return self._us(1)

    def _us(self, clock: int) -> float:
        return (self._ended[clock] - self._began[clock]) / 1e3 / (self._frames - 1)


def _ours(exchange: str, frames: int) -> Meter:
    meter = Meter(frames)
    with blasting(exchange, frames) as url:
        feed = Feed(exchange, SYMBOLS[exchange], stream=STREAMS[exchange], url=url)
        # Nobody is to shed: every frame is waited for.
        market = MarketData([feed], capacity=1_000_000)
        for key in feed.keys:
            market.subscribe(key, meter.handle)
        with market:
            await_all(meter.done)
    return meter


def _theirs(frames: int) -> Meter:
    meter = Meter(frames)
    with blasting("upbit", frames) as url:
        wire_cryptofeed.receive(url, meter.handle, frames)
    return meter
