"""What actors run on."""

from .actor import Actor
from .clock import Clock, SystemClock
from .dead_letters import DeadLetters
from .dispatcher import Dispatcher, Dispatching
from .inbox import Inbox
from .mailbox import OVERFLOW_POLICIES, Mailbox
from .measure import TickTaker, queue_metrics
from .reader import Reader
from .reply import Reply
from .timers import Timer, Timers
from .transport import Link, Receiver, Transport
from .websocket_transport import WebSocketTransport

__all__ = [
    "OVERFLOW_POLICIES",
    "Actor",
    "Clock",
    "DeadLetters",
    "Dispatcher",
    "Dispatching",
    "Inbox",
    "Link",
    "Mailbox",
    "Reader",
    "Receiver",
    "Reply",
    "SystemClock",
    "TickTaker",
    "Timer",
    "Timers",
    "Transport",
    "WebSocketTransport",
    "queue_metrics",
]
