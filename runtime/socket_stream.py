"""A connected socket, plain or TLS, that one thread reads while others write."""

from __future__ import annotations

import fcntl
import select
import socket
import ssl
import sys
import termios
import threading
import time
from contextlib import suppress

__all__ = ["SocketStream"]

# As large as the memory allocator serves without asking the system for it each time.
CHUNK_BYTES = 64 * 1024
SEND_TIMEOUT_S = 5.0
FINISH_TIMEOUT_S = 1.0
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketStream:
    """Read and write a connected socket.

    One thread at a time calls `read` and, as the last, `finish`; any thread calls the rest. All
    wait outside of the socket: OpenSSL allows one thread at a time on a connection, and who waits
    inside of it would keep the others waiting.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._inside = threading.Lock()
        """Held while the socket is touched, never while waiting."""
        self._writing = threading.Lock()
        """Held from the first to the last byte of what is written."""
        self._readable = select.poll()
        self._readable.register(connected, select.POLLIN)

    def read(self) -> bytes:
        """Wait for bytes and return what is there, up to 64 KiB; nothing at the end.

        Raises OSError when the connection is lost.
        """
        while True:
            # TLS may hold bytes of a record that was read in part; the system knows nothing of it.
            if not self._pending():
                self._readable.poll()
            with self._inside, suppress(*_NOT_NOW):
                return self._socket.recv(CHUNK_BYTES)

    def write(self, data: bytes) -> None:
        """Write all of `data`.

        Raises OSError when the connection is lost, TimeoutError when the other side took nothing
        for 5 s; part of it may have been written then, so that nothing more can be.
        """
        with self._writing:
            rest = memoryview(data)
            while rest := rest[self._write_some(rest) :]:
                self._wait_until_writable()

    def backlog(self) -> int:
        """Return how many bytes have arrived and were not read."""
        with self._inside:
            if self._socket.fileno() < 0:
                return 0
            held = fcntl.ioctl(self._socket, termios.FIONREAD, bytes(4))
            return int.from_bytes(held, sys.byteorder) + self._pending()

    def hang_up(self, last: bytes) -> None:
        """End the connection, with `last` as the last word where it can be written at once.

        The reading thread notices, and so does one that waits to write.
        """
        with suppress(OSError):
            if self._writing.acquire(blocking=False):
                try:
                    self._write_some(memoryview(last))
                finally:
                    self._writing.release()
        self._shut(socket.SHUT_RDWR)

    def finish(self) -> None:
        """Close, after what was written has been taken or 1 s has passed.

        A socket closed with bytes unread resets the connection, and the other side might never see
        what was written last.
        """
        self._shut(socket.SHUT_WR)
        with suppress(OSError):
            self._read_to_the_end(time.monotonic() + FINISH_TIMEOUT_S)
        self._shut(socket.SHUT_RDWR)
        with self._writing, self._inside:
            self._socket.close()
