"""Keys to feeds."""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..exchanges import Feed, exchange_named, parse_key
from ..messages import InvalidOption
from .arguments import Parser

__all__ = ["add_feed_options", "by_exchange", "feeds_from", "feeds_of"]

_NOWHERE: Mapping[str, str] = {}


def by_exchange(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the symbols of each exchange that `keys` name; raises InvalidOption for a bad key."""
    symbols: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        exchange, symbol = parse_key(key)
        symbols[exchange].append(symbol)
    return dict(symbols)


def feeds_of(
    keys: Iterable[str],
    urls: Mapping[str, str],
    *,
    rests: Mapping[str, str] = _NOWHERE,
    stream: str | None = None,
) -> list[Feed]:
    """Return a feed for each exchange.

    `urls` and `rests` are by exchange, in place of its own addresses; `stream`: in place of the
    first of each.
    """
    return [
        Feed(
            exchange,
            symbols,
            stream=stream or exchange_named(exchange).streams[0],
            url=urls.get(exchange),
            rest=rests.get(exchange),
        )
        for exchange, symbols in by_exchange(keys).items()
    ]


def add_feed_options(parser: Parser) -> None:
    """Add `--stream`, `--url` and `--rest`, read by `feeds_from`."""
    parser.add_argument(
        "--stream", metavar="NAME", help="what to ask for, like depth; an exchange's first if not"
    )
    parser.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="EXCHANGE=ws://...",
        help="where to find an exchange instead: a proxy, a simulated one; once for each",
    )
    parser.add_argument(
        "--rest",
        action="append",
        default=[],
        metavar="EXCHANGE=http://...",
        help="where to find its REST side instead, which streams of differences need",
    )


def feeds_from(options: argparse.Namespace) -> list[Feed]:
    """Return a feed for each exchange that the keys name, as the options want it."""
    keys = options.keys
    urls, rests = _bases("--url", options.url, keys), _bases("--rest", options.rest, keys)
    return feeds_of(keys, urls, rests=rests, stream=options.stream)


def _bases(option: str, given: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    bases, named = {}, by_exchange(keys)
    for each in given:
        name, _, bases[name] = each.partition("=")
        if exchange_named(name).name not in named:
            raise InvalidOption(option, each, "for the exchange of one of the keys")
    return bases
