"""How feeds reach simulated exchanges inside a world: connections, and requests over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Self
from urllib.parse import urlsplit

from ..exchanges import EXCHANGES, Feed
from ..messages import InvalidOption
from ..runtime import Answer, Receiver
from .market import SyntheticMarket
from .wire import Wire
from .world import World
from .world_exchange import WorldExchange
from .world_rest import WorldFetch

__all__ = ["WorldTransport"]


class WorldTransport:
    """Connect feeds to exchanges in the same world: no socket, no thread, no real time.

    A `Transport` and a `Rest` in one: `MarketData(feeds, dispatcher=world, transport=transport,
    rest=transport)`. An address is that of an exchange if it begins with one of its real ones, or
    with `ws://` or `http://` and its name.
    `delay_s`: how long anything takes from one end to the other; may
    be changed at any time, for connections made from then on.
    """

    def __init__(
        self, world: World, exchanges: Iterable[WorldExchange], *, delay_s: float = 0.005
    ) -> None:
        self.exchanges: Mapping[str, WorldExchange] = {each.name: each for each in exchanges}
        """By name."""
        self.delay_s = delay_s
        self._world = world
        if not delay_s >= 0:
            raise InvalidOption("delay_s", delay_s, "at least 0")

    @classmethod
    def serving(
        cls,
        world: World,
        feeds: Iterable[Feed],
        *,
        seed: int = 0,
        rate: float = 1.0,
        depth: int = 15,
        delay_s: float = 0.005,
    ) -> Self:
        """Return a transport to exchanges that have synthetic books of what `feeds` ask for.

        `seed`, `rate` and `depth` are those of `SyntheticMarket`. A book a second and symbol is
        what recorded markets have: 0.3 to 2.9, 0.9 on average.
        """
        keys: dict[str, list[str]] = {}
        for feed in feeds:
            # `KRW-BTC.5` is the market KRW-BTC, at a depth.
            asked = (key.partition(".")[0] for key in feed.keys)
            keys.setdefault(feed.exchange, []).extend(asked)
        now_ms = int(world.clock.unix_s() * 1000)
        markets = {
            name: SyntheticMarket(some, seed=seed, rate=rate, depth=depth, start_unix_ms=now_ms)
            for name, some in keys.items()
        }
        exchanges = [WorldExchange(world, name, each.books()) for name, each in markets.items()]
        return cls(world, exchanges, delay_s=delay_s)

    def __getitem__(self, exchange: str) -> WorldExchange:
        return self.exchanges[exchange]

    def open(self, name: str, url: str, receiver: Receiver) -> Wire:
        """Begin to connect and return at once; `receiver` is told how it goes, in virtual time.

        Raises InvalidOption for an address of no exchange here.
        """
        address = urlsplit(url)
        path = f"{address.path}?{address.query}"
        return Wire(name, path, receiver, self._exchange_at(url), self.delay_s)

    def get(self, url: str, timeout_s: float, on_answer: Callable[[Answer], object]) -> WorldFetch:
        """Begin to fetch and return at once; `on_answer` is called in virtual time.

        Raises InvalidOption like `open`.
        """
        address = urlsplit(url)
        target = f"{address.path}?{address.query}"
        return WorldFetch(self._exchange_at(url), target, timeout_s, on_answer, self.delay_s)

    def _exchange_at(self, url: str) -> WorldExchange:
        known = [
            (base, exchange)
            for name, exchange in self.exchanges.items()
            for base in _addresses(name)
            if url.startswith(base)
        ]
        if not known:
            raise InvalidOption("url", url, f"of an exchange here: {', '.join(self.exchanges)}")
        return max(known, key=lambda each: len(each[0]))[1]


def _addresses(name: str) -> Iterable[str]:
    row = EXCHANGES[name]
    return (f"ws://{name}", f"http://{name}", *row.endpoints, *([row.rest] if row.rest else []))
