"""What is said: immutable messages, and the errors raised."""

from .anomalies import AnomalyAlert, AnomalyState, Severity
from .connections import (
    ConnectionLost,
    ConnectionOpened,
    ConnectionRefused,
    ConnectionStreaming,
)
from .errors import (
    BadFrame,
    Deadlock,
    ExchangeFault,
    ExchangeReplied,
    InvalidOption,
    MissingExtra,
    TicklaneError,
    TooManySymbols,
    UnknownKey,
    UsageError,
    WaitTimeout,
    WrongState,
)
from .feeds import (
    BookResynced,
    FeedConnected,
    FeedEvent,
    FeedLost,
    FeedStalled,
    GapDetected,
    SequenceReset,
)
from .lifecycle import ChildFailed, ChildGivenUp, ChildStopped
from .market import Level, Outcome, Snapshot
from .metrics import FeedMetrics, MetricsSample, QueueMetrics, QueueTick, Totals

__all__ = [
    "AnomalyAlert",
    "AnomalyState",
    "BadFrame",
    "BookResynced",
    "ChildFailed",
    "ChildGivenUp",
    "ChildStopped",
    "ConnectionLost",
    "ConnectionOpened",
    "ConnectionRefused",
    "ConnectionStreaming",
    "Deadlock",
    "ExchangeFault",
    "ExchangeReplied",
    "FeedConnected",
    "FeedEvent",
    "FeedLost",
    "FeedMetrics",
    "FeedStalled",
    "GapDetected",
    "InvalidOption",
    "Level",
    "MetricsSample",
    "MissingExtra",
    "Outcome",
    "QueueMetrics",
    "QueueTick",
    "SequenceReset",
    "Severity",
    "Snapshot",
    "TicklaneError",
    "TooManySymbols",
    "Totals",
    "UnknownKey",
    "UsageError",
    "WaitTimeout",
    "WrongState",
]
