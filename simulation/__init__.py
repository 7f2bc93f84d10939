"""The test kit: simulated exchanges and markets, recorded frames."""

from .capture import CapturedFrame, capture_exchange, capture_subscriptions, read_capture
from .loopback import LoopbackExchange
from .market import SyntheticMarket, demo_keys
from .venue import BookForm, Payload, VenueSession
from .venues import VENUES, venue_named
from .virtual_clock import VirtualClock
from .world import World

__all__ = [
    "VENUES",
    "BookForm",
    "CapturedFrame",
    "LoopbackExchange",
    "Payload",
    "SyntheticMarket",
    "VenueSession",
    "VirtualClock",
    "World",
    "capture_exchange",
    "capture_subscriptions",
    "demo_keys",
    "read_capture",
    "venue_named",
]
