"""Bithumb: order books of the public WebSocket, version 1.

Source: apidocs.bithumb.com, "요청 방법 및 포맷", "호가 (Orderbook)" and "웹소켓 에러".
Requests, books and errors have Upbit's form, so Upbit's reader reads them. Every frame is a whole
book [inferred: the page names no differences, and each frame has the totals of a whole one].
"""

from .upbit import STREAMS, UpbitProtocol

__all__ = ["STREAMS", "BithumbProtocol"]


class BithumbProtocol(UpbitProtocol):
    """Asks for order books and reads them, as Upbit's does.

    A symbol may carry the depth it asks for, `KRW-ETH.3` [inferred: the page shows this example and
    does not say which numbers there are].
    """

    exchange = "bithumb"
