"""Connecting, by websocket-client, in a way that can be given up at any moment."""

from __future__ import annotations

import socket
import ssl
import threading
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from typing import cast

import websocket

__all__ = ["Dial"]

LAST_ACTS_S = 0.1


class Dial:
    """One attempt to connect to a WebSocket server.

    websocket-client resolves the name, connects, goes through a proxy where the environment names
    one (`https_proxy`), agrees on TLS and makes the handshake. No `Origin` is sent: Upbit allows a
    client that sends it, as websocket-client does by default, one request in 10 s.

    Nothing can interrupt the first of these steps, so they run on a thread of their own, and who
    waits for them can be released. An attempt given up before TCP is connected leaves that thread
    behind until the system gives up on the name, or for `timeout_s` per address of it.
    """

    def __init__(self, name: str, url: str, tls: ssl.SSLContext, *, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connected: Future[socket.socket] = Future()
        # TLS is agreed on when the first byte is sent, when the socket is known and can be shut.
        sslopt = {"context": tls, "do_handshake_on_connect": False}
        self._websocket = _Cancellable(sslopt=sslopt)
        self._thread = threading.Thread(target=self._run, name=f"ticklane-dial-{name}", daemon=True)

    def connect(self) -> socket.socket:
        """Return the socket, connected, with nothing read of what follows the handshake.

        Raises what websocket-client, TLS or the system raised, what it was given up with, and
        TimeoutError where all of it together takes longer than `timeout_s`.
        """
        if not self._connected.done():
            self._thread.start()
        wait([self._connected], self._timeout_s)
        self.give_up(TimeoutError(f"not connected within {self._timeout_s:g} s"))
        # Unless the system holds it up, it has nothing left to do, and is not to be found by who
        # looks for threads left over.
        if self._thread.is_alive():
            self._thread.join(LAST_ACTS_S)
        return self._connected.result()

    def give_up(self, error: Exception) -> None:
        """Let `connect` raise `error` now, if it has not ended. May be called from any thread."""
        with suppress(InvalidStateError):
            self._connected.set_exception(error)
            self._websocket.cancel()

    def _run(self) -> None:
        try:
            self._websocket.connect(  # type: ignore[no-untyped-call]
                self._url, suppress_origin=True, timeout=self._timeout_s
            )
            self._connected.set_result(cast("socket.socket", self._websocket.sock))
        except InvalidStateError:
            self._websocket.shutdown()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - whatever it is, connect() tells it
            self.give_up(error)


class _Cancellable(websocket.WebSocket):
    """Ends as soon as it has a socket, once it is cancelled."""

    _cancelled = False
    _socket: socket.socket | None = None

    @property
    def sock(self) -> socket.socket | None:
        return self._socket

    @sock.setter
    def sock(self, connected: socket.socket | None) -> None:
        self._socket = connected
        if self._cancelled:
            self.cancel()

    def cancel(self) -> None:
        self._cancelled = True
        if (connected := self._socket) is not None:
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
