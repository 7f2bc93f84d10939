"""Real WebSocket connections, by websocket-client."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import websocket
from websocket import ABNF

from .dispatcher import Dispatcher
from .inbox import Inbox
from .transport import Receiver

__all__ = ["WebSocketTransport"]

CONNECT_TIMEOUT_S = 10.0
_LOST = (websocket.WebSocketException, OSError, ValueError)
"""What websocket-client raises for a connection that cannot be made or is gone."""


class WebSocketTransport:
    """Connect with TLS verified, no `Origin` header, and a reading thread for each connection.

    `ca_file`: certificates to trust in place of the system's. Upbit allows a client that sends
    `Origin`, as websocket-client does by default, one request in 10 s.
    """

    def __init__(self, dispatcher: Dispatcher, *, ca_file: str | None = None) -> None:
        self._dispatcher = dispatcher
        self._tls = ssl.create_default_context(cafile=ca_file)

    def open(self, name: str, url: str, receiver: Receiver) -> WebSocketLink:
        """Begin to connect and return at once; `receiver` is told on the reading thread."""
        return WebSocketLink(name, url, receiver, self._dispatcher, self._tls)


class WebSocketLink:
    """One connection. `send`, `ping` and `close` may be called from any thread."""

    def __init__(
        self,
        name: str,
        url: str,
        receiver: Receiver,
        dispatcher: Dispatcher,
        tls: ssl.SSLContext,
    ) -> None:
        self._url = url
        self._receiver = receiver
        self._now_ns = dispatcher.clock.now_ns
        self._closing = ""
        """Why it is being closed by us; empty while it is not."""
        # What is not UTF-8 fails as JSON later; checking it here, in Python, would cost far more.
        self._socket = websocket.WebSocket(
            sslopt={"context": tls}, enable_multithread=True, skip_utf8_validation=True
        )
        self._connected = False
        self._reader = dispatcher.read(name, self._read)
        self._reader.start()

    @property
    def here(self) -> Callable[[Inbox], object]:
        """Runs an inbox on the reading thread, which another takes over if it gets stuck."""
        return self._reader.here

    def send(self, text: str) -> None:
        """Send a text frame; a lost connection is told by the reading thread."""
        with suppress(*_LOST):
            self._socket.send(text)

    def ping(self) -> None:
        """Send a ping; a lost connection is told by the reading thread."""
        with suppress(*_LOST):
            self._socket.ping()

    def close(self, reason: str) -> None:
        """End the connection; the reading thread, blocked or not, notices and ends."""
        self._closing = self._closing or reason
        with suppress(*_LOST):
            self._socket.send_close()
        if (connected := self._socket.sock) is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def _read(self) -> bool:
        try:
            if not self._connected:
                self._connect()
                return True
            return self._read_frame()
        except _LOST as error:
            self._end(_reason(error))
            return False

    def _connect(self) -> None:
        if not self._closing:
            self._socket.connect(  # type: ignore[no-untyped-call]
                self._url, suppress_origin=True, timeout=CONNECT_TIMEOUT_S
            )
        if self._closing:
            raise websocket.WebSocketException("closed before it was open")
        self._socket.settimeout(None)
        self._connected = True
        self._receiver.opened(self)

    def _read_frame(self) -> bool:
        opcode, frame = self._socket.recv_data_frame(control_frame=True)
        received_ns = self._now_ns()
        if opcode == ABNF.OPCODE_CLOSE:
            self._end(_close_reason(frame.data))
            return False
        if opcode in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY):
            self._receiver.received(frame.data, received_ns)
        return True

    def _end(self, reason: str) -> None:
        self._socket.shutdown()  # type: ignore[no-untyped-call]
        self._receiver.closed(self._closing or reason)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _close_reason(payload: bytes) -> str:
    code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005
    return f"closed by the exchange with {code} {payload[2:].decode(errors='replace')}".strip()
