"""The older design's provider of order books, on ticklane's mailboxes."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..supervisors import MarketData
from .order_book import HandedIn, OrderBookSnapshot
from .symbol_queue import SymbolQueue

__all__ = ["WebSocketAdapter", "WebSocketMarketDataProvider"]


class WebSocketAdapter(Protocol):
    """What is looked at of a host's connection; whatever else it has is the host's business."""

    callback: Callable[[OrderBookSnapshot], object] | None
    """What it calls with every book."""


class WebSocketMarketDataProvider:
    """Keep the newest order book of every symbol, handed in by the host's own connections.

    `ws_adapters`: those connections, by exchange: `{"upbit": adapter, "binance": adapter}`, each of
    which may be missing or None. As in the older design the host connects, subscribes and closes
    them. One that has a `callback` which is None gets the method here that takes its books; a
    `callback` that is set is left alone.

    Books wait in a mailbox for each symbol, at most 1000 of them; before `start` none is handled.
    A book handed in is readable on the next line, unless a newer one (by its time stamp) came
    before it or a copy of it did. All methods may be called from any thread, and none but `stop`
    waits for anything.

    Symbols are the exchanges' own spelling, so that one name means one exchange. Where both bring
    the same name each has its own mailbox, and what is asked by symbol is answered for the exchange
    that brought it last.
    """

    def __init__(self, ws_adapters: Mapping[str, WebSocketAdapter | None]) -> None:
        self.ws_adapters = ws_adapters
        self._market = _market()
        self._lifecycle = threading.Lock()
        self._is_running = False
        self._was_running = False
        self._keys: dict[str, str] = {}
        """By symbol: the key it was last brought under."""
        self._newest: dict[str, str] = {}
        """By exchange: the key it brought last."""
        _give_callback(ws_adapters.get("upbit"), self.on_upbit_snapshot)
        _give_callback(ws_adapters.get("binance"), self.on_binance_snapshot)

    # -- life

    def start(self) -> None:
        """Begin to handle what waits; while it runs nothing happens. After `stop` it goes on."""
        with self._lifecycle:
            if self._is_running:
                return
            if self._was_running:
                self._market = _resumed(self._market)
            self._market.start()
            self._is_running = self._was_running = True

    def stop(self) -> None:
        """Handle what waits, for 5 s at most, and stop; twice is fine.

        The newest books stay readable; those handed in from now on, until the next `start`, are
        dead letters.
        """
        with self._lifecycle:
            if self._is_running:
                self._market.stop()
                self._is_running = False

    async def astart(self) -> None:
        """Do as `start`."""
        self.start()

    async def astop(self) -> None:
        """Do as `stop`, without holding up the event loop."""
        await asyncio.to_thread(self.stop)

    # -- books

    def on_upbit_snapshot(self, snapshot: OrderBookSnapshot) -> None:
        """Take an Upbit book; any object with the same four attributes will do."""
        self._take("upbit", snapshot)

    def on_binance_snapshot(self, snapshot: OrderBookSnapshot) -> None:
        """Take a Binance book; any object with the same four attributes will do."""
        self._take("binance", snapshot)

    def get_latest_snapshot(self, symbol: str) -> OrderBookSnapshot | None:
        """Return the newest book of a symbol, the object handed in; None before the first."""
        return self._latest(self._keys.get(symbol))

    async def aget_latest_snapshot(self, symbol: str) -> OrderBookSnapshot | None:
        """Do as `get_latest_snapshot`."""
        return self.get_latest_snapshot(symbol)

    @property
    def latest_snapshots(self) -> dict[str, OrderBookSnapshot]:
        """The newest book of every symbol, as of now."""
        books = {symbol: self._latest(key) for symbol, key in self._keys.copy().items()}
        return {symbol: book for symbol, book in books.items() if book is not None}

    @property
    def snapshot_upbit(self) -> OrderBookSnapshot | None:
        """The newest book of the symbol Upbit brought last; None before the first."""
        return self._latest(self._newest.get("upbit"))

    @property
    def snapshot_binance(self) -> OrderBookSnapshot | None:
        """The newest book of the symbol Binance brought last; None before the first."""
        return self._latest(self._newest.get("binance"))

    # -- queues

    @property
    def symbol_queues(self) -> dict[str, SymbolQueue]:
        """The mailboxes there are now, by symbol."""
        return {symbol: self._queue(key) for symbol, key in self._keys.copy().items()}

    def get_queue_metrics(self, symbol: str) -> dict[str, float]:
        """Return `queue_depth` and `queue_lag_ms` of a symbol's mailbox; 0 for one unknown.

        The lag is that of the book handled last, or how long the oldest one has waited so far,
        whichever is greater. It is never the time since a book came, as it was in the older design:
        a quiet market is not late.
        """
        key = self._keys.get(symbol)
        if key is None:
            return {"queue_depth": 0, "queue_lag_ms": 0.0}
        queue = self._market.queue(key)
        lag_ms = max(queue.lag_ms, queue.oldest_age_ms)
        return {"queue_depth": queue.depth, "queue_lag_ms": lag_ms}

    # -- inside

    def _take(self, exchange: str, book: OrderBookSnapshot) -> None:
        snapshot = HandedIn.of(book, exchange)
        if self._market.offer(snapshot):
            self._keys[snapshot.symbol] = self._newest[exchange] = snapshot.key

    def _latest(self, key: str | None) -> OrderBookSnapshot | None:
        latest = None if key is None else self._market.latest(key)
        return None if latest is None else OrderBookSnapshot.from_snapshot(latest)

    def _queue(self, key: str) -> SymbolQueue:
        return SymbolQueue(lambda: self._market.queue(key).depth)


def _market() -> MarketData:
    # The older design dropped the newest of a full queue, and could: nobody read its queues, and a
    # dictionary beside them had the latest. Here the mailbox has it, so the oldest gives way.
    return MarketData(capacity=1000, overflow="drop_oldest")


def _resumed(stopped: MarketData) -> MarketData:
    market = _market()
    for snapshot in stopped.latest_all().values():
        market.offer(snapshot)
    return market


def _give_callback(adapter: Any, callback: Callable[[OrderBookSnapshot], object]) -> None:
    if getattr(adapter, "callback", callback) is None:
        adapter.callback = callback
