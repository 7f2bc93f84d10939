"""Decisions as plain values: no thread, no socket, no clock; time comes in as an argument."""

from ..messages import QueueTick
from .adaptive_capacity import AdaptiveCapacity
from .alert_life import AlertLife, AlertPhase
from .alert_pace import AlertPace
from .alert_rules import AlertRules
from .alert_settings import AlertSettings
from .anomalies import Anomalies
from .anomaly_spans import AnomalySpan, AnomalySpans
from .backoff import Backoff, FullJitter
from .closeups import Closeups
from .controlled_delay import ControlledDelay
from .detector_verdict import DetectorVerdict
from .feed_detectors import FeedDetector
from .feed_history import FeedHistory
from .flapping import Flapping
from .freshness import Freshness, Verdict, is_newer
from .histogram import FIRST_BUCKET, SHIFT, LagHistogram, bucket_middle
from .inhibition import exchange_of, is_muted
from .lag_blob import pack_lags, unpack_lags
from .lag_record import LagRecord
from .lag_sum import LagSum, SpreadLags, spread_lags
from .lockout import Lockout
from .longrun import LongrunAnalyzer
from .longrun_log import analyze_longrun_log, read_longrun_log
from .longrun_report import LongrunReport, render_report
from .longrun_tally import LongrunTally, parse_unix_s
from .metric_stats import MetricStats
from .outbox import Outbox
from .pace import Pace
from .queue_detector import QueueDetector
from .queue_rules import QueueRules
from .quiet_symbols import QuietSymbols
from .rate_budget import RateBudget, RateBudgets
from .recent_count import RecentCount
from .rejections import Rejections
from .remedy_plan import REMEDIES, RemedyPlan
from .restart_window import RestartWindow
from .resync import ResyncScheduler
from .rhythm import Rhythm
from .run_report import RunReport, RunTally, SymbolReport
from .run_summary import RunSummary
from .scenarios import SCENARIOS, ScenarioLimits, limits_of
from .silence import Silence, SilenceLimits, SilenceVerdict
from .sliding_minimum import SlidingMinimum
from .spikes import Spikes
from .stall import Stall
from .standing import StandingQueue
from .time_line import TimeLine, TimePoint
from .watch import Watch
from .weight_budget import WeightBudget

__all__ = [
    "FIRST_BUCKET",
    "REMEDIES",
    "SCENARIOS",
    "SHIFT",
    "AdaptiveCapacity",
    "AlertLife",
    "AlertPace",
    "AlertPhase",
    "AlertRules",
    "AlertSettings",
    "Anomalies",
    "AnomalySpan",
    "AnomalySpans",
    "Backoff",
    "Closeups",
    "ControlledDelay",
    "DetectorVerdict",
    "FeedDetector",
    "FeedHistory",
    "Flapping",
    "Freshness",
    "FullJitter",
    "LagHistogram",
    "LagRecord",
    "LagSum",
    "Lockout",
    "LongrunAnalyzer",
    "LongrunReport",
    "LongrunTally",
    "MetricStats",
    "Outbox",
    "Pace",
    "QueueDetector",
    "QueueRules",
    "QueueTick",
    "QuietSymbols",
    "RateBudget",
    "RateBudgets",
    "RecentCount",
    "Rejections",
    "RemedyPlan",
    "RestartWindow",
    "ResyncScheduler",
    "Rhythm",
    "RunReport",
    "RunSummary",
    "RunTally",
    "ScenarioLimits",
    "Silence",
    "SilenceLimits",
    "SilenceVerdict",
    "SlidingMinimum",
    "Spikes",
    "SpreadLags",
    "Stall",
    "StandingQueue",
    "SymbolReport",
    "TimeLine",
    "TimePoint",
    "Verdict",
    "Watch",
    "WeightBudget",
    "analyze_longrun_log",
    "bucket_middle",
    "exchange_of",
    "is_muted",
    "is_newer",
    "limits_of",
    "pack_lags",
    "parse_unix_s",
    "read_longrun_log",
    "render_report",
    "spread_lags",
    "unpack_lags",
]
