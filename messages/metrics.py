"""What is measured of mailboxes and feeds."""

from collections.abc import Mapping

import attrs

__all__ = ["FeedMetrics", "MetricsSample", "QueueMetrics", "QueueTick", "Totals"]


@attrs.frozen(kw_only=True)
class QueueMetrics:
    """One symbol's mailbox: what waits now, and everything since the start."""

    key: str
    depth: int
    """Snapshots waiting now."""
    depth_max: int
    """Greatest depth since the start."""
    capacity: int
    lag_ms: float
    """Lag of the snapshot handled last; 0 before the first."""
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    oldest_age_ms: float
    """How long the head has waited so far; 0 when empty."""
    silence_s: float | None
    """Time since the last snapshot was accepted; None before the first."""
    offered: int
    handled: int
    failed: int
    dropped: int
    conflated: int
    expired: int
    rejected: int
    restarts: int
    status: str
    """`running`, `restarting`, `quarantined` or `stopped`."""

    @property
    def shed(self) -> int:
        """Not handled on purpose, for whichever reason."""
        return self.dropped + self.conflated + self.expired + self.rejected


@attrs.frozen
class QueueTick:
    """What one mailbox did in one interval, a second by default."""

    lag_min_ms: float
    """Least lag of what was handled; 0 when nothing was."""
    lag_max_ms: float
    depth_max: int
    handled: int
    oldest_age_ms: float
    """How long the head has waited, at the end of the interval."""
    interval_s: float = 1.0
    lag_p50_ms: float = 0.0
    lag_p99_ms: float = 0.0
    shed: int = 0
    """Dropped, conflated and expired. What was rejected is no loss."""
    failed: int = 0


@attrs.frozen(kw_only=True)
class FeedMetrics:
    """One feed's connection: its state, and everything since the start."""

    name: str
    exchange: str
    state: str
    """`connecting`, `subscribing`, `streaming`, `backoff`, ... (`actors.connection_states`)."""
    frames: int
    snapshots: int
    reconnects: int
    bad_frames: Mapping[str, int]
    """Frames that could not be used, by reason."""
    silence_s: float | None
    """Time since the last frame; None before the first."""
    last_error: str | None = None
    """Why the connection was last lost or refused."""
    backlog_bytes: int = 0
    """What has arrived at the socket and was not read yet."""
    gaps: int = 0
    """Jumps in the exchange's numbers that its protocol told of."""
    delay_ms: float | None = None
    """Receive time less the exchange's time stamp, of the newest snapshot; None without a stamp.

    Clocks differ: only its growth above its own recent minimum says something."""


@attrs.frozen(kw_only=True)
class Totals:
    """The sum over all mailboxes, since the start."""

    offered: int = 0
    handled: int = 0
    failed: int = 0
    dropped: int = 0
    conflated: int = 0
    expired: int = 0
    rejected: int = 0
    depth: int = 0
    restarts: int = 0
    dead_letters: Mapping[str, int] = attrs.field(factory=dict)
    """Messages nobody could take, by reason: `stopped`, `unhandled`."""


@attrs.frozen(kw_only=True)
class MetricsSample:
    """All mailboxes and feeds at one time.

    What the metrics actor tells every interval has no `queues` and no `totals`: they take time,
    and are there for who asks (`MarketData.metrics`).
    """

    at_unix_s: float
    ticks: Mapping[str, QueueTick]
    """By key: the last whole interval. Empty before the first has passed."""
    feeds: tuple[FeedMetrics, ...]
    missing: int = 0
    """Symbols that have no snapshot yet."""
    interval_s: float = 1.0
    """How long the last whole interval was."""
    queues: Mapping[str, QueueMetrics] = attrs.field(factory=dict)
    """By key: now, and since the start."""
    totals: Totals = attrs.field(factory=Totals)
