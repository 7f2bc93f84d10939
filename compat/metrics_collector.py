"""What the older design's loop measured of itself and of its queues."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..messages import InvalidOption
from ..runtime import Clock, SystemClock

__all__ = ["MetricsCollector"]

_RECENT = 60
"""Loops that count as recent: a minute, at one a second."""


class MetricsCollector:
    """Collect what a host measures of its loop and its queues; one thread at a time.

    `buffer_size`: loops that averages are taken over. The names are those of the older design.

    Raises InvalidOption for a `buffer_size` below 1.
    """

    def __init__(self, buffer_size: int = 200, *, clock: Clock | None = None) -> None:
        if buffer_size < 1:
            raise InvalidOption("buffer_size", buffer_size, "at least 1")
        self.buffer_size = buffer_size
        self.ws_queue_lag_ms_warn_threshold = 1000.0
        self._clock: Clock = clock or SystemClock()
        self.reset()

    def reset(self) -> None:
        """Forget everything measured so far; the clock of `uptime_seconds` begins again."""
        self.start_time = self._clock.unix_s()
        self._started_ns = self._clock.now_ns()
        self.loop_times: deque[float] = deque(maxlen=self.buffer_size)
        self.trades_opened: deque[int] = deque(maxlen=self.buffer_size)
        self.spreads: deque[float] = deque(maxlen=self.buffer_size)
        self.trades_opened_total = 0
        self.data_source = "rest"
        self.ws_connected = False
        self.ws_reconnect_count = 0
        self.ws_queue_depth_max = 0
        self.ws_queue_lag_ms_max = 0.0
        self.ws_queue_lag_warn_count = 0
        self._queues: dict[str | None, dict[str, float]] = {}

    # -- queues

    def update_ws_queue_metrics(
        self, queue_depth: int, queue_lag_ms: float, symbol: str | None = None
    ) -> None:
        """Take what `get_queue_metrics` of the provider said of one symbol, or of a single queue.

        A lag over `ws_queue_lag_ms_warn_threshold` (1000 ms) counts as a warning.
        """
        self.ws_queue_depth_max = max(self.ws_queue_depth_max, queue_depth)
        self.ws_queue_lag_ms_max = max(self.ws_queue_lag_ms_max, queue_lag_ms)
        self.ws_queue_lag_warn_count += queue_lag_ms > self.ws_queue_lag_ms_warn_threshold
        self._queues[symbol] = {"queue_depth": queue_depth, "queue_lag_ms": queue_lag_ms}

    @property
    def ws_queue_depth(self) -> float:
        """The depth told last, of the symbol where it is greatest."""
        return max((queue["queue_depth"] for queue in self._queues.values()), default=0)

    @property
    def ws_queue_lag_ms(self) -> float:
        """The lag told last, of the symbol where it is greatest."""
        return max((queue["queue_lag_ms"] for queue in self._queues.values()), default=0.0)

    @property
    def per_symbol_queue_metrics(self) -> dict[str, dict[str, float]]:
        """By symbol: the `queue_depth` and `queue_lag_ms` told last."""
        return {symbol: queue for symbol, queue in self._queues.items() if symbol is not None}

    # -- the loop

    def update_loop_metrics(  # noqa: PLR0917 - the older design's order
        self,
        loop_time_ms: float,
        trades_opened: int,
        spread_bps: float,
        data_source: str,
        ws_connected: bool = False,
        ws_reconnects: int = 0,
        symbol: str | None = None,  # noqa: ARG002 - the older design took it and kept none, too
    ) -> None:
        """Take what one loop measured; `ws_reconnects` are all since the start."""
        self.loop_times.append(loop_time_ms)
        self.trades_opened.append(trades_opened)
        self.spreads.append(spread_bps)
        self.trades_opened_total += trades_opened
        self.data_source = data_source
        self.ws_connected = ws_connected
        self.ws_reconnect_count = ws_reconnects

    async def aupdate_loop_metrics(self, *args: Any, **kwargs: Any) -> None:
        """Do as `update_loop_metrics`, with the same arguments."""
        self.update_loop_metrics(*args, **kwargs)

    # -- what there is to know

    def get_metrics(self) -> dict[str, Any]:
        """Return everything; one for each loop makes a log `LongrunAnalyzer` can judge.

        `trades_opened` is missing before the first loop: a host that runs none opens none.
        """
        return self._loop() | self._ws_queues() | self._state()

    def get_health(self) -> dict[str, Any]:
        """Return that it is alive, for how long, and on which data."""
        return {
            "status": "ok",
            "data_source": self.data_source,
            "uptime_seconds": self._uptime_s(),
            "ws_connected": self.ws_connected,
        }

    def _loop(self) -> dict[str, Any]:
        opened = {"trades_opened": self.trades_opened[-1]} if self.trades_opened else {}
        return opened | {
            "loop_time_ms": _last(self.loop_times),
            "loop_time_avg_ms": _mean(self.loop_times),
            "loop_time_max_ms": max(self.loop_times, default=0.0),
            "loop_time_min_ms": min(self.loop_times, default=0.0),
            "trades_opened_total": self.trades_opened_total,
            "trades_opened_recent": sum([*self.trades_opened][-_RECENT:]),
            "spread_bps": _last(self.spreads),
            "spread_avg_bps": _mean(self.spreads),
        }

    def _ws_queues(self) -> dict[str, Any]:
        return {
            "ws_queue_depth": self.ws_queue_depth,
            "ws_queue_depth_max": self.ws_queue_depth_max,
            "ws_queue_lag_ms": self.ws_queue_lag_ms,
            "ws_queue_lag_ms_max": self.ws_queue_lag_ms_max,
            "ws_queue_lag_warn_count": self.ws_queue_lag_warn_count,
        }

    def _state(self) -> dict[str, Any]:
        return {
            "timestamp": self._clock.unix_s(),
            "data_source": self.data_source,
            "ws_connected": self.ws_connected,
            "ws_reconnect_count": self.ws_reconnect_count,
            "uptime_seconds": self._uptime_s(),
            "buffer_size": self.buffer_size,
            "buffer_usage": len(self.loop_times),
        }

    def _uptime_s(self) -> float:
        return (self._clock.now_ns() - self._started_ns) / 1e9


def _last(values: deque[float]) -> float:
    return values[-1] if values else 0.0


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values) if values else 0.0
