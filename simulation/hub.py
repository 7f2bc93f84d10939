"""Who is connected to a simulated exchange and what each asked for; runs on its event loop."""

import asyncio
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager, asynccontextmanager, suppress

import attrs
from loguru import logger

from ..messages import MissingExtra, Snapshot
from .venue import BookForm, Payload, VenueSession

try:
    from websockets.asyncio.server import ServerConnection, broadcast, serve
    from websockets.exceptions import ConnectionClosed
except ImportError as error:
    raise MissingExtra("the loopback exchange", "simulation") from error

__all__ = ["Client", "Hub", "until_gone"]

_PONG_TIMEOUT_S = 60.0  # as Binance allows
_CLOSE_TIMEOUT_S = 1.0

# On close: send a reset at once instead of what is left (socket(7), SO_LINGER).
_RESET = struct.pack("ii", 1, 0)


def until_gone() -> AbstractContextManager[None]:
    """Return the context for what is given up without a word when the client is gone."""
    return suppress(ConnectionClosed)


@attrs.define(eq=False)
class Client:
    """One connection to the simulated exchange."""

    connection: ServerConnection
    session: VenueSession
    forms: tuple[tuple[str, BookForm], ...] = ()
    """The books it gets, each in which form."""
    subscribed: bool = False
    """Whether it has ever subscribed to anything."""

    async def has_read(self) -> None:
        """Wait until the client has read all that was sent to it."""
        # A client answers a ping in its turn, behind every frame sent before it.
        await (await self.connection.ping())


class Hub:
    """The connections of one simulated exchange, and who gets which frames.

    `on_subscribed(client)` is called when a client has subscribed to something for the first time.
    """

    def __init__(
        self,
        open_session: Callable[[str], VenueSession],
        on_subscribed: Callable[[Client], None],
    ) -> None:
        self.clients: set[Client] = set()
        self.connected = threading.Event()
        self.frames_sent = 0
        self._open_session = open_session
        self._on_subscribed = on_subscribed
        self._audience: dict[str, dict[BookForm, set[Client]]] = defaultdict(dict)
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, port: int, ping_interval_s: float | None) -> AsyncIterator[int]:
        """Talk to clients until left, where all connections are closed; yields the port."""
        async with serve(
            self._talk,
            "127.0.0.1",
            port,
            compression=None,
            ping_interval=ping_interval_s,
            ping_timeout=_PONG_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
        ) as server:
            yield next(iter(server.sockets)).getsockname()[1]

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None  # noqa: S101 - the handshake is behind us
        client = Client(connection, self._open_session(connection.request.path))
        self.clients.add(client)
        self.connected.set()
        try:
            with until_gone():
                self._note_subscriptions(client)
                async for message in connection:
                    await self._answer(client, message)
        finally:
            self._remove(client)

    def publish(self, book: Snapshot) -> None:
        """Send a book to all who asked for it, written once for all who asked alike."""
        for form, clients in self._audience.get(book.symbol, {}).items():
            if clients:
                self._send(form.frame(book), clients)

    def send_raw(self, payload: Payload) -> None:
        """Send a frame with this content to every client, whatever it asked for."""
        self._send(payload, self.clients)

    def drop_unread(self, max_unread_bytes: int) -> None:
        """Reset the connections of clients that leave more than so much unread."""
        for client in list(self.clients):
            unread = client.connection.transport.get_write_buffer_size()
            if unread > max_unread_bytes:
                logger.warning("dropped a client that leaves {} bytes unread", unread)
                self._drop(client)

    async def all_have_read(self) -> None:
        """Wait until every client has read all that was sent to it, or is gone."""
        for client in list(self.clients):
            with until_gone():
                await client.has_read()

    def close(self, code: int) -> None:
        """Begin the closing of every connection; they count as gone from now on."""
        for client in list(self.clients):
            self._remove(client)
            task = asyncio.get_running_loop().create_task(client.connection.close(code))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def abort(self) -> None:
        """Reset every connection, without a closing handshake."""
        for client in list(self.clients):
            self._drop(client)

    def _send(self, payload: Payload, clients: Iterable[Client]) -> None:
        # A transport logs every write after the peer has gone.
        connections = [
            client.connection for client in clients if not client.connection.transport.is_closing()
        ]
        broadcast(connections, payload)
        self.frames_sent += len(connections)

    async def _answer(self, client: Client, message: Payload) -> None:
        for reply in client.session.receive(message):
            await client.connection.send(reply)
        if client in self.clients:
            self._note_subscriptions(client)

    def _note_subscriptions(self, client: Client) -> None:
        self._forget_subscriptions(client)
        client.forms = tuple(client.session.subscriptions())
        for symbol, form in client.forms:
            self._audience[symbol].setdefault(form, set()).add(client)
        if client.session.is_subscribed and not client.subscribed:
            client.subscribed = True
            self._on_subscribed(client)

    def _forget_subscriptions(self, client: Client) -> None:
        for symbol, form in client.forms:
            self._audience[symbol][form].discard(client)

    def _drop(self, client: Client) -> None:
        self._remove(client)
        transport = client.connection.transport
        if not transport.is_closing():
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def _remove(self, client: Client) -> None:
        self._forget_subscriptions(client)
        client.forms = ()
        self.clients.discard(client)
        if not self.clients:
            self.connected.clear()
