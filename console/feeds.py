"""Keys to feeds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..exchanges import Feed, exchange_named, parse_key
from ..messages import InvalidOption
from .arguments import Parser

__all__ = ["add_url_option", "by_exchange", "feeds_of", "urls_of"]


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


def add_url_option(parser: Parser) -> None:
    """Add the option `--url`, read by `urls_of`."""
    parser.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="EXCHANGE=ws://...",
        help="where to find an exchange instead: a proxy, a simulated one; once for each",
    )


def urls_of(given: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    """Return the addresses by exchange; each must be one of an exchange that `keys` name."""
    urls, named = {}, by_exchange(keys)
    for each in given:
        name, _, urls[name] = each.partition("=")
        if exchange_named(name).name not in named:
            raise InvalidOption("--url", each, "for the exchange of one of the keys")
    return urls
