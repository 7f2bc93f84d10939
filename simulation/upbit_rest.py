"""Upbit's REST side, and Bithumb's, which took it over: markets and books.

Source: docs.upbit.com and apidocs.bithumb.com, "market/all" and "orderbook".
"""

from collections.abc import Mapping
from itertools import zip_longest

from ..messages import Snapshot
from .rest_replies import RestReply, RestRequest, reply

__all__ = ["upbit_rest"]


def upbit_rest(request: RestRequest) -> RestReply:
    """Answer a request for `market/all` or `orderbook`."""
    if request.path == "/v1/market/all":
        return reply(
            [
                {"market": symbol, "korean_name": symbol, "english_name": symbol}
                for symbol in request.books
            ]
        )
    if request.path != "/v1/orderbook":
        return reply({"error": {"name": 404, "message": "not simulated"}}, status=404)
    asked = [each for each in request.query.get("markets", "").split(",") if each]
    if not asked or any(symbol not in request.books for symbol in asked):
        return reply({"error": {"name": 404, "message": "Code not found"}}, status=404)
    return reply([_book(request.books[symbol]) for symbol in asked])


def _book(book: Snapshot) -> Mapping[str, object]:
    pairs = zip_longest(book.asks, book.bids, fillvalue=(0.0, 0.0))
    return {
        "market": book.symbol,
        "timestamp": book.exchange_time_ms or 0,
        "total_ask_size": sum(size for _, size in book.asks),
        "total_bid_size": sum(size for _, size in book.bids),
        "orderbook_units": [
            {"ask_price": ask[0], "bid_price": bid[0], "ask_size": ask[1], "bid_size": bid[1]}
            for ask, bid in pairs
        ],
        "level": 0,
    }
