"""Keys to feeds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..exchanges import Feed, parse_key

__all__ = ["by_exchange", "feeds_of"]


def by_exchange(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the symbols of each exchange that `keys` name; raises InvalidOption for a bad key."""
    symbols: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        exchange, symbol = parse_key(key)
        symbols[exchange].append(symbol)
    return dict(symbols)


def feeds_of(keys: Iterable[str], urls: Mapping[str, str]) -> list[Feed]:
    """Return a feed for each exchange; `urls` are by exchange, in place of its own addresses."""
    return [
        Feed(exchange, symbols, url=urls.get(exchange))
        for exchange, symbols in by_exchange(keys).items()
    ]
