"""Fetching over HTTP what an exchange's REST side has; a simulation brings its own."""

from __future__ import annotations

import http.client
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs

from .dispatcher import Dispatcher

__all__ = ["Answer", "Fetch", "HttpRest", "Rest"]

MAX_BODY_BYTES = 8 * 2**20


@attrs.frozen(kw_only=True)
class Answer:
    """What came of a request."""

    status: int = 0
    """The HTTP status; 0 where there was no answer."""
    body: bytes = b""
    retry_after_s: float | None = None
    """How long the exchange wants to be left alone, where it says so."""
    error: str = ""
    """Why there was no answer."""
    received_ns: int
    """When all of it was there, monotonic."""


class Fetch(Protocol):
    """One request."""

    def cancel(self) -> None:
        """Give it up, from any thread: its answer is not told, unless it is being told now."""


class Rest(Protocol):
    """Makes requests."""

    def get(self, url: str, timeout_s: float, on_answer: Callable[[Answer], object]) -> Fetch:
        """Begin to fetch and return at once; `on_answer`, which must be quick, is called once.

        It is called on a thread of ours, also for what failed and for what took longer than
        `timeout_s` in all.
        """


class HttpRest:
    """Fetch with TLS verified, through a proxy where the environment names one (`https_proxy`).

    Each request has a thread of its own, which the dispatcher waits for when it stops, and a
    connection of its own. Redirections are not followed. What is cancelled ends at once, unless a
    name is being looked up, which nothing can interrupt. `ca_file`: certificates to trust in place
    of the system's. `max_body_bytes` (8 MiB): a longer answer is an error.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        ca_file: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._dispatcher = dispatcher
        self._ca_file = ca_file
        self._max_body_bytes = max_body_bytes

    def get(self, url: str, timeout_s: float, on_answer: Callable[[Answer], object]) -> Fetch:
        """Begin to fetch and return at once; `on_answer` is called on the request's thread."""
        fetch = _HttpFetch(self, url, timeout_s, on_answer)
        timer = self._dispatcher.call_later(timeout_s, fetch.expire)
        fetch.on_end = timer.cancel
        self._dispatcher.read(f"rest-{urlsplit(url).hostname}", fetch.run).start()
        return fetch

    def now_ns(self) -> int:
        """Return what time it is, monotonic."""
        return self._dispatcher.clock.now_ns()

    def connection(self, url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
        """Return a connection to the server or its proxy, not made yet."""
        host, port = url.hostname or "", url.port
        named = None if proxy_bypass(host) else getproxies().get(url.scheme)
        proxy = urlsplit(named) if named else None
        first = (proxy.hostname or "", proxy.port) if proxy else (host, port)
        made = (
            http.client.HTTPSConnection(*first, timeout=timeout_s, context=self._tls)
            if url.scheme == "https"
            else http.client.HTTPConnection(*first, timeout=timeout_s)
        )
        if proxy:
            made.set_tunnel(host, port, _credentials(proxy))
        return made

    def read(self, response: http.client.HTTPResponse) -> bytes:
        """Return an answer's content; raises ValueError for too much of it."""
        body = response.read(self._max_body_bytes + 1)
        if len(body) > self._max_body_bytes:
            raise ValueError(f"an answer of more than {self._max_body_bytes} bytes")
        if response.length:
            raise ValueError(f"an answer cut off {response.length} bytes before its end")
        return body

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the system's certificates takes long, so the first request's thread does it.
        return ssl.create_default_context(cafile=self._ca_file)


class _HttpFetch:
    """One request, from its thread's beginning to its end."""

    def __init__(
        self, rest: HttpRest, url: str, timeout_s: float, on_answer: Callable[[Answer], object]
    ) -> None:
        self._rest = rest
        self._url = url
        self._timeout_s = timeout_s
        self._on_answer = on_answer
        self._socket: socket.socket | None = None
        self._cut = ""
        """Why it was ended early."""
        self._cancelled = False
        self.on_end: Callable[[], object] = lambda: None

    def cancel(self) -> None:
        """Give it up: its answer is not told."""
        self._cancelled = True
        self._end("cancelled")

    def expire(self) -> None:
        """Give it up for having taken too long."""
        self._end(f"no answer within {self._timeout_s:g} s")

    def run(self) -> bool:
        """Fetch, and tell the answer. Returns False: there is no more."""
        try:
            answer = self._fetched()
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = self._cut or f"{type(error).__name__}: {error}"
            answer = Answer(error=reason, received_ns=self._rest.now_ns())
        self.on_end()
        if not self._cancelled:
            self._on_answer(answer)
        return False

    def _end(self, reason: str) -> None:
        self._cut = self._cut or reason
        if (connected := self._socket) is not None:
            # Not TLS's: that would wait for the other side.
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def _fetched(self) -> Answer:
        url = urlsplit(self._url)
        connection = self._rest.connection(url, self._timeout_s)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._cut:
                raise TimeoutError(self._cut)
            connection.request("GET", f"{url.path}?{url.query}" if url.query else url.path)
            response = connection.getresponse()
            return Answer(
                status=response.status,
                body=self._rest.read(response),
                retry_after_s=_seconds(response.getheader("Retry-After")),
                received_ns=self._rest.now_ns(),
            )
        finally:
            connection.close()


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    both = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(both.encode()).decode()}"}


def _seconds(retry_after: str | None) -> float | None:
    # It may be a date, too, which exchanges do not send.
    return float(retry_after) if retry_after and retry_after.isdecimal() else None
