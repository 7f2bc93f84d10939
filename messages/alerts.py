"""What receivers of alerts are told, and what was done about an anomaly."""

import attrs

from .anomalies import AnomalyAlert

__all__ = ["Alert", "AlertNotice", "ReceiverMetrics", "RemedyTaken"]


@attrs.frozen(kw_only=True)
class Alert:
    """One anomaly as receivers are told: since when it fires, and until when it did."""

    anomaly: AnomalyAlert
    starts_unix_s: float
    ends_unix_s: float | None = None
    """None while it fires."""

    @property
    def resolved(self) -> bool:
        """Whether it is over."""
        return self.ends_unix_s is not None


@attrs.frozen(kw_only=True)
class AlertNotice:
    """What one group of alerts has to say: all that fire, and those resolved since the last."""

    kind: str
    """The kind its alerts share; empty where they share none."""
    exchange: str
    """The exchange they share; empty where they share none."""
    alerts: tuple[Alert, ...]
    at_unix_s: float
    """When it is sent."""

    @property
    def resolved(self) -> bool:
        """Whether all of it is over."""
        return all(alert.resolved for alert in self.alerts)


@attrs.frozen(kw_only=True)
class ReceiverMetrics:
    """One receiver of alerts: what waits for it now, and everything since the start."""

    name: str
    """Its URL without what may be secret."""
    sent: int
    failed: int
    """Attempts that failed; each is tried again."""
    refused: int
    """Notices it will never take."""
    dropped: int
    """Notices lost for want of room while it could not be reached."""
    waiting: int
    last_error: str | None = None


@attrs.frozen(kw_only=True)
class RemedyTaken:
    """Something was done about an anomaly."""

    name: str
    """`restart_symbol`, `shed_symbol` or `reconnect_feed`."""
    key: str
    """The symbol or the feed it was done to."""
    reason: str
    """What the anomaly said."""
    at_unix_s: float
