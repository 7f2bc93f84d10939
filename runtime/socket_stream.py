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

# As large as the memory allocator serves without asking the system for it each time, and larger
# than a TLS record, so that nothing of one is left inside OpenSSL after a read.
CHUNK_BYTES = 64 * 1024
# What follows a full chunk: the system is asked for memory then, once for hundreds of frames, and a
# quarter of the reads is left. Half a microsecond less for each frame of 1.1 kB.
LARGE_CHUNK_BYTES = 4 * CHUNK_BYTES
SEND_TIMEOUT_S = 5.0
FINISH_TIMEOUT_S = 1.0
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class SocketStream:
    """Read and write a connected socket.

    One thread at a time calls `read` and, as the last, `finish`; any thread calls the rest. All
    wait outside of the socket: OpenSSL allows one thread at a time in a connection, and who waits
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
        # The handshake may have left the rest of a TLS record, of which the system knows nothing.
        self._drained = False
        self._size = CHUNK_BYTES
        self._reset: ConnectionResetError | None = None
        """What the system tells once, to whoever asks first: a writer may, and the reader has to
        know."""

    def read(self) -> bytes:
        """Wait for bytes and return what is there, up to 64 KiB, or 256 KiB after a full chunk.

        Nothing is the end.

        Raises OSError when the connection is lost.
        """
        while True:
            if self._drained:
                self._readable.poll()
            self._drained = True
            with self._inside, suppress(*_NOT_NOW):
                chunk = self._socket.recv(self._size)
                self._size = LARGE_CHUNK_BYTES if len(chunk) >= CHUNK_BYTES else CHUNK_BYTES
                if not chunk and self._reset is not None:
                    raise self._reset
                return chunk

    def write(self, data: bytes) -> None:
        """Write all of `data`.

        Raises OSError when the connection is lost, TimeoutError when the other side took nothing
        for 5 s; part of it may have been written then, so that nothing more can be.
        """
        with self._writing:
            rest = memoryview(data)
            while rest:
                if not (written := self._write_some(rest)):
                    self._wait_until_writable()
                rest = rest[written:]

    def backlog(self) -> int:
        """Return how many bytes have arrived that were not read; 0 once it is closed."""
        with self._inside:
            if self._socket.fileno() < 0:
                return 0
            held = fcntl.ioctl(self._socket, termios.FIONREAD, bytes(4))
            return int.from_bytes(held, sys.byteorder)

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
        """Close, once the other side has ended too or 1 s has passed.

        A socket closed with bytes unread resets the connection, and the other side might never see
        what was written last.
        """
        self._shut(socket.SHUT_WR)
        with suppress(OSError):
            self._read_to_the_end(time.monotonic() + FINISH_TIMEOUT_S)
        self._shut(socket.SHUT_RDWR)
        with self._writing, self._inside:
            self._socket.close()

    def _write_some(self, data: memoryview) -> int:
        try:
            with self._inside, suppress(*_NOT_NOW):
                return self._socket.send(data)
        except ConnectionResetError as reset:
            self._reset = reset
            raise
        return 0

    def _wait_until_writable(self) -> None:
        writable = select.poll()
        writable.register(self._socket, select.POLLOUT)
        if not writable.poll(SEND_TIMEOUT_S * 1000):
            raise TimeoutError(f"the other side took nothing for {SEND_TIMEOUT_S:g} s")

    def _read_to_the_end(self, deadline_s: float) -> None:
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._readable.poll(left_s * 1000)
            with self._inside, suppress(*_NOT_NOW):
                if not self._socket.recv(CHUNK_BYTES):
                    return

    def _shut(self, how: int) -> None:
        # An SSLSocket's own shutdown() takes TLS off first, and a read would bring ciphertext.
        with suppress(OSError):
            socket.socket.shutdown(self._socket, how)
