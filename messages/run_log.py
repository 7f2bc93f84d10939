"""What a run log holds, row by row."""

from typing import NamedTuple

__all__ = ["Rollup", "RunEvent", "RunSecond"]

# Named tuples and not attrs classes: a database takes them as they are, thousands at a time.


class Rollup(NamedTuple):
    """What one mailbox did in some seconds, ten by default."""

    at_unix_s: float
    """When they were over."""
    seconds: float
    key: str
    offered: int
    handled: int
    failed: int
    dropped: int
    conflated: int
    expired: int
    rejected: int
    restarts: int
    depth_max: int
    """Greatest depth in these seconds."""
    oldest_age_ms: float
    """The longest that the head had waited at the end of one of these seconds."""
    lag_min_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    lags: bytes
    """The whole distribution, as `analysis.pack_lags` packs it."""


class RunSecond(NamedTuple):
    """What one mailbox did in one interval, near an anomaly."""

    at_unix_s: float
    key: str
    handled: int
    failed: int
    shed: int
    depth_max: int
    oldest_age_ms: float
    lag_min_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float


class RunEvent(NamedTuple):
    """What happened at one time."""

    at_unix_s: float
    kind: str
    """`started`, `stopped`, `anomaly`, `feed_connected`, `feed_lost`, `restart`, ..."""
    key: str | None
    """The symbol or the connection it concerns."""
    detail: str
    """All that is known of it, as a JSON object."""
