"""Bithumb's side of its protocol: order books of the public WebSocket, version 1.

Source: apidocs.bithumb.com "요청 방법 및 포맷", "호가 (Orderbook)", "웹소켓 에러" and "연결 관리":
Upbit's protocol but for the depths, and for the least grouping, which is 1.
"""

from .upbit_venue import UpbitForm, UpbitSession

__all__ = ["BithumbSession"]

_MOST_LEVELS = 30  # [inferred: as many as a single market has over REST]


class BithumbSession(UpbitSession):
    """One connection's subscription: a request takes the place of the one before it."""

    def form(self, code: str, format_: str) -> tuple[str, UpbitForm]:
        """Return the symbol of a code like `KRW-ETH.3`, and how its books are written."""
        symbol, _, suffix = code.partition(".")
        levels = int(suffix) if suffix.isdecimal() else _MOST_LEVELS
        return symbol, UpbitForm(format_, min(levels, _MOST_LEVELS), level=1)
