"""The test kit: simulated exchanges and markets, recorded frames."""

from .capture import (
    CapturedFrame,
    capture_connections,
    capture_exchange,
    capture_subscriptions,
    read_capture,
)
from .exchange_model import ExchangeModel
from .fault_target import FaultTarget
from .loopback import LoopbackExchange
from .market import SyntheticMarket, demo_keys, demo_symbols
from .venue import BookForm, Payload, VenueSession
from .venue_rules import VENUE_RULES, VenueRules
from .venues import VENUES, venue_named
from .virtual_clock import VirtualClock
from .world import World
from .world_exchange import WorldExchange
from .world_transport import WorldTransport

__all__ = [
    "VENUES",
    "VENUE_RULES",
    "BookForm",
    "CapturedFrame",
    "ExchangeModel",
    "FaultTarget",
    "LoopbackExchange",
    "Payload",
    "SyntheticMarket",
    "VenueRules",
    "VenueSession",
    "VirtualClock",
    "World",
    "WorldExchange",
    "WorldTransport",
    "capture_connections",
    "capture_exchange",
    "capture_subscriptions",
    "demo_keys",
    "demo_symbols",
    "read_capture",
    "venue_named",
]
