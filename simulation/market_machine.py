"""A host's handlers under stress: Hypothesis decides what comes, what fails, and who runs next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ..exchanges import Feed
from ..messages import FeedEvent, MissingExtra, Snapshot
from ..supervisors import MarketData
from .fault import Fault
from .inspection import Inspection
from .market import SyntheticMarket
from .scene import WorldScene
from .world import World
from .world_exchange import WorldExchange
from .world_transport import WorldTransport

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
except ImportError as error:
    raise MissingExtra("ticklane.simulation.market_machine", "simulation") from error

from .strategies import faults, interleavings

__all__ = ["MarketMachine"]

CHOICES = 200
"""How often Hypothesis says who runs next, before it is who came first."""
CONNECTS_S = 1.0
DEPTH = 2
LONGEST_FAULT_S = 120.0
"""An exchange that reads nothing learns only then that we are gone."""

_SPANS = st.sampled_from((0.01, 0.1, 1.0, 10.0, 60.0))
_EXCHANGES = st.runner().flatmap(lambda machine: st.sampled_from([*machine.exchanges]))
_FAULTS = st.runner().flatmap(lambda machine: faults(machine.feeds))


class MarketMachine(RuleBasedStateMachine):
    """Run market data in a world, and let happen to it what Hypothesis can think of.

    Subclass it, say with `feeds` what your handlers listen to, and override `on_snapshot` and
    `on_event`, or `make_handler`; whatever they raise fails the test. Add invariants and rules of
    your own (`hypothesis.stateful`); `self.market`, `self.world` and `self.exchanges` are there
    from the first rule on. `Yours.TestCase` is what pytest and unittest run.

    Books come, alone and in bursts, anything in `FAULTS` goes wrong, the host restarts. After each
    step all our invariants are checked (`simulation.invariants`), at the end also that nothing is
    left. What fails shrinks to few steps, and first come, first served.
    """

    feeds: ClassVar[Sequence[Feed]] = (Feed("upbit", ["KRW-BTC"]), Feed("binance", ["BTCUSDT"]))
    options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Of `MarketData`."""
    rate: ClassVar[float] = 2.0
    """Books a second and symbol, synthetic ones; with 0 none but those your rules publish."""
    market: MarketData
    world: World
    exchanges: Mapping[str, WorldExchange]
    """By name."""
    _choose: Callable[[int], int]

    # -- yours to override

    def make_handler(self, key: str) -> Callable[[Snapshot], object]:  # noqa: ARG002 - yours may
        """Return the handler of a key, for each market data anew; by default `on_snapshot`."""
        return self.on_snapshot

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Handle a snapshot of any key."""

    def on_event(self, event: FeedEvent) -> None:
        """Take what happened to a feed."""

    # -- what happens

    @initialize(choose=interleavings(CHOICES))
    def begin(self, choose: Callable[[int], int]) -> None:
        """Make a world with the exchanges of all feeds, and connect."""
        self._choose = _first
        self.world = World(choose=lambda ready: self._choose(ready))  # noqa: PLW0108 - it changes
        names = dict.fromkeys(feed.exchange for feed in self.feeds)
        self.exchanges = {
            name: WorldExchange(self.world, name, self._books(name)) for name in names
        }
        self._raised: list[BaseException] = []
        self._open()
        # Only from here on: what is drawn is what shrinking has to work on.
        self._choose = choose

    @rule(seconds=_SPANS)
    def time_passes(self, seconds: float) -> None:
        """Let books come as they are wont to."""
        self.world.run_for(seconds)

    @rule(exchange=_EXCHANGES, books=st.integers(1, 50), seconds=_SPANS)
    def books_burst(self, exchange: str, books: int, seconds: float) -> None:
        """Let the next books of an exchange come all at once."""
        self.exchanges[exchange].burst(books)
        self.world.run_for(seconds)

    @rule(fault=_FAULTS, seconds=_SPANS)
    def something_fails(self, fault: Fault, seconds: float) -> None:
        """Let a fault begin."""
        fault.begin(self._scene)
        self.world.run_for(seconds)

    @rule(drain=st.booleans())
    def host_restarts(self, drain: bool) -> None:
        """Stop the market data, and make it anew."""
        self._close(drain=drain)
        self.nothing_is_broken()
        self._open()

    # -- what must hold

    @invariant()
    def handlers_do_not_raise(self) -> None:
        """Raise what a handler raised: in a running market it costs one message, here the test."""
        if self._raised:
            raise self._raised[0]

    @invariant()
    def nothing_is_broken(self) -> None:
        """Fail where one of our invariants did not hold."""
        assert not self._inspection.broken, "; ".join(map(str, self._inspection.broken))  # noqa: S101

    def teardown(self) -> None:
        """Stop, and look whether anything is left."""
        if not hasattr(self, "market"):
            return
        failed = self._raised or self._inspection.broken
        self._close(drain=True)
        if not failed:
            self.handlers_do_not_raise()
            self.nothing_is_broken()

    # -- inside

    def _open(self) -> None:
        transport = WorldTransport(self.world, self.exchanges.values())
        self.market = MarketData(
            self.feeds, dispatcher=self.world, transport=transport, rest=transport, **self.options
        )
        self._scene = WorldScene(self.world, self.market, self.exchanges)
        self._inspection = Inspection(self._scene)
        for key in self._keys():
            handler = self._watched(self.make_handler(key))
            self.market.subscribe(key, handler, on_event=self._watched(self.on_event))
        self.market.start()
        self._inspection.begin()
        self.world.run_for(CONNECTS_S)

    def _close(self, *, drain: bool) -> None:
        self._inspection.finish()
        self.market.stop(drain=drain)
        self.world.run_for(LONGEST_FAULT_S)
        self._inspection.check_stopped()

    def _watched(self, handler: Callable[[Any], object]) -> Callable[[Any], None]:
        def handle(what: Any) -> None:
            try:
                handler(what)
            except BaseException as error:
                self._raised.append(error)
                raise

        return handle

    def _keys(self) -> list[str]:
        return [key for feed in self.feeds for key in feed.keys]

    def _books(self, exchange: str) -> Iterable[tuple[float, Snapshot]]:
        # `KRW-BTC.5` is the market KRW-BTC, at a depth.
        asked = (key.partition(".")[0] for key in self._keys())
        keys = [key for key in asked if key.startswith(f"{exchange}:")]
        now_ms = int(self.world.clock.unix_s() * 1000)
        if self.rate == 0:
            return ()
        return SyntheticMarket(keys, rate=self.rate, depth=DEPTH, start_unix_ms=now_ms).books()


def _first(_: int) -> int:
    return 0
