"""Market data for a trading process: a bounded mailbox and an actor for every symbol."""

from loguru import logger

from ticklane.analysis import LongrunReport
from ticklane.exchanges import EXCHANGES, Feed
from ticklane.messages import (
    AnomalyAlert,
    MetricsSample,
    Outcome,
    QueueMetrics,
    Snapshot,
    TicklaneError,
)
from ticklane.supervisors import MarketData, RestartPolicy

__all__ = [
    "EXCHANGES",
    "AnomalyAlert",
    "Feed",
    "LongrunReport",
    "MarketData",
    "MetricsSample",
    "Outcome",
    "QueueMetrics",
    "RestartPolicy",
    "Snapshot",
    "TicklaneError",
    "__version__",
]

__version__ = "0.1.0"

# A library stays silent until its host says `logger.enable("ticklane")`.
logger.disable("ticklane")
