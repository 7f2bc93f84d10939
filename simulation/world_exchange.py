"""A simulated exchange inside a world: no sockets, virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from ..messages import Snapshot
from .capture import frames_to_replay
from .exchange_model import ExchangeModel
from .fault_target import FaultTarget
from .timetable import Timetable
from .venue import Payload
from .venue_rules import VenueRules
from .venues import model_of
from .world import World

__all__ = ["WorldExchange"]

CHECK_S = 1.0


class WorldExchange(FaultTarget):
    """One exchange in a world, reached by a `WorldTransport`.

    `timed` gives `(seconds from now, book)` in order of time, like `SyntheticMarket.books()`; those
    of other exchanges are passed over. In place of a book it may give a payload, which goes to all
    clients as it is. `rules`: what it demands of its clients, by default as the real one.

    Raises InvalidOption for an exchange there is not.
    """

    def __init__(
        self,
        world: World,
        name: str,
        timed: Iterable[tuple[float, Snapshot | Payload]] = (),
        *,
        rules: VenueRules | None = None,
    ) -> None:
        self.world = world
        self.name = name
        self.model = model_of(name, rules)
        self._unix_s = world.clock.unix_s()
        self._start_ns = world.clock.now_ns()
        self._timetable = Timetable(timed)
        self._next: Snapshot | Payload = b""
        self._checking = False
        self._await_next()

    @classmethod
    def replaying(cls, world: World, path: str | Path, *, connection: str | None = None) -> Self:
        """Return the exchange a capture was recorded from, saying what is in it from now on.

        Every client gets every frame, whatever it subscribed to. `connection`: which of the
        capture's; by default all that were to the exchange of the first. What its REST side has
        answered is for `ReplayTransport` to give. Raises InvalidOption for a file that is no
        capture, or not of this connection.
        """
        name, frames = frames_to_replay(path, connection)
        start_s = frames[0].at_unix_s if frames else 0.0
        return cls(world, name, [(frame.at_unix_s - start_s, frame.payload) for frame in frames])

    @property
    def now_s(self) -> float:
        """The exchange's own time, unix seconds, right even where the world's wall clock is not."""
        return self._unix_s + (self.world.clock.now_ns() - self._start_ns) / 1e9

    @property
    def connections(self) -> int:
        """How many clients are connected now, as far as the exchange knows."""
        return len(self.model.clients)

    @property
    def alive(self) -> int:
        """How many of them are connected indeed, and not half-open."""
        return self.model.alive

    def burst(self, books: int) -> None:
        """Bring forward the market's next `books`: they come at once, with the next one due."""
        self._timetable.hurry(books)

    def keep_checking(self) -> None:
        """Keep the rules, once a second, as long as there is anybody to keep them."""
        if not self._checking:
            self._checking = True
            self.world.call_at(
                self.world.clock.now_ns() + round(CHECK_S * 1e9), self._check_and_go_on
            )

    def when_it_reads(self, action: Callable[[], None]) -> None:
        """Call `action` now, or when a stall is over: what arrives meanwhile is taken up then."""
        if (until_s := self.model.stalled_until_s) is not None and until_s <= self.now_s:
            # Nobody has looked yet, and nobody would before time goes on.
            self._check()
            until_s = self.model.stalled_until_s
        if until_s is None:
            action()
        else:
            self.world.call_at(self._ns(until_s), lambda: self.when_it_reads(action))

    def _do(self, action: Callable[[ExchangeModel, float], None]) -> None:
        action(self.model, self.now_s)
        if (due_s := self.model.due_s) is not None:
            self.world.call_at(self._ns(due_s), self._check)

    def _check(self) -> None:
        self.model.check(self.now_s)

    def _check_and_go_on(self) -> None:
        self._checking = False
        self._check()
        if self.model.clients:
            self.keep_checking()

    def _await_next(self) -> None:
        if (following := next(self._timetable, None)) is not None:
            at_s, self._next = following
            self.world.call_at(self._start_ns + round(at_s * 1e9), self._play)

    def _play(self) -> None:
        what = self._next
        if not isinstance(what, Snapshot):
            self.model.say(what, self.now_s)
        elif what.exchange == self.name:
            self.model.publish(what, self.now_s)
        self._await_next()

    def _ns(self, at_s: float) -> int:
        """Return the world's time at the exchange's; not before it, by a rounding of the float."""
        return self._start_ns + int((at_s - self._unix_s) * 1e9) + 1000
