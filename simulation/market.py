"""A market out of a seed: random books that look like an exchange's."""

import heapq
import math
from collections.abc import Iterable, Iterator
from operator import itemgetter
from random import Random

from ..exchanges import parse_key
from ..messages import InvalidOption, Level, Snapshot

__all__ = ["SyntheticMarket", "demo_keys"]

_COINS = (  # noqa: SIM905 - as a list it would take a page
    "BTC ETH XRP SOL DOGE ADA TRX AVAX LINK DOT BCH NEAR LTC APT ETC HBAR ATOM ARB SUI FIL "
    "OP INJ IMX STX GRT ALGO SEI AAVE FLOW SAND MANA AXS EGLD XTZ THETA CHZ NEO EOS KAVA ZIL"
).split()

_SPELLINGS = {"upbit": "upbit:KRW-{}", "binance": "binance:{}USDT"}

_STAMPED = frozenset({"upbit"})
"""Exchanges whose books carry a time. Binance's partial depth and bookTicker carry none."""

_NUMBERED = frozenset({"binance"})
"""Exchanges whose books carry a sequence number."""

_WON_TICKS = ((1, 1), (10, 1), (1000, 1))
_TICKS = ((1, 100), (1, 10_000))
"""Sizes of a tick, as fractions: no float is 0.01, and prices must lie on the grid exactly."""

_BURSTINESS = 1.0  # sigma of the lognormal gaps: half of them are under 0.6 of the mean


def demo_keys(n: int) -> tuple[str, ...]:
    """Return `n` plausible keys, in turn of Upbit and of Binance: two for every coin."""
    spellings = tuple(_SPELLINGS.values())
    return tuple(spellings[i % len(spellings)].format(_coin(i // len(spellings))) for i in range(n))


def _coin(number: int) -> str:
    return _COINS[number] if number < len(_COINS) else f"SYN{number}"


class SyntheticMarket:
    """Random books of the given keys, the same for the same seed.

    `rate` is the mean number of books a second and symbol: each symbol keeps a rhythm of its own
    between half and one and a half of it, in bursts. `depth` is the number of levels on each side.
    `start_unix_ms` is the exchanges' time at second 0.

    A book has what its exchange's frames carry: Upbit's a time stamp and no sequence number,
    Binance's a strictly increasing sequence number and no time stamp. What one symbol does does not
    depend on which others there are.

    Raises InvalidOption.
    """

    def __init__(
        self,
        keys: Iterable[str],
        *,
        seed: int = 0,
        rate: float = 5.0,
        depth: int = 15,
        start_unix_ms: int = 0,
    ) -> None:
        self.keys = tuple(keys)
        for key in self.keys:
            parse_key(key)
        if not self.keys:
            raise InvalidOption("keys", self.keys, "at least one key")
        if not 0 < rate < math.inf:
            raise InvalidOption("rate", rate, "a number of books per second above 0")
        if depth < 1:
            raise InvalidOption("depth", depth, "at least 1")
        self._seed, self._rate, self._depth = seed, rate, depth
        self._start_unix_ms = start_unix_ms

    def books(self) -> Iterator[tuple[float, Snapshot]]:
        """Return `(seconds from the start, book)` without end, in order of time.

        Every call begins at the start again.
        """
        return heapq.merge(*(self._books_of(key) for key in self.keys), key=itemgetter(0))

    def _books_of(self, key: str) -> Iterator[tuple[float, Snapshot]]:
        exchange, symbol = parse_key(key)
        # Seeded with text: the hash of a tuple would differ from one process to the next.
        rng = Random(f"{self._seed} {key}")
        book = _Book(rng, symbol, self._depth)
        number = rng.randrange(1_000_000, 1_000_000_000)
        for at_s in _rhythm(rng, self._rate):
            number += rng.randint(1, 5)
            time_ms = self._start_unix_ms + int(at_s * 1000) if exchange in _STAMPED else None
            sequence = number if exchange in _NUMBERED else None
            yield at_s, Snapshot(exchange, symbol, *book.next(), time_ms, sequence)


def _rhythm(rng: Random, rate: float) -> Iterator[float]:
    """Yield the times of one symbol's books: lognormal gaps of mean `1 / rate`, more or less."""
    own_rate = rate * rng.uniform(0.5, 1.5)
    median = math.exp(-(_BURSTINESS**2) / 2) / own_rate
    at_s = rng.uniform(0.0, 1.0 / own_rate)
    while True:
        yield at_s
        at_s += median * math.exp(rng.gauss(0.0, _BURSTINESS))


class _Book:
    """One symbol's book, walking at random on its grid of ticks."""

    def __init__(self, rng: Random, symbol: str, depth: int) -> None:
        self._rng = rng
        self._depth = depth
        self._up, self._down = rng.choice(_WON_TICKS if symbol.startswith("KRW-") else _TICKS)
        self._lowest = 2 * depth
        # From 200 ticks a level upward, so that a tick is a small part of the price.
        self._bid = 200 * depth + int(math.exp(rng.uniform(0.0, 10.0)))
        self._typical_size: float = 10.0 ** rng.uniform(-1.0, 4.0)
        self._bid_sizes = [self._size() for _ in range(depth)]
        self._ask_sizes = [self._size() for _ in range(depth)]

    def next(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the next book's bids and asks."""
        rng, depth = self._rng, self._depth
        self._bid = max(self._lowest, self._bid + rng.choice((-2, -1, 0, 0, 0, 1, 2)))
        ask = self._bid + rng.choice((1, 1, 1, 2, 3))
        self._bid_sizes[rng.randrange(depth)] = self._size()
        self._ask_sizes[rng.randrange(depth)] = self._size()
        bids = self._levels(range(self._bid, self._bid - depth, -1), self._bid_sizes)
        return bids, self._levels(range(ask, ask + depth), self._ask_sizes)

    def _levels(self, ticks: range, sizes: list[float]) -> tuple[Level, ...]:
        up, down = self._up, self._down
        return tuple(zip([tick * up / down for tick in ticks], sizes, strict=True))

    def _size(self) -> float:
        # Eight decimals, as many as the exchanges write, and never nothing.
        return round(max(0.001, self._typical_size * self._rng.lognormvariate(0.0, 1.0)), 8)
