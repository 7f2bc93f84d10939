"""Real WebSocket connections: websocket-client makes them, our own reader reads them."""

from __future__ import annotations

import ssl
from contextlib import suppress

from loguru import logger
from websocket import ABNF

from ..messages import InvalidOption
from .dial import Dial
from .dispatcher import Dispatcher
from .frames import (
    MAX_FRAME_BYTES,
    Close,
    FrameParser,
    Oversized,
    Ping,
    Pong,
    ProtocolFailure,
)
from .reader import Reader
from .refusal import refusal_of, told
from .socket_stream import SocketStream
from .transport import Receiver

__all__ = ["WebSocketLink", "WebSocketTransport"]

NORMAL, NO_STATUS = 1000, 1005


class WebSocketTransport:
    """Connect with TLS verified, and a reading thread for each connection.

    `ca_file`: certificates to trust in place of the system's. `max_frame_bytes`: a longer message
    is passed over and told as oversized. `connect_timeout_s`: for all from the name to the
    handshake. Raises InvalidOption for a limit that is not positive.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        ca_file: str | None = None,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        connect_timeout_s: float = 10.0,
    ) -> None:
        limits = {"max_frame_bytes": max_frame_bytes, "connect_timeout_s": connect_timeout_s}
        for name, given in limits.items():
            if not given > 0:
                raise InvalidOption(name, given, "more than 0")
        self._dispatcher = dispatcher
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._max_frame_bytes = max_frame_bytes
        self._connect_timeout_s = connect_timeout_s

    def open(self, name: str, url: str, receiver: Receiver) -> WebSocketLink:
        """Begin to connect and return at once; `receiver` is told on the reading thread."""
        dial = Dial(name, url, self._tls, timeout_s=self._connect_timeout_s)
        parser = FrameParser(max_frame_bytes=self._max_frame_bytes)
        return WebSocketLink(name, dial, parser, receiver, self._dispatcher)


class WebSocketLink:
    """One connection. `send`, `ping`, `close` and `backlog` may be called from any thread."""

    def __init__(
        self,
        name: str,
        dial: Dial,
        parser: FrameParser,
        receiver: Receiver,
        dispatcher: Dispatcher,
    ) -> None:
        self._dial = dial
        self._parser = parser
        self._receiver = receiver
        self._now_ns = dispatcher.clock.now_ns
        self._unix_s = dispatcher.clock.unix_s
        self._stream: SocketStream | None = None
        self._received_ns = 0
        """When the bytes the parser has were read."""
        self._closing = ""
        """Why it is being closed by us; empty while it is not."""
        self._reader = dispatcher.read(name, self._read)
        self._reader.start()

    @property
    def here(self) -> Reader:
        """The reading thread's reader."""
        return self._reader

    @property
    def text(self) -> bool:
        """Whether the message that `received` is being told is text. For the receiver only."""
        return self._parser.text

    def send(self, content: str | bytes) -> None:
        """Send a text frame, or a binary one; a lost connection is told by the reading thread."""
        self._send(ABNF.OPCODE_TEXT if isinstance(content, str) else ABNF.OPCODE_BINARY, content)

    def ping(self) -> None:
        """Send a ping; a lost connection is told by the reading thread."""
        self._send(ABNF.OPCODE_PING, b"")

    def close(self, reason: str) -> None:
        """End the connection, made or not; the reading thread, wherever it waits, ends."""
        self._closing = self._closing or reason
        self._dial.give_up(ConnectionAbortedError("closed before it was open"))
        if (stream := self._stream) is not None:
            stream.hang_up(_close_frame(NORMAL))

    def backlog(self) -> int:
        """Return how many bytes have arrived and wait in the system; 0 while not connected."""
        return self._stream.backlog() if self._stream is not None else 0

    def _read(self) -> bool:  # noqa: PLR0911 - a call more would cost each frame 60 ns
        """Take one message and do all with it; return whether there may be more."""
        if (stream := self._stream) is None:
            return self._open()
        try:
            while (message := self._parser.next_message()) is None:
                self._read_chunk(stream)
        except ProtocolFailure as failure:
            last = _close_frame(failure.code, failure.reason)
            return self._end(stream, f"closed by us with {failure}", last)
        except OSError as error:
            return self._end(stream, told(error))
        if self._closing:
            return self._end(stream, self._closing)
        try:
            if isinstance(message, bytes):
                self._receiver.received(message, self._received_ns)
                return True
            return self._tell(stream, message)
        except Exception as error:  # noqa: BLE001 - told as a loss, or nobody would connect again
            logger.exception("{} failed to take a message", self._receiver)
            return self._end(stream, told(error))

    def _open(self) -> bool:
        try:
            stream = SocketStream(self._dial.connect())
        except Exception as error:  # noqa: BLE001 - no connection, whatever the cause
            refusal = None if self._closing else refusal_of(error, self._unix_s())
            self._receiver.closed(self._closing or told(error), refusal)
            return False
        self._stream = stream
        if self._closing:
            return self._end(stream, self._closing)
        self._receiver.opened(self)
        return True

    def _read_chunk(self, stream: SocketStream) -> None:
        chunk = stream.read()
        self._received_ns = self._now_ns()
        if not chunk:
            raise ConnectionError("the exchange hung up without a close frame (1006)")
        self._parser.feed(chunk)

    def _tell(self, stream: SocketStream, message: Ping | Pong | Close | Oversized) -> bool:
        if isinstance(message, Close):
            reason = f"closed by the exchange with {message.code} {message.reason}"
            return self._end(stream, reason.strip(), _close_frame(message.code))
        if isinstance(message, Oversized):
            self._receiver.oversized(message.length, self._received_ns)
        else:
            self._receiver.heard(self._received_ns)
        if isinstance(message, Ping):
            self._send(ABNF.OPCODE_PONG, message.payload)
        return True

    def _end(self, stream: SocketStream, reason: str, last: bytes = b"") -> bool:
        """Tell that it is over, say the last word, and close. Returns False: nothing more comes."""
        self._receiver.closed(self._closing or reason)
        with suppress(OSError):
            stream.write(last)
        stream.finish()
        return False

    def _send(self, opcode: int, content: str | bytes) -> None:
        if (stream := self._stream) is None:
            return
        try:
            stream.write(_frame(opcode, content))
        except TimeoutError as error:
            # A frame may have been cut off, and nothing can follow it.
            self.close(told(error))
        except OSError:
            """The reading thread has noticed too."""


def _frame(opcode: int, content: str | bytes) -> bytes:
    """Return a frame, masked as a client's must be."""
    return ABNF.create_frame(content, opcode).format()


def _close_frame(code: int, reason: str = "") -> bytes:
    # Section 7.4.1: 1005 says that no code was given, and does not travel itself.
    said = b"" if code == NO_STATUS else code.to_bytes(2, "big") + reason.encode()
    return _frame(ABNF.OPCODE_CLOSE, said)
