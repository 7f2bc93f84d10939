"""Each exchange's protocol without I/O: bytes in, snapshots and replies out."""

from .binance import BinanceProtocol
from .feed import Feed, parse_key, split_key
from .protocol import Budget, Exchange, ExchangeProtocol
from .table import EXCHANGES, exchange_named
from .upbit import UpbitProtocol

__all__ = [
    "EXCHANGES",
    "BinanceProtocol",
    "Budget",
    "Exchange",
    "ExchangeProtocol",
    "Feed",
    "UpbitProtocol",
    "exchange_named",
    "parse_key",
    "split_key",
]
