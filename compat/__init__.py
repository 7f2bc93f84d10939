"""The names a host written against the older design uses: it changes an import and nothing else.

What differs from the older design, on purpose:

- A lag is how long a book waited, never the time since one came, and `latest` never goes back.
- `symbol_queues` holds no `asyncio.Queue`: `qsize()` and `empty()` are all there is. It and
  `latest_snapshots` are copies, so that they may be walked through while books come.
- Reports and alerts are the new ones. `LongrunReport` cannot be changed; its `anomalies` are a
  tuple, its times unix seconds, `duration_minutes` is measured, and `spread_bps_stats` is
  `spread_bps_stats`. `AnomalyAlert.category` is `kind`, its `timestamp` is `since_unix_s`.
  `MetricStats` keeps no `values`, its `update` is `add`. `LongrunAnalyzer.thresholds` is `limits`.
  An unknown scenario and a log that is not there are errors, and what no entry tells of is not
  judged.
- `MetricsCollector` has no queue of its own (`aqueue_metrics`, `astart_queue_processing`,
  `astop_queue_processing`) and counts nothing of guards.
"""

from ..analysis import LongrunAnalyzer, LongrunReport, MetricStats, analyze_longrun_log
from ..messages import AnomalyAlert
from .longrun_runner import MultiSymbolLongrunRunner
from .metrics_collector import MetricsCollector
from .order_book import OrderBookSnapshot
from .provider import WebSocketAdapter, WebSocketMarketDataProvider
from .symbol_queue import SymbolQueue

__all__ = [
    "AnomalyAlert",
    "LongrunAnalyzer",
    "LongrunReport",
    "MetricStats",
    "MetricsCollector",
    "MultiSymbolLongrunRunner",
    "OrderBookSnapshot",
    "SymbolQueue",
    "WebSocketAdapter",
    "WebSocketMarketDataProvider",
    "analyze_longrun_log",
]
