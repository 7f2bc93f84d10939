"""Where faults happen: market data that runs, its exchanges, a clock, a disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, Self

from ..exchanges import Feed
from ..messages import InvalidOption
from ..runtime import Mailbox
from ..supervisors import MarketData
from .fault_target import FaultTarget
from .world import World
from .world_exchange import WorldExchange
from .world_transport import WorldTransport

__all__ = ["Scene", "WallClock", "WorldScene"]


class WallClock(Protocol):
    """A clock whose wall time can be made wrong."""

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back; monotonic time goes on."""

    def drift(self, rate: float) -> None:
        """Let the wall clock go wrong by `rate` seconds a second from now on; 0 is right."""


class Scene(ABC):
    """Market data that runs, and all around it that can go wrong.

    `exchanges`: by name. `clock`: what the market data lives by.
    """

    def __init__(
        self, market: MarketData, exchanges: Mapping[str, FaultTarget], clock: WallClock
    ) -> None:
        self.market = market
        self.exchanges = exchanges
        self.clock = clock

    def exchange(self, name: str) -> FaultTarget:
        """Return an exchange by name, or that of a key; raises InvalidOption for one not here."""
        name = name.partition(":")[0]
        if name not in self.exchanges:
            raise InvalidOption("target", name, f"of an exchange here: {', '.join(self.exchanges)}")
        return self.exchanges[name]

    def crash(self, key: str, seconds: float | None) -> None:
        """Let a handler of `key` raise for so long; with None on the next snapshot only."""
        once = iter((True,))

        def crash(_: object) -> None:
            if seconds is not None or next(once, False):
                raise PlannedCrash(key)

        subscription = self.market.subscribe(key, crash)
        if seconds is not None:
            self.later(seconds, subscription.cancel)

    def busy(self, mailbox: Mailbox) -> bool:
        """Say whether a handler of a mailbox is with a snapshot now."""
        return mailbox.started_ns > 0

    @property
    @abstractmethod
    def now_s(self) -> float:
        """Seconds since the scene began, which never go back."""

    @abstractmethod
    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Call `action` in so many seconds."""

    @abstractmethod
    def run_for(self, seconds: float) -> None:
        """Let so much time pass, with all that is to be done meanwhile."""

    @abstractmethod
    def slow(self, key: str, cost_s: float, seconds: float) -> None:
        """Let each snapshot of `key` take `cost_s` to handle, for so long."""

    @abstractmethod
    def slow_disk(self, cost_s: float, seconds: float) -> None:
        """Let each write of the run log take `cost_s`, for so long; nothing without a log."""


class PlannedCrash(Exception):
    """What a handler raises that is to fail."""


class WorldScene(Scene):
    """A scene in a world: one thread, virtual time."""

    def __init__(
        self, world: World, market: MarketData, exchanges: Mapping[str, WorldExchange]
    ) -> None:
        super().__init__(market, exchanges, world.clock)
        self.world = world
        self._began_ns = world.clock.now_ns()

    @classmethod
    def serving(
        cls,
        world: World,
        feeds: Iterable[Feed],
        *,
        seed: int = 0,
        rate: float = 2.0,
        depth: int = 15,
        **options: Any,
    ) -> Self:
        """Return a scene of exchanges with synthetic books of what `feeds` ask for.

        `seed`, `rate` and `depth` are those of `SyntheticMarket`, `options` those of `MarketData`.
        """
        feeds = tuple(feeds)
        served = WorldTransport.serving(world, feeds, seed=seed, rate=rate, depth=depth)
        market = MarketData(feeds, dispatcher=world, transport=served, rest=served, **options)
        return cls(world, market, served.exchanges)

    def busy(self, mailbox: Mailbox) -> bool:
        """Say the same, in virtual time too."""
        return super().busy(mailbox) or self.world.busy(mailbox)

    @property
    def now_s(self) -> float:
        """Virtual seconds since the scene began."""
        return (self.world.clock.now_ns() - self._began_ns) / 1e9

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Call `action` in so many virtual seconds."""
        self.world.call_at(self.world.clock.now_ns() + round(seconds * 1e9), action)

    def run_for(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        self.world.run_for(seconds)

    def slow(self, key: str, cost_s: float, seconds: float) -> None:
        """Let each message of `key` cost virtual time."""
        self.world.slow(key, cost_s)
        self.later(seconds, lambda: self.world.slow(key, 0.0))

    def slow_disk(self, cost_s: float, seconds: float) -> None:
        """Let each message of the run log cost virtual time."""
        self.slow("run log", cost_s, seconds)
