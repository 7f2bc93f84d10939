"""A scene in real time: sockets, threads, a real disk."""

from __future__ import annotations

import heapq
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

from ..runtime.run_files import day_file
from ..supervisors import MarketData
from .loopback import LoopbackExchange
from .scene import Scene

__all__ = ["LiveClock", "LiveScene"]


class LiveClock:
    """The machine's monotonic clock, and a wall clock that can be made wrong."""

    now_ns = staticmethod(time.monotonic_ns)

    def __init__(self) -> None:
        self._ahead_s, self._rate, self._since_s = 0.0, 0.0, time.monotonic()

    def unix_s(self) -> float:
        """Return seconds since 1970, as wrong as they were made."""
        return time.time() + self._ahead_s + self._rate * (time.monotonic() - self._since_s)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._ahead_s += seconds

    def drift(self, rate: float) -> None:
        """Let the wall clock go wrong by `rate` seconds a second from now on."""
        now_s = time.monotonic()
        self._ahead_s += self._rate * (now_s - self._since_s)
        self._rate, self._since_s = rate, now_s


class LiveScene(Scene):
    """A scene over real sockets. What is to be done is done by the thread in `run_for`.

    `log`: the run log, whose file a slow disk locks.
    """

    def __init__(
        self,
        market: MarketData,
        exchanges: Mapping[str, LoopbackExchange],
        clock: LiveClock,
        *,
        log: str | Path | None = None,
    ) -> None:
        super().__init__(market, exchanges, clock)
        self._unix_s = clock.unix_s
        self._log = log
        self._began_s = time.monotonic()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._tie = count()

    @property
    def now_s(self) -> float:
        """Seconds since the scene began."""
        return time.monotonic() - self._began_s

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Call `action` in so many seconds, if `run_for` goes on so long."""
        heapq.heappush(self._due, (self.now_s + seconds, next(self._tie), action))

    def run_for(self, seconds: float) -> None:
        """Wait so long, and do meanwhile what is due."""
        until_s, never = self.now_s + seconds, threading.Event()
        while self._due and self._due[0][0] <= until_s:
            never.wait(max(0.0, self._due[0][0] - self.now_s))
            heapq.heappop(self._due)[2]()
        never.wait(max(0.0, until_s - self.now_s))

    def slow(self, key: str, cost_s: float, seconds: float) -> None:
        """Let a handler of `key` sleep with each snapshot."""
        never = threading.Event()
        subscription = self.market.subscribe(key, lambda _: never.wait(cost_s))
        self.later(seconds, subscription.cancel)

    def slow_disk(self, cost_s: float, seconds: float) -> None:  # noqa: ARG002 - a lock holds up all
        """Lock the run log's file of today, for so long."""
        if self._log is None or Path(self._log).suffix != ".db":
            return
        file = day_file(Path(self._log), self._unix_s())
        other = sqlite3.connect(file, isolation_level=None, timeout=0.0)
        other.execute("BEGIN IMMEDIATE")
        self.later(seconds, other.close)
