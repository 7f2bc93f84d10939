"""The exchanges there are, and what each of them allows."""

from ..messages import InvalidOption
from . import binance, binance_diff, binance_futures, bithumb, bybit, upbit
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
    # docs.upbit.com/reference/rate-limits.
    connects=(Budget(5, 1.0),),
    messages=(Budget(5, 1.0), Budget(100, 60.0)),
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
    streams=(*binance.STREAMS, *binance_diff.STREAMS),
    protocol=binance_diff.binance_protocol,
    # It pings every 20 s, and its documentation counts pings of ours as messages.
    ping_interval_s=None,
    silence_limit_s=60.0,
    connects=(Budget(300, 300.0),),
    # It takes 5. The answers to its pings count, and so do the pings after which a fetched book is
    # read, two a second at most: neither waits for a budget.
    messages=(Budget(2, 1.0),),
    # It allows 1024 streams, but they stand in the address, which it takes up to 8004 characters of
    # (unicorn-binance-websocket-api, issue 19): 31 for each stream, 16 of them for the symbol.
    symbols_per_connection=256,
    lifetime_s=24 * 3600.0,
    rest="https://api.binance.com",
    # As nautilus_trader's documentation has it.
    rest_weight=Budget(6000, 60.0),
)

_BINANCE_USDM = Exchange(
    name="binance-usdm",
    # Order books stand under /public ("Important WebSocket Change Notice").
    endpoints=("wss://fstream.binance.com/public",),
    streams=binance_diff.STREAMS,
    protocol=binance_futures.BinanceFuturesProtocol,
    # It pings every 3 minutes only.
    ping_interval_s=20.0,
    silence_limit_s=60.0,
    # [inferred: as for the spot market; its pages name no number]
    connects=(Budget(300, 300.0),),
    # It takes 10, pings and answers to them among them: as for the spot market.
    messages=(Budget(7, 1.0),),
    # It allows 1024 streams. The address is as long as the spot market's may be. [inferred]
    symbols_per_connection=256,
    lifetime_s=24 * 3600.0,
    rest="https://fapi.binance.com",
    # [inferred from other libraries' tables: verify live]
    rest_weight=Budget(2400, 60.0),
)

_BITHUMB = Exchange(
    name="bithumb",
    endpoints=("wss://ws-api.bithumb.com",),
    streams=bithumb.STREAMS,
    protocol=bithumb.BithumbProtocol,
    # It closes a connection on which nothing is said for 120 s; WebSocket pings count
    # (apidocs.bithumb.com, "연결 관리").
    ping_interval_s=20.0,
    silence_limit_s=60.0,
    # It allows 10, and blocks an address that goes on for 10 minutes ("기본 정보"): half of it.
    connects=(Budget(5, 1.0),),
    # It states no limit. [inferred: what Upbit allows will do here]
    messages=(Budget(5, 1.0), Budget(100, 60.0)),
    # As for Upbit.
    symbols_per_connection=300,
    lifetime_s=None,
)


def _bybit(protocol: type[bybit.BybitProtocol]) -> Exchange:
    return Exchange(
        name=protocol.exchange,
        endpoints=("wss://stream.bybit.com",),
        streams=bybit.STREAMS,
        protocol=protocol,
        # It recommends one each 20 s, as text (bybit-exchange.github.io/docs/v5/ws/connect).
        ping_interval_s=20.0,
        ping_text=bybit.PING,
        silence_limit_s=60.0,
        # 500 in 5 minutes (docs/v5/rate-limit), which spot and futures have together: a half each.
        connects=(Budget(250, 300.0),),
        # It states no limit. [inferred: bursts of 200 were seen to be accepted]
        messages=(Budget(100, 1.0),),
        # It allows 21,000 characters of topics. A choice: 40 for each leave more than half of it.
        symbols_per_connection=200,
        lifetime_s=None,
    )


_ROWS = (
    _BINANCE,
    _BINANCE_USDM,
    _BITHUMB,
    _bybit(bybit.BybitProtocol),
    _bybit(bybit.BybitLinearProtocol),
    _UPBIT,
)

EXCHANGES: dict[str, Exchange] = {row.name: row for row in _ROWS}
"""Every exchange by its name."""


def exchange_named(name: str) -> Exchange:
    """Return the exchange's row; raises InvalidOption that names those there are."""
    if not isinstance(name, str) or name not in EXCHANGES:
        raise InvalidOption("exchange", name, f"one of {', '.join(EXCHANGES)}")
    return EXCHANGES[name]
