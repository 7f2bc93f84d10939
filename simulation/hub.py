"""A simulated exchange's clients on real sockets; runs on its event loop."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import Any

import attrs
from loguru import logger

from ..messages import MissingExtra, Snapshot
from .client import Client
from .exchange_model import ExchangeModel
from .venue import Payload

try:
    from websockets.asyncio.server import ServerConnection, broadcast, serve
    from websockets.exceptions import ConnectionClosed
    from websockets.frames import Frame, Opcode
    from websockets.http11 import Request, Response
    from websockets.protocol import Event
except ImportError as error:
    raise MissingExtra("the loopback exchange", "simulation") from error

__all__ = ["Hub", "SocketPeer", "until_gone"]

CHECK_S = 1.0
LOOK_S = 0.1
_CLOSE_TIMEOUT_S = 1.0

# On close: send a reset at once instead of what is left (socket(7), SO_LINGER).
_RESET = struct.pack("ii", 1, 0)


def until_gone() -> AbstractContextManager[None]:
    """Return the context for what is given up without a word when the client is gone."""
    return suppress(ConnectionClosed)


class _Connection(ServerConnection):
    """A connection that tells of pings and pongs."""

    heard: Callable[[Opcode], None] | None = None

    def process_event(self, event: Event) -> None:
        if self.heard is not None and isinstance(event, Frame):
            self.heard(event.opcode)
        super().process_event(event)


@attrs.define(eq=False)
class SocketPeer:
    """The wire to one client: a `Peer` on a real socket."""

    connection: ServerConnection
    _spawn: Callable[[Coroutine[Any, Any, None]], None]

    def send(self, payload: Payload) -> None:
        """Send a frame, without waiting for the client to read."""
        # A transport logs every write after the peer has gone.
        if not self.connection.transport.is_closing():
            broadcast([self.connection], payload)

    def ping(self) -> None:
        """Send a ping."""
        self._spawn(self._ping())

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self._spawn(self.connection.close(code, reason))

    def abort(self) -> None:
        """Reset the connection."""
        transport = self.connection.transport
        if not transport.is_closing():
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def mute(self, muted: bool) -> None:
        """Leave in the system's buffers what the client sends, or read on."""
        if muted:
            self.connection.transport.pause_reading()
        else:
            self.connection.transport.resume_reading()

    def unread(self) -> int:
        """Return how many bytes the client leaves unread, beside what the system holds."""
        return self.connection.transport.get_write_buffer_size()

    async def has_read(self) -> None:
        """Wait until the client has read all that was sent to it."""
        # A client answers a ping in its turn, behind every frame sent before it.
        await (await self.connection.ping())

    async def _ping(self) -> None:
        with until_gone():
            await self.connection.ping()


class Hub:
    """The sockets of one simulated exchange: brings its model what clients do, and the time."""

    def __init__(self, model: ExchangeModel) -> None:
        self.model = model
        self.connected = threading.Event()
        self._peers: dict[Client, SocketPeer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead_s = time.time() - time.monotonic()

    @property
    def now_s(self) -> float:
        """Unix seconds, on a clock that never goes back."""
        return self._ahead_s + time.monotonic()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Talk to clients until left, where all connections are closed; yields the port."""
        async with serve(
            self._talk,
            "127.0.0.1",
            port,
            compression=None,
            create_connection=_Connection,
            process_request=self._let_in,
            ping_interval=None,
            close_timeout=_CLOSE_TIMEOUT_S,
        ) as server:
            checking = asyncio.get_running_loop().create_task(self._keep_checking())
            try:
                yield next(iter(server.sockets)).getsockname()[1]
            finally:
                checking.cancel()
                self._wake_up()

    def publish(self, book: Snapshot) -> None:
        """Send a book to all who asked for it."""
        self.model.publish(book, self.now_s)

    def drop_unread(self, max_unread_bytes: int) -> None:
        """Reset the connections of clients that leave more than so much unread."""
        for client, peer in [*self._peers.items()]:
            if (unread := peer.unread()) > max_unread_bytes:
                logger.warning("dropped a client that leaves {} bytes unread", unread)
                self.model.leave(client)
                peer.abort()

    async def all_have_read(self) -> None:
        """Wait until every client has read all that was sent to it, or is gone."""
        for client, peer in [*self._peers.items()]:
            if not client.dead:
                with until_gone():
                    await peer.has_read()

    async def stall_is_over(self) -> None:
        """Wait as long as nothing is said."""
        # A stall may be prolonged meanwhile, or ended by who stops the exchange.
        while (until_s := self.model.stalled_until_s) is not None:  # noqa: ASYNC110
            await asyncio.sleep(min(until_s - self.now_s, LOOK_S))

    def peers(self, clients: Iterable[Client]) -> list[SocketPeer]:
        """Return the wires to those of the clients that are connected indeed."""
        return [self._peers[each] for each in clients if each in self._peers and not each.dead]

    def do(self, action: Callable[[ExchangeModel, float], None]) -> None:
        """Do something to the model, and what becomes due of it in its time."""
        action(self.model, self.now_s)
        self._note_who_is_left()
        if (due_s := self.model.due_s) is not None:
            # Not before it, by a rounding.
            asyncio.get_running_loop().call_later(due_s - self.now_s + 0.001, self._check)

    def _wake_up(self) -> None:
        """Read on where nothing is read, or nobody could say good-bye."""
        self.model.stalled_until_s = None
        for client in self.model.clients:
            if client.dead:
                client.peer.abort()
            else:
                client.peer.mute(False)

    async def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        await self.stall_is_over()
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._answer(connection, request.path)
        status = self.model.knock(self.now_s)
        return None if status is None else connection.respond(status, "refused\n")

    def _answer(self, connection: ServerConnection, target: str) -> Response:
        reply = self.model.get(target, self.now_s)
        response = connection.respond(reply.status, reply.body.decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        response.headers.update(reply.headers)
        return response

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None  # noqa: S101 - the handshake is behind us
        peer = SocketPeer(connection, self._spawn)
        client = self.model.join(connection.request.path, peer, self.now_s)
        self._peers[client] = peer
        connection.heard = lambda opcode: self._hear(client, opcode)  # type: ignore[attr-defined]
        self.connected.set()
        try:
            with until_gone():
                async for message in connection:
                    self.model.receive(client, message, self.now_s)
        finally:
            self.model.leave(client)
            del self._peers[client]
            self._note_who_is_left()

    def _hear(self, client: Client, opcode: Opcode) -> None:
        if opcode is Opcode.PING:
            self.model.hear(client, self.now_s)
        elif opcode is Opcode.PONG:
            self.model.answer_ping(client, self.now_s)

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            self._check()

    def _check(self) -> None:
        self.model.check(self.now_s)
        self._note_who_is_left()

    def _note_who_is_left(self) -> None:
        if not self.model.clients:
            self.connected.clear()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
