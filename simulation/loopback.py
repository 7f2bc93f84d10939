"""A simulated exchange on this machine: real WebSockets, no outside world."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..messages import InvalidOption, Snapshot, WaitTimeout, WrongState
from .capture import frames_to_replay
from .exchange_model import ExchangeModel
from .fault_target import FaultTarget
from .venue_rules import VenueRules
from .venues import model_of

if TYPE_CHECKING:
    from .programmes import Programme

__all__ = ["LoopbackExchange"]

_TIMEOUT_S = 10.0


class LoopbackExchange(FaultTarget):
    """Serves one exchange's books on 127.0.0.1, in that exchange's own protocol.

    `books` gives `(seconds, snapshot)` in order of time, like `SyntheticMarket.books()`; those of
    other exchanges are passed over. Time begins when the first client has subscribed, or at the
    start where it does not wait for one (`waits`), and goes `speed` times as fast as real time; 0
    or infinity means as fast as the clients read. A client
    that leaves more than `max_unread_bytes` unread is dropped; the default leaves room for a frame
    of 32 MiB. `rules`: what it demands of its clients (pings, limits, lifetime), by default what
    the exchange does. Its REST side, where it has one, answers at the same port by HTTP.

    Runs in a thread of its own, `loopback-<exchange>`, between `start()` and `stop()` or as a
    context manager; every method may be called from any thread. An error raised by `books` ends
    the exchange and is raised by `stop()`, in an ExceptionGroup.

    Raises InvalidOption; MissingExtra without the extra `simulation`.
    """

    finished: threading.Event
    """Set when `books`, or a capture's frames, are over and read by all clients."""
    connected: threading.Event
    """Set while a client is connected."""

    def __init__(
        self,
        exchange: str,
        books: Iterable[tuple[float, Snapshot]],
        *,
        port: int = 0,
        speed: float = 1.0,
        rules: VenueRules | None = None,
        max_unread_bytes: int = 64 * 2**20,
        waits: bool = True,
    ) -> None:
        # Not every host has websockets: it is needed from here on only.
        from .programmes import BookProgramme  # noqa: PLC0415

        self.exchange = exchange
        self._port = port
        self._rules = rules
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        programme = BookProgramme(exchange, books, _checked(speed), max_unread_bytes, waits=waits)
        self._play(programme)

    @classmethod
    def replaying(
        cls,
        path: str | Path,
        *,
        connection: str | None = None,
        port: int = 0,
        speed: float = 1.0,
        rules: VenueRules | None = None,
    ) -> Self:
        """Return the exchange a capture was recorded from, serving the frames as captured.

        `connection`: which of the capture's; by default all that were to the exchange of the first.
        The first client gets every frame, whatever it subscribed to, from its subscription on; who
        subscribes meanwhile gets the rest. Where a frame finds nobody, it begins anew with the next
        client. After the last frame connections stay open; `finished` is set once all clients have
        answered a ping sent behind it, so that they have taken all frames off their sockets.
        What its REST side has answered is for `ReplayTransport` to give.

        Raises InvalidOption, naming file and line, for a file that is no capture, and for a
        connection that it is not of.
        """
        from .programmes import ReplayProgramme  # noqa: PLC0415 - as above

        exchange, frames = frames_to_replay(path, connection)
        replay = cls(exchange, (), port=port, speed=speed, rules=rules)
        replay._play(ReplayProgramme(frames, speed))
        return replay

    def _play(self, programme: "Programme") -> None:
        from .hub import Hub  # noqa: PLC0415 - as above

        self._programme = programme
        model = model_of(self.exchange, self._rules)
        model.on_subscribed = programme.joined
        self._hub = Hub(model)
        self.finished = programme.finished
        self.connected = self._hub.connected

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns once clients can connect.

        Raises WrongState the second time, OSError where the port is taken.
        """
        if self._thread is not None:
            raise WrongState("a loopback exchange starts once: make another one")
        self._thread = threading.Thread(
            target=self._run, name=f"loopback-{self.exchange}", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if self._loop is None:
            self.stop()

    def stop(self) -> None:
        """Close all connections with code 1001 and end the thread. Stopping twice is fine.

        Raises what `books` raised, in an ExceptionGroup; WaitTimeout where they do not give
        way within 10 s.
        """
        if self._thread is None:
            return
        # The loop is closed already where the thread has ended by itself.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_TIMEOUT_S)
        if self._thread.is_alive():
            raise WaitTimeout("end of the loopback exchange", _TIMEOUT_S)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    @property
    def url(self) -> str:
        """The address to connect to; raises WrongState before `start()`."""
        if self._loop is None:
            raise WrongState("the address is known after start()")
        return f"ws://127.0.0.1:{self._port}"

    @property
    def rest_url(self) -> str:
        """The address of its REST side, `Feed(rest=...)`; raises WrongState before `start()`."""
        return self.url.replace("ws://", "http://", 1)

    @property
    def connections(self) -> int:
        """Return how many clients are connected now."""
        return len(self._hub.model.clients)

    @property
    def alive(self) -> int:
        """How many of them are connected indeed, and not half-open."""
        return self._hub.model.alive

    @property
    def frames_sent(self) -> int:
        """Return how many frames with books or raw content were sent so far, to all clients."""
        return self._hub.model.frames_sent

    def burst(self, books: int) -> None:
        """Bring forward the market's next `books`: they come at once, with the next one due.

        Raises WrongState on a replay.
        """
        self._call(lambda: self._programme.hurry(books))

    def _do(self, action: Callable[[ExchangeModel, float], None]) -> None:
        self._call(lambda: self._hub.do(action))

    def _call(self, action: Callable[[], None]) -> None:
        if self._loop is None or self._loop.is_closed():
            raise WrongState("the loopback exchange does not run")
        done = asyncio.run_coroutine_threadsafe(_as_coroutine(action), self._loop)
        done.result(_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - stop() raises it
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with self._hub.listening(self._port) as port:
            self._port = port
            self._loop = asyncio.get_running_loop()
            self._ready.set()
            async with asyncio.TaskGroup() as tasks:
                programme = tasks.create_task(self._programme.run(self._hub))
                await self._stopping.wait()
                programme.cancel()


async def _as_coroutine(action: Callable[[], None]) -> None:
    action()


def _checked(speed: float) -> float:
    if not speed >= 0:
        raise InvalidOption("speed", speed, "at least 0")
    return speed
