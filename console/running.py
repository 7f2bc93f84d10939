"""What all commands that run a market have in common: showing it, and the last words."""

import math
import threading
import time

from ..analysis import render_report
from ..messages import AnomalyAlert, MetricsSample, Totals
from ..supervisors import MarketData
from .output import tell
from .table import Table

__all__ = ["alert_line", "follow", "tell_end", "totals_line"]

_PERIOD_S = 1.0


def follow(
    market: MarketData,
    table: Table,
    *,
    until: threading.Event | None = None,
    deadline_s: float = math.inf,
) -> None:
    """Show the market once a second, until the event is set or the monotonic time has come.

    KeyboardInterrupt passes through.
    """
    over = until or threading.Event()
    while (left_s := deadline_s - time.monotonic()) > 0:
        if over.wait(min(_PERIOD_S, left_s)):
            return
        table.show(market.metrics(), market.anomalies())


def alert_line(alert: AnomalyAlert) -> str:
    """Return an anomaly as a line with the time of day."""
    return f"{time.strftime('%H:%M:%S')} {alert.kind} {alert.state}: {alert.message}"


def tell_end(market: MarketData) -> MetricsSample:
    """Print the report on a run that is over, feeds and totals; return the last sample."""
    sample = market.metrics()
    tell(f"\n{render_report(market.report())}\n")
    for feed in sample.feeds:
        bad = sum(feed.bad_frames.values())
        tell(
            f"{feed.name}: {feed.snapshots} snapshots in {feed.frames} frames, "
            f"{bad} of them unusable, {feed.reconnects} reconnects"
            + (f", last error: {feed.last_error}" if feed.last_error else "")
        )
    tell(totals_line(sample.totals))
    return sample


def totals_line(totals: Totals) -> str:
    """Return what became of all snapshots; both sides are equal when nothing was miscounted."""
    parts = ("handled", "failed", "dropped", "conflated", "expired", "rejected")
    told = " + ".join(f"{getattr(totals, part)} {part}" for part in parts)
    return f"totals: {totals.offered} offered = {told} + {totals.depth} waiting"
