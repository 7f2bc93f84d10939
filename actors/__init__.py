"""Who says it: thin actors that receive, ask a plain value, and tell."""

from .alerts import AlertActor
from .analyzer import AnalyzerActor
from .apprise_sink import AppriseSink
from .audience import Audience, Subscription
from .book_desk import BookDesk, BookDesks
from .callbacks import CallbackActor
from .capture_file import CaptureEntry, CaptureFile
from .connect_gate import ConnectGate
from .connection import Connection
from .connection_states import CONNECTION_STATES
from .feed import FeedActor
from .feed_part import FeedPart
from .feed_status import FeedStatus
from .json_lines import JsonLinesActor, open_json_lines
from .metrics import MetricsActor
from .receivers import Receiver, ReceiverActor
from .recorder import RecorderActor
from .recording import Recording, RecordingTransport
from .remedies import RemedyActor
from .rest_gate import RestGate
from .run_log import RunLogActor
from .run_recorder import RunRecorder
from .sampler import Sampler
from .sinks import AlertmanagerSink, Sink, WebhookSink, sink_of
from .symbol import SymbolActor

__all__ = [
    "CONNECTION_STATES",
    "AlertActor",
    "AlertmanagerSink",
    "AnalyzerActor",
    "AppriseSink",
    "Audience",
    "BookDesk",
    "BookDesks",
    "CallbackActor",
    "CaptureEntry",
    "CaptureFile",
    "ConnectGate",
    "Connection",
    "FeedActor",
    "FeedPart",
    "FeedStatus",
    "JsonLinesActor",
    "MetricsActor",
    "Receiver",
    "ReceiverActor",
    "RecorderActor",
    "Recording",
    "RecordingTransport",
    "RemedyActor",
    "RestGate",
    "RunLogActor",
    "RunRecorder",
    "Sampler",
    "Sink",
    "Subscription",
    "SymbolActor",
    "WebhookSink",
    "open_json_lines",
    "sink_of",
]
