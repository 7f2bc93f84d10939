"""Each exchange's protocol without I/O: bytes in, snapshots and replies out."""

from .binance import BinanceProtocol
from .binance_diff import BinanceDiffProtocol
from .binance_futures import BinanceFuturesProtocol
from .bithumb import BithumbProtocol
from .book_sync import Base, BookSync, Diff
from .bybit import BybitLinearProtocol, BybitProtocol
from .diff_book import DiffBook
from .diff_protocol import DiffProtocol
from .feed import Feed, parse_key, split_key
from .protocol import (
    BookRequest,
    Brought,
    Budget,
    Exchange,
    ExchangeProtocol,
    Send,
    ServerShutdown,
)
from .table import EXCHANGES, exchange_named
from .upbit import UpbitProtocol

__all__ = [
    "EXCHANGES",
    "Base",
    "BinanceDiffProtocol",
    "BinanceFuturesProtocol",
    "BinanceProtocol",
    "BithumbProtocol",
    "BookRequest",
    "BookSync",
    "Brought",
    "Budget",
    "BybitLinearProtocol",
    "BybitProtocol",
    "Diff",
    "DiffBook",
    "DiffProtocol",
    "Exchange",
    "ExchangeProtocol",
    "Feed",
    "Send",
    "ServerShutdown",
    "UpbitProtocol",
    "exchange_named",
    "parse_key",
    "split_key",
]
