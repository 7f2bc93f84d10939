"""The exchanges there are, and what each of them allows."""

from ..messages import InvalidOption
from . import binance, upbit
from .protocol import Budget, Exchange

__all__ = ["EXCHANGES", "exchange_named"]

_UPBIT = Exchange(
    name="upbit",
    endpoints=("wss://api.upbit.com",),
    streams=upbit.STREAMS,
    protocol=upbit.UpbitProtocol,
    # It closes a connection on which nothing is said for 120 s; WebSocket pings count
    # (docs.upbit.com/reference/connection). Three pings unanswered are a dead connection.
    ping_interval_s=20.0,
    silence_limit_s=60.0,
    connects=Budget(5, 1.0),
    # 5 in a second and 100 in a minute (docs.upbit.com/reference/rate-limits): this keeps both.
    messages=Budget(5, 3.0),
    # It states no limit. A choice: all KRW markets fit on one connection.
    symbols_per_connection=300,
    lifetime_s=None,
)

_BINANCE = Exchange(
    name="binance",
    endpoints=(
        "wss://stream.binance.com:9443",
        "wss://stream.binance.com:443",
        "wss://data-stream.binance.vision",
    ),
    streams=binance.STREAMS,
    protocol=binance.BinanceProtocol,
    # It pings every 20 s, and its documentation counts pings of ours as messages.
    ping_interval_s=None,
    silence_limit_s=60.0,
    connects=Budget(300, 300.0),
    messages=Budget(5, 1.0),
    # It allows 1024 streams, but they stand in the address, which it takes up to 8004 characters of
    # (unicorn-binance-websocket-api, issue 19): 31 for each stream, 16 of them for the symbol.
    symbols_per_connection=256,
    lifetime_s=24 * 3600.0,
)

EXCHANGES: dict[str, Exchange] = {row.name: row for row in (_BINANCE, _UPBIT)}
"""Every exchange by its name."""


def exchange_named(name: str) -> Exchange:
    """Return the exchange's row; raises InvalidOption that names those there are."""
    if not isinstance(name, str) or name not in EXCHANGES:
        raise InvalidOption("exchange", name, f"one of {', '.join(EXCHANGES)}")
    return EXCHANGES[name]
