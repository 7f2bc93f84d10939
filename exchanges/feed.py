"""What a host asks for: the symbols of one exchange."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs

from ..messages import InvalidOption
from .table import exchange_named

__all__ = ["Feed", "parse_key", "split_key"]

MOST_COPIES = 4


def split_key(key: str) -> tuple[str, str]:
    """Split `exchange:SYMBOL`, of any exchange; raises InvalidOption for another form."""
    exchange, colon, symbol = key.partition(":") if isinstance(key, str) else ("", "", "")
    if not (colon and exchange and symbol):
        raise InvalidOption("key", key, "of the form exchange:SYMBOL, like upbit:KRW-BTC")
    return exchange, symbol


def parse_key(key: str) -> tuple[str, str]:
    """Split `exchange:SYMBOL`; raises InvalidOption for another form or an unknown exchange."""
    exchange, symbol = split_key(key)
    return exchange_named(exchange).name, symbol


def _symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    # A string is a list of strings too, one a letter: never what was meant.
    if isinstance(symbols, str) or not isinstance(symbols, Iterable):
        raise InvalidOption("symbols", symbols, "a list of symbols")
    return tuple(symbols)


def _bases(url: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if url is None or isinstance(url, str):
        return url if url is None else _base(url)
    if not isinstance(url, tuple) or not url:
        raise InvalidOption("url", url, "an address, or a tuple of at least one")
    return tuple(_base(each) for each in url)


def _base(url: str) -> str:
    return _address("url", url, ("ws://", "wss://"))


def _rest(rest: str | None) -> str | None:
    return None if rest is None else _address("rest", rest, ("http://", "https://"))


def _address(name: str, given: object, beginnings: tuple[str, str]) -> str:
    if not isinstance(given, str) or not given.startswith(beginnings):
        allowed = f"an address that begins with {' or '.join(beginnings)}"
        raise InvalidOption(name, given, allowed)
    if not _has_host(given):
        raise InvalidOption(name, given, "an address of a host, where a port is 1 to 65535")
    return given.rstrip("/")


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@attrs.frozen
class Feed:
    """The symbols to receive from one exchange, in the exchange's own upper-case spelling.

    `stream` is one of the exchange's streams (`EXCHANGES[exchange].streams`), the first of them by
    default. `url` replaces the exchange's endpoints, for a proxy or a simulated exchange: one, or a
    tuple to go through. `rest` replaces its REST side, which streams of differences need.
    `redundancy`: so many connections for the same symbols, 1 to 4, each on the
    next endpoint; the first copy of a snapshot wins, and losing one of them loses no time.

    Raises InvalidOption for what no exchange could bring; asks none of them.
    """

    exchange: str = attrs.field()
    symbols: tuple[str, ...] = attrs.field(converter=_symbols)
    stream: str = attrs.field(kw_only=True)
    url: str | tuple[str, ...] | None = attrs.field(default=None, converter=_bases, kw_only=True)
    rest: str | None = attrs.field(default=None, converter=_rest, kw_only=True)
    redundancy: int = attrs.field(default=1, kw_only=True)

    @stream.default
    def _first_stream(self) -> str:
        return exchange_named(self.exchange).streams[0]

    @exchange.validator
    def _check_exchange(self, _: object, exchange: str) -> None:
        exchange_named(exchange)

    @symbols.validator
    def _check_symbols(self, _: object, symbols: tuple[str, ...]) -> None:
        if not symbols or not all(isinstance(symbol, str) and symbol for symbol in symbols):
            raise InvalidOption("symbols", symbols, "at least one symbol, each a string")
        if len(set(symbols)) < len(symbols):
            raise InvalidOption("symbols", symbols, "each named once")
        if any(symbol != symbol.upper() for symbol in symbols):
            raise InvalidOption("symbols", symbols, "in upper case, like KRW-BTC or BTCUSDT")
        if not all(symbol.isprintable() for symbol in symbols):
            raise InvalidOption("symbols", symbols, "in characters that can be written")

    @stream.validator
    def _check_stream(self, _: object, stream: str) -> None:
        allowed = exchange_named(self.exchange).streams
        if stream not in allowed:
            raise InvalidOption("stream", stream, f"one of {', '.join(allowed)}")

    @redundancy.validator
    def _check_redundancy(self, _: object, redundancy: int) -> None:
        whole = isinstance(redundancy, int) and not isinstance(redundancy, bool)
        if not whole or not 1 <= redundancy <= MOST_COPIES:
            raise InvalidOption("redundancy", redundancy, f"a whole number, 1 to {MOST_COPIES}")

    def __attrs_post_init__(self) -> None:
        # The exchange's own rules for symbols are known to its protocol: told now, not at connect.
        exchange_named(self.exchange).protocol(self.symbols, self.stream)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The addresses to connect to, in the order to try them."""
        if self.url is None:
            return exchange_named(self.exchange).endpoints
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its symbols, in their order."""
        return tuple(f"{self.exchange}:{symbol}" for symbol in self.symbols)
