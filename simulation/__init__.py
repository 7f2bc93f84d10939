"""The test kit: a world, simulated exchanges and markets, recorded frames, faults, campaigns."""

from .campaign import CAMPAIGN_SECONDS, Campaign, CampaignResult, campaign_keys
from .capture import (
    CapturedAnswer,
    CapturedFrame,
    capture_answers,
    capture_connections,
    capture_exchange,
    capture_subscriptions,
    read_capture,
)
from .exchange_faults import (
    Burst,
    Disconnect,
    HalfOpen,
    RateLimit,
    RejectSubscription,
    Shutdown,
    Stall,
)
from .exchange_model import ExchangeModel
from .fault import ExchangeFault, Fault, StreamFault, SymbolFault, Symptom
from .fault_plan import parse_plan, play, read_plan, write_plan
from .fault_target import FaultTarget
from .faults import FAULTS
from .host_faults import ClockDrift, ClockJump, HandlerCrash, PoisonMessage, SlowDisk, SlowHandler
from .inspection import Broken, Inspection
from .live_scene import LiveClock, LiveScene
from .loopback import LoopbackExchange
from .market import SyntheticMarket, demo_keys, demo_symbols
from .random_plan import random_plan
from .replay_transport import ReplayTransport
from .scene import Scene, WorldScene
from .stream_faults import CorruptFrame, Duplicate, Gap, Reorder
from .venue import BookForm, Payload, VenueSession
from .venue_rules import VENUE_RULES, VenueRules
from .venues import VENUES, venue_named
from .virtual_clock import VirtualClock
from .world import World
from .world_exchange import WorldExchange
from .world_transport import WorldTransport

__all__ = [
    "CAMPAIGN_SECONDS",
    "FAULTS",
    "VENUES",
    "VENUE_RULES",
    "BookForm",
    "Broken",
    "Burst",
    "Campaign",
    "CampaignResult",
    "CapturedAnswer",
    "CapturedFrame",
    "ClockDrift",
    "ClockJump",
    "CorruptFrame",
    "Disconnect",
    "Duplicate",
    "ExchangeFault",
    "ExchangeModel",
    "Fault",
    "FaultTarget",
    "Gap",
    "HalfOpen",
    "HandlerCrash",
    "Inspection",
    "LiveClock",
    "LiveScene",
    "LoopbackExchange",
    "Payload",
    "PoisonMessage",
    "RateLimit",
    "RejectSubscription",
    "Reorder",
    "ReplayTransport",
    "Scene",
    "Shutdown",
    "SlowDisk",
    "SlowHandler",
    "Stall",
    "StreamFault",
    "SymbolFault",
    "Symptom",
    "SyntheticMarket",
    "VenueRules",
    "VenueSession",
    "VirtualClock",
    "World",
    "WorldExchange",
    "WorldScene",
    "WorldTransport",
    "campaign_keys",
    "capture_answers",
    "capture_connections",
    "capture_exchange",
    "capture_subscriptions",
    "demo_keys",
    "demo_symbols",
    "parse_plan",
    "play",
    "random_plan",
    "read_capture",
    "read_plan",
    "venue_named",
    "write_plan",
]
