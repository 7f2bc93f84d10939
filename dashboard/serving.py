"""Serve metrics over HTTP."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ..messages import InvalidOption
from ..supervisors import MarketData
from .collector import MarketCollector

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["MetricsServer", "metrics_app", "serve_metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LAST_PORT = 65535


def metrics_app(
    market: MarketData, *, max_symbols: int = 2000, cache_s: float = 1.0
) -> WSGIApplication:
    """Return a WSGI application whose every page is the market's metrics.

    A page is made on the thread that serves it and kept for `cache_s` seconds (1.0), however many
    ask. `max_symbols`: see `MarketCollector`.
    """
    page = _Cached(MarketCollector(market, max_symbols=max_symbols).page, cache_s)

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = page.get().encode()
        headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return app


def serve_metrics(
    market: MarketData, *, port: int = 9464, host: str = "127.0.0.1", max_symbols: int = 2000
) -> MetricsServer:
    """Serve the market's metrics on `http://host:port/metrics`, on threads of its own.

    `port` 0 takes a free one (`MetricsServer.port`). The default `host` is seen from this machine
    only. Stop it by `stop()` or `with`. Raises OSError where the port is taken, InvalidOption where
    it is none.
    """
    if not 0 <= port <= _LAST_PORT:
        raise InvalidOption("port", port, f"from 0 to {_LAST_PORT}")
    return MetricsServer(metrics_app(market, max_symbols=max_symbols), host, port)


class MetricsServer:
    """A small HTTP server on threads of its own."""

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        self._server = make_server(host, port, app, _Server, _Quiet)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="ticklane-metrics", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; returns when the port is free."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Cached:
    """Make a page at most once in some seconds."""

    def __init__(self, make: Callable[[], str], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = threading.Lock()
        self._page = ""
        self._until_s = float("-inf")

    def get(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until_s:
                self._page = self._make()
                self._until_s = time.monotonic() + self._seconds
            return self._page


class _Server(ThreadingMixIn, WSGIServer):
    """One thread for each request, so that a slow client holds up nobody else."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has left or asks for nothing: port scans and the like."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Quiet(WSGIRequestHandler):
    """Logs no request: one comes every few seconds, for ever."""

    timeout = 10.0

    def log_message(self, *_: object) -> None:
        pass
