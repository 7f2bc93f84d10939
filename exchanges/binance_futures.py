"""Binance USD-M futures: whole books kept from the differences of `<symbol>@depth@100ms`.

Source: developers.binance.com, "USDⓈ-M Futures", "How to manage a local order book correctly" and
"Important WebSocket Change Notice" (addresses split by category, 2026). Frames carry `pu`, the
number before, since update numbers have holes; the base that fits is one within a difference.
"""

from typing import ClassVar

from .binance_diff import BinanceDiffProtocol

__all__ = ["BinanceFuturesProtocol"]


class BinanceFuturesProtocol(BinanceDiffProtocol):
    """Speaks as the spot market's, with another REST side."""

    exchange: ClassVar[str] = "binance-usdm"
    path: ClassVar[str] = "/fapi/v1/depth?symbol={}&limit={}"
    weight: ClassVar[int] = 20
    """2 up to 50 levels, 5 up to 100, 10 up to 500, 20 up to 1000 [inferred: verify live]."""
