"""Binance's REST side: time, symbols and books.

Source: binance-spot-api-docs, "rest-api", market data endpoints; weights of `/depth` as there.
USD-M futures answer alike under `/fapi/v1`. [their weights inferred, as in `exchanges`]
"""

from collections.abc import Mapping, Sequence

from ..messages import Level, Snapshot
from .rest_replies import RestReply, RestRequest, reply

__all__ = ["binance_rest"]

_WEIGHTS = {
    "/api/v3": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "/fapi/v1": ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
"""What `/depth` weighs up to so many levels, by what stands before it."""


def binance_rest(request: RestRequest) -> RestReply:
    """Answer a request for `ping`, `time`, `exchangeInfo` or `depth`."""
    prefix, _, name = request.path.rpartition("/")
    if prefix not in _WEIGHTS:
        return reply({"code": -1000, "msg": "not simulated"}, status=404)
    match name:
        case "ping":
            return reply({})
        case "time":
            return reply({"serverTime": request.now_ms})
        case "exchangeInfo":
            return reply(_info(request), weight=20)
        case "depth":
            return _depth(request, _WEIGHTS[prefix])
    return reply({"code": -1000, "msg": "not simulated"}, status=404)


def _depth(request: RestRequest, weights: Sequence[tuple[int, int]]) -> RestReply:
    book = request.books.get(request.query.get("symbol", ""))
    if book is None:
        return reply({"code": -1121, "msg": "Invalid symbol."}, status=400)
    limit = request.query.get("limit", "100")
    if not limit.isdecimal() or not 1 <= int(limit) <= weights[-1][0]:
        return reply({"code": -1130, "msg": "Illegal 'limit'."}, status=400)
    weight = next(weight for most, weight in weights if int(limit) <= most)
    content = {
        "lastUpdateId": book.sequence or 0,
        "bids": _written(book.bids[: int(limit)]),
        "asks": _written(book.asks[: int(limit)]),
    }
    return reply(content, weight=weight)


def _info(request: RestRequest) -> Mapping[str, object]:
    return {
        "timezone": "UTC",
        "serverTime": request.now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [_symbol(book) for book in request.books.values()],
    }


def _symbol(book: Snapshot) -> Mapping[str, object]:
    quote = next((each for each in ("USDT", "BTC", "ETH") if book.symbol.endswith(each)), "")
    return {
        "symbol": book.symbol,
        "status": "TRADING",
        "baseAsset": book.symbol.removesuffix(quote),
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [],
        "permissions": ["SPOT"],
    }


def _written(levels: tuple[Level, ...]) -> list[tuple[str, str]]:
    return [(f"{price:.8f}", f"{size:.8f}") for price, size in levels]
