"""Who says it: thin actors that receive, ask a plain value, and tell."""

from .analyzer import AnalyzerActor
from .audience import Audience, Subscription
from .callbacks import CallbackActor
from .connect_gate import ConnectGate
from .connection import Connection
from .connection_states import CONNECTION_STATES
from .feed import FeedActor
from .feed_status import FeedStatus
from .metrics import MetricsActor
from .run_log import RunLogActor, open_run_log
from .sampler import Sampler
from .symbol import SymbolActor

__all__ = [
    "CONNECTION_STATES",
    "AnalyzerActor",
    "Audience",
    "CallbackActor",
    "ConnectGate",
    "Connection",
    "FeedActor",
    "FeedStatus",
    "MetricsActor",
    "RunLogActor",
    "Sampler",
    "Subscription",
    "SymbolActor",
    "open_run_log",
]
