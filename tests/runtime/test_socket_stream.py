"""A connected socket that one thread reads while others write."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import attrs
import pytest

from ticklane.runtime import socket_stream
from ticklane.runtime.socket_stream import CHUNK_BYTES, LARGE_CHUNK_BYTES, SocketStream

TIMEOUT_S = 10.0


@attrs.frozen
class Pair:
    """A stream, and the socket at its other end."""

    stream: SocketStream
    peer: socket.socket


@pytest.fixture
def pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        peer, _ = listening.accept()
    peer.settimeout(TIMEOUT_S)
    with ours, peer:
        yield Pair(SocketStream(ours), peer)


class Doing(threading.Thread):
    """Something done meanwhile, and what came of it."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._act()
        except OSError as error:
            self.outcome = error

    def result(self) -> object:
        self.join(TIMEOUT_S)
        assert not self.is_alive()
        return self.outcome


def fill(stream: SocketStream) -> None:
    """Write until the other side, which does not read, takes no more."""
    while stream._write_some(memoryview(bytes(CHUNK_BYTES))):
        """Go on."""


def all_of(peer: socket.socket) -> bytes:
    read = b""
    while chunk := peer.recv(CHUNK_BYTES):
        read += chunk
    return read


def test_a_read_returns_what_is_there(pair: Pair) -> None:
    pair.peer.sendall(b"a book")

    assert pair.stream.read() == b"a book"


def test_a_read_waits_for_bytes(pair: Pair) -> None:
    reading = Doing(pair.stream.read)
    pair.peer.sendall(b"a book")

    assert reading.result() == b"a book"


def test_a_read_takes_64_kib_at_most_and_four_times_that_after_a_full_one(pair: Pair) -> None:
    sending = Doing(lambda: pair.peer.sendall(bytes(2_000_000)))
    sizes = [len(pair.stream.read())]
    while sum(sizes) < 2_000_000:
        sizes.append(len(pair.stream.read()))

    assert sizes[0] <= CHUNK_BYTES
    assert all(
        size <= (LARGE_CHUNK_BYTES if before >= CHUNK_BYTES else CHUNK_BYTES)
        for before, size in pairwise(sizes)
    )
    assert sending.result() is None


def test_a_read_returns_nothing_at_the_end(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)

    assert pair.stream.read() == b""


def test_a_write_goes_on_until_all_is_taken(pair: Pair) -> None:
    whole = bytes(range(256)) * 40_000
    writing = Doing(lambda: pair.stream.write(whole))
    read = b""
    while len(read) < len(whole):
        read += pair.peer.recv(CHUNK_BYTES)

    assert writing.result() is None
    assert read == whole


def test_what_two_threads_write_is_not_mixed(pair: Pair) -> None:
    wholes = {b"a" * 3_000_000, b"b" * 3_000_000}
    writing = [Doing(partial(pair.stream.write, whole)) for whole in wholes]
    reading = Doing(lambda: all_of(pair.peer))
    assert [each.result() for each in writing] == [None, None]
    pair.stream.hang_up(b"")
    read = reading.result()

    assert isinstance(read, bytes)
    assert {read[:3_000_000], read[3_000_000:]} == wholes


def test_a_write_that_nobody_takes_ends_in_a_timeout(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_stream, "SEND_TIMEOUT_S", 0.02)

    with pytest.raises(TimeoutError, match=r"took nothing for 0\.02 s"):
        pair.stream.write(bytes(50_000_000))


def test_a_write_to_nobody_is_an_error(pair: Pair) -> None:
    pair.stream.hang_up(b"")

    with pytest.raises(OSError, match="Broken pipe"):
        pair.stream.write(b"hello?")


## Backlog


def test_the_backlog_is_what_arrived_and_was_not_read(pair: Pair) -> None:
    pair.peer.sendall(bytes(1000))
    before = pair.stream.backlog()
    pair.stream.read()

    assert (before, pair.stream.backlog()) == (1000, 0)


def test_a_closed_stream_has_no_backlog(pair: Pair) -> None:
    pair.peer.sendall(bytes(1000))
    pair.peer.shutdown(socket.SHUT_WR)
    pair.stream.finish()

    assert pair.stream.backlog() == 0


## The end


def test_hanging_up_says_the_last_word(pair: Pair) -> None:
    pair.stream.hang_up(b"bye")

    assert all_of(pair.peer) == b"bye"


def test_hanging_up_wakes_who_reads(pair: Pair) -> None:
    reading = Doing(pair.stream.read)
    pair.stream.hang_up(b"bye")

    assert reading.result() == b""


def test_hanging_up_neither_waits_for_who_writes_nor_lets_them_wait(pair: Pair) -> None:
    fill(pair.stream)
    writing = Doing(lambda: pair.stream.write(b"one more"))
    while not pair.stream._writing.locked():
        """It is about to begin."""
    pair.stream.hang_up(b"bye")

    assert isinstance(writing.result(), BrokenPipeError)


def test_what_was_written_last_arrives_whatever_is_left_unread(pair: Pair) -> None:
    pair.peer.sendall(bytes(100_000))
    pair.stream.write(b"bye")
    finishing = Doing(pair.stream.finish)
    said = all_of(pair.peer)
    pair.peer.sendall(b"I see")
    pair.peer.shutdown(socket.SHUT_WR)

    assert said == b"bye"
    assert finishing.result() is None


def test_finishing_does_not_wait_for_ever(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_stream, "FINISH_TIMEOUT_S", 0.02)
    pair.stream.finish()

    assert all_of(pair.peer) == b""


def test_hanging_up_ends_a_wait_for_the_other_sides_end(pair: Pair) -> None:
    finishing = Doing(pair.stream.finish)
    assert all_of(pair.peer) == b""
    pair.stream.hang_up(b"")

    assert finishing.result() is None


def test_a_reset_while_finishing_is_no_error(pair: Pair) -> None:
    finishing = Doing(pair.stream.finish)
    assert all_of(pair.peer) == b""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    pair.peer.close()

    assert finishing.result() is None


def test_a_reset_that_a_writer_met_first_is_told_to_the_reader_too(pair: Pair) -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    pair.peer.close()
    arrived = select.poll()
    arrived.register(pair.stream._socket, select.POLLIN)
    assert arrived.poll(5000)

    with pytest.raises(ConnectionResetError):
        pair.stream.write(b"hello?")
    with pytest.raises(ConnectionResetError):
        pair.stream.read()


def test_a_finished_stream_takes_nothing_and_hangs_up_quietly(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)
    pair.stream.finish()
    pair.stream.hang_up(b"bye")

    with pytest.raises(OSError, match="Bad file descriptor"):
        pair.stream.write(b"hello?")
