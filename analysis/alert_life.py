"""One alert's life: pending, firing, resolved."""

from __future__ import annotations

import enum

import attrs

from ..messages import Alert, AnomalyAlert, AnomalyState
from .alert_settings import AlertSettings

__all__ = ["AlertLife", "AlertPhase"]


class AlertPhase(enum.Enum):
    """Where an alert is in its life; Prometheus's words."""

    PENDING = "pending"
    """Its anomaly has not lasted long enough."""
    FIRING = "firing"
    """Its anomaly lasts, or was there a short time ago."""
    RESOLVED = "resolved"
    """It is over."""


@attrs.define(eq=False)
class AlertLife:
    """Follow one anomaly from pending to resolved; one thread at a time.

    Source: Prometheus, "Alerting rules": `for`, `keep_firing_for`.
    """

    anomaly: AnomalyAlert
    """What was last said of it while it was there."""
    came_s: float
    """When it came, monotonic."""
    starts_unix_s: float
    phase: AlertPhase = AlertPhase.PENDING
    gone_s: float | None = None
    """When its anomaly went away, monotonic; None while it is there."""
    ends_unix_s: float | None = None
    told: bool = False
    """Whether receivers know that it fires."""
    muted: bool = False
    """Whether receivers are not to hear of it now."""

    def note(self, anomaly: AnomalyAlert, now_s: float, unix_s: float) -> None:
        """Take what is said of the anomaly now.

        One that comes back before anybody was told of its end never ended.
        """
        if anomaly.state is AnomalyState.CLEARED:
            self._go(now_s, unix_s)
            return
        self.anomaly, self.gone_s, self.ends_unix_s = anomaly, None, None
        if self.phase is AlertPhase.RESOLVED and self.told:
            self.phase = AlertPhase.FIRING
        elif self.phase is AlertPhase.RESOLVED:
            self.phase, self.came_s, self.starts_unix_s = AlertPhase.PENDING, now_s, unix_s

    def advance(self, now_s: float, unix_s: float, settings: AlertSettings) -> None:
        """Fire, or resolve, if it is time to."""
        if self.phase is AlertPhase.PENDING:
            at_once = self.anomaly.kind in settings.at_once
            if at_once or now_s - self.came_s >= settings.for_s:
                self.phase = AlertPhase.FIRING
        gone_s = self.gone_s
        if self.phase is AlertPhase.FIRING and gone_s is not None:
            over = now_s - gone_s >= settings.keep_firing_s
            self.phase = AlertPhase.RESOLVED if over else AlertPhase.FIRING
            self.ends_unix_s = unix_s if over else None

    @property
    def fires(self) -> bool:
        """Whether it fires and receivers may hear of it."""
        return self.phase is AlertPhase.FIRING and not self.muted

    @property
    def alert(self) -> Alert:
        """What receivers are told of it."""
        return Alert(
            anomaly=self.anomaly, starts_unix_s=self.starts_unix_s, ends_unix_s=self.ends_unix_s
        )

    def _go(self, now_s: float, unix_s: float) -> None:
        if self.phase is AlertPhase.PENDING:
            self.phase, self.ends_unix_s = AlertPhase.RESOLVED, unix_s
        elif self.gone_s is None:
            self.gone_s = now_s
