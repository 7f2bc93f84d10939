"""What a host asks for: the symbols of one exchange."""

import attrs

from ..messages import InvalidOption
from .table import EXCHANGES, exchange_named

__all__ = ["Feed", "parse_key"]


def parse_key(key: str) -> tuple[str, str]:
    """Split `exchange:SYMBOL`; raises InvalidOption for another form or an unknown exchange."""
    exchange, colon, symbol = key.partition(":")
    if not (colon and exchange and symbol):
        raise InvalidOption("key", key, "of the form exchange:SYMBOL, like upbit:KRW-BTC")
    return exchange_named(exchange).name, symbol


def _symbols(symbols: object) -> tuple[str, ...]:
    if isinstance(symbols, str):
        raise InvalidOption("symbols", symbols, "a list of symbols")
    return tuple(symbols)  # type: ignore[arg-type]


@attrs.frozen
class Feed:
    """The symbols to receive from one exchange.

    `stream` is one of the exchange's streams (`EXCHANGES[exchange].streams`), the first of them by
    default. `url` replaces the exchange's endpoints, for a proxy or a simulated exchange.
    """

    exchange: str = attrs.field()
    symbols: tuple[str, ...] = attrs.field(converter=_symbols)
    stream: str = attrs.field(kw_only=True)
    url: str | None = attrs.field(default=None, kw_only=True)

    @stream.default
    def _first_stream(self) -> str:
        return exchange_named(self.exchange).streams[0]

    @symbols.validator
    def _check_symbols(self, _: object, symbols: tuple[str, ...]) -> None:
        if not symbols or not all(isinstance(symbol, str) and symbol for symbol in symbols):
            raise InvalidOption("symbols", symbols, "at least one symbol, each a string")
        if len(set(symbols)) < len(symbols):
            raise InvalidOption("symbols", symbols, "each named once")

    @stream.validator
    def _check_stream(self, _: object, stream: str) -> None:
        allowed = EXCHANGES[self.exchange].streams
        if stream not in allowed:
            raise InvalidOption("stream", stream, f"one of {', '.join(allowed)}")

    @url.validator
    def _check_url(self, _: object, url: str | None) -> None:
        if url is not None and not url.startswith(("ws://", "wss://")):
            raise InvalidOption("url", url, "an address that begins with ws:// or wss://")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its symbols, in their order."""
        return tuple(f"{self.exchange}:{symbol}" for symbol in self.symbols)
