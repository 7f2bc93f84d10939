"""A market out of a seed: random books that look like an exchange's."""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from random import Random

from ..exchanges import parse_key
from ..messages import InvalidOption, Level, Snapshot

__all__ = ["SyntheticMarket", "demo_keys", "demo_symbols"]

_COINS = (  # noqa: SIM905 - as a list it would take a page
    "BTC ETH XRP SOL DOGE ADA TRX AVAX LINK DOT BCH NEAR LTC APT ETC HBAR ATOM ARB SUI FIL "
    "OP INJ IMX STX GRT ALGO SEI AAVE FLOW SAND MANA AXS EGLD XTZ THETA CHZ NEO EOS KAVA ZIL"
).split()

_SPELLINGS = {"upbit": "upbit:KRW-{}", "binance": "binance:{}USDT"}

_KOREAN = frozenset({"upbit", "bithumb"})

_STAMPED = frozenset({"upbit", "binance-usdm", "bithumb", "bybit", "bybit-linear"})
"""Exchanges whose books carry a time. Binance's partial depth and bookTicker carry none."""

_NUMBERED = frozenset({"binance", "binance-usdm", "bybit", "bybit-linear"})
"""Exchanges whose books carry a sequence number."""

_WON_TICKS = ((1, 1), (10, 1), (1000, 1))
_TICKS = ((1, 100), (1, 10_000))
"""Sizes of a tick, as fractions: no float is 0.01, and prices must lie on the grid exactly."""

_BURSTINESS = 1.0  # sigma of the lognormal gaps: half of them are under 0.6 of the mean
_MOVES, _SECOND = 0.1, 0.5  # how often a best price moves, and how often two levels change
_EVEN = 0.5
_WIDEST = 4  # ticks of spread
_SIZES = 256
"""Sizes a symbol's levels may have: few enough that who writes them out can remember how."""


def demo_keys(n: int) -> tuple[str, ...]:
    """Return `n` plausible keys, in turn of Upbit and of Binance: two for every coin."""
    spellings = tuple(_SPELLINGS.values())
    return tuple(spellings[i % len(spellings)].format(_coin(i // len(spellings))) for i in range(n))


def demo_symbols(exchange: str, n: int) -> tuple[str, ...]:
    """Return `n` plausible symbols of an exchange, in its own spelling."""
    spelling = "KRW-{}" if exchange in _KOREAN else "{}USDT"
    return tuple(spelling.format(_coin(number)) for number in range(n))


def _coin(number: int) -> str:
    return _COINS[number] if number < len(_COINS) else f"SYN{number}"


class SyntheticMarket:
    """Random books of the given keys, the same for the same seed.

    `rate` is the mean number of books a second and symbol: each symbol keeps a rhythm of its own
    between half and one and a half of it, in bursts. `depth` is the number of levels on each side.
    `start_unix_ms` is the exchanges' time at second 0.

    A book has what its exchange's frames carry: Upbit's and Bithumb's a time stamp and no sequence
    number, Binance's a strictly increasing sequence number and no time stamp, those of Binance's
    futures and Bybit's both. What one symbol does does not depend on which others there are.

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
            number += 1 + int(rng.random() * 5)
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
    """One symbol's book, walking at random on its grid of ticks.

    From one book to the next one or two levels change, mostly near the best, and the best prices
    rarely move: so do real ones (two recorded ones: 1.9 and 1.3 levels, 0 and 8 % moves).
    """

    def __init__(self, rng: Random, symbol: str, depth: int) -> None:
        self._random = rng.random
        self._depth = depth
        self._up, self._down = rng.choice(_WON_TICKS if symbol.startswith("KRW-") else _TICKS)
        self._lowest = 2 * depth
        # From 200 ticks a level upward, so that a tick is a small part of the price.
        self._bid = 200 * depth + int(math.exp(rng.uniform(0.0, 10.0)))
        self._ask = self._bid + rng.randint(1, _WIDEST)
        typical: float = 10.0 ** rng.uniform(-1.0, 4.0)
        self._sizes = [_size(typical * rng.lognormvariate(0.0, 1.0)) for _ in range(_SIZES)]
        self._bids = [self._level(self._bid - at) for at in range(depth)]
        self._asks = [self._level(self._ask + at) for at in range(depth)]

    def next(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the next book's bids and asks."""
        random = self._random
        if random() < _MOVES:
            self._move()
        self._resize()
        if random() < _SECOND:
            self._resize()
        return tuple(self._bids), tuple(self._asks)

    def _resize(self) -> None:
        """Give one level another size, the nearer to the best the likelier."""
        random = self._random
        chance = random()
        at = int(chance * chance * self._depth)
        if random() < _EVEN:
            self._bids[at] = self._level(self._bid - at)
        else:
            self._asks[at] = self._level(self._ask + at)

    def _move(self) -> None:
        """Move one of the best prices by a tick, where the spread allows it, else back."""
        spread = self._ask - self._bid
        inward = spread == _WIDEST or (spread > 1 and self._random() < _EVEN)
        if self._random() < _EVEN or self._bid == self._lowest:
            self._ask += _shift(self._asks, inward, self._level, self._ask, 1)
        else:
            self._bid += _shift(self._bids, inward, self._level, self._bid, -1)

    def _level(self, tick: int) -> Level:
        return tick * self._up / self._down, self._sizes[int(self._random() * _SIZES)]


def _shift(
    side: list[Level], inward: bool, level: Callable[[int], Level], best: int, outward: int
) -> int:
    """Add a level before the best, or take the best away; return by how much the best moved."""
    if inward:
        side.pop()
        side.insert(0, level(best - outward))
        return -outward
    del side[0]
    side.append(level(best + outward * (len(side) + 1)))
    return outward


def _size(size: float) -> float:
    # Eight decimals, as many as the exchanges write, and never nothing.
    return round(max(0.001, size), 8)
