"""A connection between a feed and a simulated exchange, in virtual time and without sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import attrs
from loguru import logger

from ..messages import Refusal
from ..runtime import Receiver
from .client import Client
from .door import BANNED, TOO_MANY
from .exchange_model import ExchangeModel
from .venue import Payload

if TYPE_CHECKING:
    from .world_exchange import WorldExchange

__all__ = ["Wire"]

CONNECT_TIMEOUT_S = 10.0
"""As long as a real transport waits for a handshake."""


@attrs.frozen
class _Opened:
    """The handshake was answered."""


@attrs.frozen
class _Heard:
    """A ping of the exchange's, which wants an answer, or its answer to one of ours."""

    wants_answer: bool


@attrs.frozen
class _Closed:
    """The last there is."""

    reason: str
    refusal: Refusal | None = None


_Item = Payload | _Opened | _Heard | _Closed


class Wire:
    """The feed's end of a connection: what its transport gives it as a `Link`.

    What either end says arrives `delay_s` later, in its order. Each arrival at the feed is a step
    of the world's, so that it is one of those that a seed, or Hypothesis, puts in order.
    """

    here = None

    def __init__(
        self, name: str, path: str, receiver: Receiver, exchange: WorldExchange, delay_s: float
    ) -> None:
        self._name = name
        self._path = path
        self._receiver = receiver
        self._exchange = exchange
        self._world = exchange.world
        self._now_ns = exchange.world.clock.now_ns
        self._delay_ns = round(delay_s * 1e9)
        self._client: Client | None = None
        self._coming: deque[tuple[int, _Item]] = deque()
        """With the time when each arrives. The world is told of each, and runs the wire for it."""
        self._be_ready = partial(self._world.submit, self)
        self._ended = self._muted = False
        self._unread: list[Callable[[], None]] = []
        """What has arrived at an exchange that does not read."""
        self._patience = self._world.call_later(CONNECT_TIMEOUT_S, self._give_up)
        self._later(lambda: exchange.when_it_reads(self._knock))

    def __str__(self) -> str:
        return f"connection of {self._name}"

    def send(self, text: str) -> None:
        """Send a text frame; on a lost connection nothing happens."""
        self._tell(lambda model, client, now_s: model.receive(client, text, now_s))

    def ping(self) -> None:
        """Send a ping, as `send`."""
        self._tell(self._ping_arrives)

    def close(self, reason: str) -> None:
        """End the connection; what is on its way is lost, and `closed(reason)` is told."""
        if self._ended:
            return
        self._ended = True
        self._coming.clear()
        self._coming.append((self._now_ns(), _Closed(reason)))
        self._be_ready()
        self._later(lambda: self._reach(_leave))

    def backlog(self) -> int:
        """Return how many bytes have arrived and wait to be read."""
        now_ns = self._now_ns()
        arrived = (item for due_ns, item in self._coming if due_ns <= now_ns)
        return sum(len(item) for item in arrived if isinstance(item, bytes | str))

    def run(self, throughput: int) -> None:  # noqa: ARG002 - one at a time, as the world wants it
        """Tell the feed the next of what has arrived. Called by the world."""
        coming = self._coming
        # What was on its way when the connection was closed does not arrive any more.
        if coming and coming[0][0] <= self._now_ns():
            self._deliver(coming.popleft()[1])

    def put(self, item: _Item) -> None:
        """Let the exchange say something, after all that is on its way."""
        if not self._ended:
            self._ended = isinstance(item, _Closed)
            due_ns = self._now_ns() + self._delay_ns
            self._coming.append((due_ns, item))
            self._world.call_at(due_ns, self._be_ready)

    def mute(self, muted: bool) -> None:
        """Let the exchange leave unread what arrives there, or read it now."""
        self._muted = muted
        if not muted:
            unread, self._unread = self._unread, []
            for take in unread:
                take()

    def _deliver(self, item: _Item) -> None:
        receiver, now_ns = self._receiver, self._now_ns()
        try:
            if isinstance(item, bytes | str):
                receiver.received(item if isinstance(item, bytes) else item.encode(), now_ns)
            elif isinstance(item, _Heard):
                receiver.heard(now_ns)
                if item.wants_answer:
                    self._tell(ExchangeModel.answer_ping)
            elif isinstance(item, _Opened):
                receiver.opened(self)
            else:
                receiver.closed(item.reason, item.refusal)
        except Exception as error:  # noqa: BLE001 - told as a loss, as on a real connection
            logger.exception("{} failed to take a message", receiver)
            self.close(f"{type(error).__name__}: {error}")

    # -- what arrives at the exchange

    def _tell(self, take: Callable[[ExchangeModel, Client, float], None]) -> None:
        if not self._ended:
            self._later(lambda: self._reach(take))

    def _later(self, action: Callable[[], None]) -> None:
        self._world.call_at(self._now_ns() + self._delay_ns, action)

    def _reach(self, take: Callable[[ExchangeModel, Client, float], None]) -> None:
        if self._muted:
            self._unread.append(lambda: self._reach(take))
        elif self._client is not None:
            take(self._exchange.model, self._client, self._exchange.now_s)

    def _give_up(self) -> None:
        self.close(f"TimeoutError: not connected within {CONNECT_TIMEOUT_S:g} s")

    def _knock(self) -> None:
        self._patience.cancel()
        if self._ended:
            return
        model, now_s = self._exchange.model, self._exchange.now_s
        status = model.knock(now_s)
        if status is not None:
            reason = f"handshake refused with HTTP status {status}"
            self.put(_Closed(reason, _refusal(status)))
            return
        self.put(_Opened())
        self._client = model.join(self._path, _ExchangesEnd(self), now_s)
        self._exchange.keep_checking()

    def _ping_arrives(self, model: ExchangeModel, client: Client, now_s: float) -> None:
        model.hear(client, now_s)
        self.put(_Heard(wants_answer=False))


@attrs.frozen(eq=False)
class _ExchangesEnd:
    """The exchange's end of a wire, a `Peer`."""

    _wire: Wire

    def send(self, payload: Payload) -> None:
        self._wire.put(payload)

    def ping(self) -> None:
        self._wire.put(_Heard(wants_answer=True))

    def close(self, code: int, reason: str) -> None:
        self._wire.put(_Closed(f"closed by the exchange with {code} {reason}".strip()))

    def abort(self) -> None:
        self._wire.put(_Closed("ConnectionResetError: [Errno 104] Connection reset by peer"))

    def mute(self, muted: bool) -> None:
        self._wire.mute(muted)


def _leave(model: ExchangeModel, client: Client, _: float) -> None:
    model.leave(client)


def _refusal(status: int) -> Refusal | None:
    kinds = {TOO_MANY: "rate limit", BANNED: "ban"}
    return Refusal(kinds[status]) if status in kinds else None
