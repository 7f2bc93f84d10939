"""What each simulated exchange demands of a connection: pings, idleness, lifetime, limits."""

from collections.abc import Mapping

import attrs

from ..exchanges import Budget

__all__ = ["VENUE_RULES", "VenueRules"]


@attrs.frozen(kw_only=True)
class VenueRules:
    """How an exchange treats who is connected to it; None means that it does not mind."""

    ping_interval_s: float | None = None
    """How often it pings."""
    pong_timeout_s: float = 60.0
    """After so long without the pong it closes the connection."""
    idle_limit_s: float | None = None
    """A connection on which nothing was said for so long, either way, is closed."""
    lifetime_s: float | None = None
    """A connection is closed when it is so old."""
    connects: tuple[Budget, ...] = ()
    """Handshakes beyond any of these are refused with 429."""
    ban_s: float | None = None
    """Who goes on after ten refusals is refused with 418 for so long, and twice as long the next
    time."""
    messages: tuple[Budget, ...] = ()
    """A connection that sends more than any of these is closed."""
    rest_weight: int | None = None
    """So much may be asked for over REST in a minute; more is refused with 429."""


_BYBIT = VenueRules(
    # bybit-exchange.github.io/docs/v5/ws/connect: cut after 10 minutes without ping and data; 500
    # connections in 5 minutes.
    idle_limit_s=600.0,
    connects=(Budget(500, 300.0),),
    ban_s=600.0,
)

VENUE_RULES: Mapping[str, VenueRules] = {
    "upbit": VenueRules(
        # docs.upbit.com, "connection" and "rate-limits". It does not say how long a ban is, only
        # that it grows, nor what becomes of a connection that says too much. [inferred: closed]
        idle_limit_s=120.0,
        connects=(Budget(5, 1.0),),
        ban_s=60.0,
        messages=(Budget(5, 1.0), Budget(100, 60.0)),
        rest_weight=600,
    ),
    "binance": VenueRules(
        # binance-spot-api-docs, "web-socket-streams", general information.
        ping_interval_s=20.0,
        pong_timeout_s=60.0,
        lifetime_s=24 * 3600.0,
        connects=(Budget(300, 300.0),),
        ban_s=120.0,
        messages=(Budget(5, 1.0),),
        rest_weight=6000,
    ),
    "binance-usdm": VenueRules(
        # developers.binance.com, USD-M futures, "WebSocket market streams".
        ping_interval_s=180.0,
        pong_timeout_s=600.0,
        lifetime_s=24 * 3600.0,
        connects=(Budget(300, 300.0),),
        ban_s=120.0,
        messages=(Budget(10, 1.0),),
        rest_weight=2400,
    ),
    "bithumb": VenueRules(
        # apidocs.bithumb.com: 10 connections a second, then a block of 10 minutes.
        idle_limit_s=120.0,
        connects=(Budget(10, 1.0),),
        ban_s=600.0,
    ),
    "bybit": _BYBIT,
    "bybit-linear": _BYBIT,
}
"""By the exchange's name; one that is not here demands nothing."""
