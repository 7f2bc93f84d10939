"""The table of simulated exchanges."""

from collections.abc import Callable, Mapping

from ..messages import InvalidOption
from .binance_venue import BinanceSession
from .upbit_venue import UpbitSession
from .venue import VenueSession

__all__ = ["VENUES", "venue_named"]

OpenSession = Callable[[str], VenueSession]

VENUES: Mapping[str, OpenSession] = {"upbit": UpbitSession, "binance": BinanceSession}
"""By the exchange's name: opens the session of a client from the path it connected to."""


def venue_named(name: str) -> OpenSession:
    """Return the simulated exchange `name`; raises InvalidOption for one there is not."""
    if name not in VENUES:
        raise InvalidOption("exchange", name, f"one of {', '.join(VENUES)}")
    return VENUES[name]
