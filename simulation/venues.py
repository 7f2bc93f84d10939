"""The table of simulated exchanges."""

from collections.abc import Callable, Mapping

from ..messages import InvalidOption
from .binance_rest import binance_rest
from .binance_venue import BinanceFuturesSession, BinanceSession
from .bithumb_venue import BithumbSession
from .bybit_venue import BybitSession
from .exchange_model import ExchangeModel
from .rest_replies import VenueRest
from .upbit_rest import upbit_rest
from .upbit_venue import UpbitSession
from .venue import VenueSession
from .venue_rules import VENUE_RULES, VenueRules

__all__ = ["VENUES", "model_of", "venue_named"]

OpenSession = Callable[[str], VenueSession]

VENUES: Mapping[str, OpenSession] = {
    "upbit": UpbitSession,
    "binance": BinanceSession,
    "binance-usdm": BinanceFuturesSession,
    "bithumb": BithumbSession,
    "bybit": BybitSession,
    "bybit-linear": BybitSession,
}
"""By the exchange's name: opens the session of a client from the path it connected to."""


def venue_named(name: str) -> OpenSession:
    """Return the simulated exchange `name`; raises InvalidOption for one there is not."""
    if name not in VENUES:
        raise InvalidOption("exchange", name, f"one of {', '.join(VENUES)}")
    return VENUES[name]


_RESTS: Mapping[str, VenueRest] = {
    "upbit": upbit_rest,
    "bithumb": upbit_rest,
    "binance": binance_rest,
    "binance-usdm": binance_rest,
}


def model_of(name: str, rules: VenueRules | None = None) -> ExchangeModel:
    """Return a model of the exchange `name`, with its own rules or with others.

    Raises InvalidOption for an exchange there is not.
    """
    own = VENUE_RULES.get(name, VenueRules())
    return ExchangeModel(venue_named(name), rules or own, rest=_RESTS.get(name))
