"""What an exporter reads of market data: live, and nothing added up before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from ..analysis import LagHistogram
from ..messages import AnomalyAlert, FeedMetrics
from ..runtime import Clock, Mailbox

__all__ = ["Vitals"]


@attrs.frozen(kw_only=True)
class Vitals:
    """The parts of market data as they are; from any thread, without stopping anybody.

    Far cheaper than `MarketData.metrics`, which also cuts quantiles for each symbol.
    """

    mailboxes: Mapping[str, Mailbox]
    """By key, live: copy before iterating."""
    feeds: Callable[[], tuple[FeedMetrics, ...]]
    anomalies: Callable[[], tuple[AnomalyAlert, ...]]
    """What is wrong now."""
    remedies: Callable[[], Mapping[tuple[str, str], int]]
    """How often each remedy was chosen, by its name and its outcome."""
    threshold_ms: Callable[[str], float | None]
    """By key, the lag from which on a symbol's queue counts as standing; None where not known."""
    dead_letters: Callable[[], Mapping[str, int]]
    """By reason."""
    delays: Callable[[], Mapping[str, LagHistogram]]
    """By exchange, how much later than its stamp the newest snapshot came, once an interval."""
    clock: Clock
