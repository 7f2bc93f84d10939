"""Decisions as plain values: no thread, no socket, no clock; time comes in as an argument."""

from .adaptive_capacity import AdaptiveCapacity
from .backoff import Backoff, FullJitter
from .controlled_delay import ControlledDelay
from .freshness import Freshness, Verdict
from .histogram import LagHistogram
from .longrun import LongrunAnalyzer
from .longrun_log import analyze_longrun_log
from .longrun_report import LongrunReport, render_report
from .longrun_tally import LongrunTally
from .metric_stats import MetricStats
from .pace import Pace
from .queue_rules import QueueRules
from .rate_budget import RateBudget
from .restart_window import RestartWindow
from .run_summary import RunSummary
from .scenarios import SCENARIOS, ScenarioLimits, limits_of
from .watch import Watch

__all__ = [
    "SCENARIOS",
    "AdaptiveCapacity",
    "Backoff",
    "ControlledDelay",
    "Freshness",
    "FullJitter",
    "LagHistogram",
    "LongrunAnalyzer",
    "LongrunReport",
    "LongrunTally",
    "MetricStats",
    "Pace",
    "QueueRules",
    "RateBudget",
    "RestartWindow",
    "RunSummary",
    "ScenarioLimits",
    "Verdict",
    "Watch",
    "analyze_longrun_log",
    "limits_of",
    "render_report",
]
