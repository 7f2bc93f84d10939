"""Connecting, and giving it up."""

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

import pytest
import websocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from ticklane.runtime.dial import Dial

TIMEOUT_S = 10.0


def dial(url: str, *, timeout_s: float = TIMEOUT_S) -> Dial:
    return Dial("test", url, ssl.create_default_context(), timeout_s=timeout_s)


def dialling(new: Dial) -> Future[socket.socket]:
    """Return what will come of the attempt."""
    outcome: Future[socket.socket] = Future()

    def connect() -> None:
        try:
            outcome.set_result(new.connect())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcome.set_exception(error)

    threading.Thread(target=connect).start()
    return outcome


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("ticklane-dial")]


def ended() -> bool:
    """Wait until no dialling thread is left."""
    for thread in threads():
        thread.join(TIMEOUT_S)
    return not threads()


@contextmanager
def mute() -> Iterator[tuple[str, socket.socket]]:
    """Yield the address of a server that accepts what the test accepts, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}", listening


@contextmanager
def full() -> Iterator[str]:
    """Yield an address where TCP itself is not answered: too many wait to be accepted."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        for each in waiting:
            each.close()


def test_what_is_returned_is_connected() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send(b"hello")

    with serve(talk, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        with dial(f"ws://127.0.0.1:{server.socket.getsockname()[1]}").connect() as connected:
            first = connected.recv(7, socket.MSG_WAITALL)
        server.shutdown()
        serving.join(TIMEOUT_S)

    assert first == b"\x82\x05hello"
    assert ended()


def test_a_proxy_that_the_environment_names_is_gone_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mute() as (address, proxy):
        monkeypatch.setenv("http_proxy", f"http://{address}")
        outcome = dialling(dial("ws://exchange.example:9443"))
        client, _ = proxy.accept()
        with client:
            asked = client.recv(1000)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            asked_next = client.recv(1000)

        assert asked.startswith(b"CONNECT exchange.example:9443 HTTP/1.1\r\n")
        assert asked_next.startswith(b"GET / HTTP/1.1\r\n")
        assert outcome.exception(TIMEOUT_S)
    assert ended()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: somewhere\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: x\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_handshake_is_an_error(head: bytes) -> None:
    with mute() as (address, listening):
        outcome = dialling(dial(f"ws://{address}"))
        client, _ = listening.accept()
        with client:
            client.recv(1000)
            client.sendall(head)

        assert isinstance(outcome.exception(TIMEOUT_S), Exception)
    assert ended()


@pytest.mark.parametrize("url", ["", "wss", "http://127.0.0.1", "ws://", "ws://127.0.0.1:port"])
def test_an_address_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises((ValueError, OSError, websocket.WebSocketException)):
        dial(url).connect()


## Giving up


def test_an_attempt_given_up_before_it_began_is_not_made() -> None:
    with mute() as (address, _):
        new = dial(f"ws://{address}")
        new.give_up(ConnectionAbortedError("never mind"))

        with pytest.raises(ConnectionAbortedError, match="never mind"):
            new.connect()
        assert not threads()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_an_attempt_is_given_up_in_the_middle_of_the_handshake(scheme: str) -> None:
    with mute() as (address, listening):
        new = dial(f"{scheme}://{address}")
        outcome = dialling(new)
        client, _ = listening.accept()
        with client:
            client.recv(1)
            new.give_up(ConnectionAbortedError("never mind"))

            assert str(outcome.exception(TIMEOUT_S)) == "never mind"
            assert ended()


def test_an_attempt_is_given_up_while_tcp_is_not_answered() -> None:
    with full() as address:
        new = dial(f"ws://{address}")
        outcome = dialling(new)
        while not threads():
            """It is about to begin."""
        new.give_up(ConnectionAbortedError("never mind"))

        assert str(outcome.exception(TIMEOUT_S)) == "never mind"
    assert ended()


def test_a_server_that_accepts_after_the_attempt_was_given_up_is_left_at_once() -> None:
    with mute() as (address, listening):
        new = dial(f"ws://{address}")
        new._websocket.cancel()
        outcome = dialling(new)
        client, _ = listening.accept()
        with client:
            said = client.recv(1000)

        assert said == b""
        assert outcome.exception(TIMEOUT_S)
    assert ended()


def test_giving_up_what_is_connected_changes_nothing() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send(b"hello")

    with serve(talk, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        new = dial(f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        with new.connect() as connected:
            new.give_up(ConnectionAbortedError("too late"))
            first = connected.recv(7, socket.MSG_WAITALL)
        server.shutdown()
        serving.join(TIMEOUT_S)

    assert first == b"\x82\x05hello"


def dripping(client: socket.socket, over: threading.Event) -> None:
    with suppress(OSError):
        while not over.wait(0.01):
            client.sendall(b"x")


def test_a_handshake_that_only_drips_is_given_up_in_time() -> None:
    over = threading.Event()
    with mute() as (address, listening):
        outcome = dialling(dial(f"ws://{address}", timeout_s=0.1))
        client, _ = listening.accept()
        with client:
            server = threading.Thread(target=dripping, args=(client, over))
            server.start()
            error = outcome.exception(TIMEOUT_S)
            over.set()
            server.join(TIMEOUT_S)

    assert str(error) == "not connected within 0.1 s"
    assert ended()


def test_what_connects_after_it_was_given_up_is_closed() -> None:
    ended_there = threading.Event()

    def talk(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            connection.recv(TIMEOUT_S)
        ended_there.set()

    with serve(talk, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        new = dial(f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        # As if it had connected between the two acts of giving up.
        new._connected.set_exception(ConnectionAbortedError("never mind"))
        new._run()

        assert ended_there.wait(TIMEOUT_S)
        server.shutdown()
        serving.join(TIMEOUT_S)
