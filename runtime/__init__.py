"""What actors run on."""

from .actor import Actor
from .clock import Clock, SystemClock
from .dead_letters import DeadLetters
from .dispatcher import Dispatcher, Dispatching
from .http_post import HttpPost, Post
from .inbox import Inbox
from .intake import OVERFLOW_POLICIES
from .mailbox import Mailbox
from .measure import TickTaker, queue_metrics
from .reader import Reader
from .reply import Reply
from .rest import Answer, Fetch, HttpRest, Rest
from .rollups import ROLLUP_S, Rollups
from .run_logs import convert_log, read_entries, report_on
from .run_reader import RunReader
from .run_store import RunBatch, RunStore
from .timers import Timer, Timers
from .transport import Link, Receiver, Transport
from .websocket_transport import WebSocketTransport

__all__ = [
    "OVERFLOW_POLICIES",
    "ROLLUP_S",
    "Actor",
    "Answer",
    "Clock",
    "DeadLetters",
    "Dispatcher",
    "Dispatching",
    "Fetch",
    "HttpPost",
    "HttpRest",
    "Inbox",
    "Link",
    "Mailbox",
    "Post",
    "Reader",
    "Receiver",
    "Reply",
    "Rest",
    "Rollups",
    "RunBatch",
    "RunReader",
    "RunStore",
    "SystemClock",
    "TickTaker",
    "Timer",
    "Timers",
    "Transport",
    "WebSocketTransport",
    "convert_log",
    "queue_metrics",
    "read_entries",
    "report_on",
]
