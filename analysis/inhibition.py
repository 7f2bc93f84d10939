"""Which alerts say nothing new while another one fires."""

from __future__ import annotations

from collections.abc import Collection, Container

from ..messages import AnomalyAlert
from .alert_settings import AlertSettings

__all__ = ["exchange_of", "is_muted"]


def exchange_of(key: str | None) -> str:
    """Return the exchange of a symbol (`upbit:KRW-BTC`) or of a feed (`upbit`, `upbit#2`)."""
    return (key or "").partition(":")[0].partition("#")[0]


def is_muted(
    anomaly: AnomalyAlert,
    firing: Collection[AnomalyAlert],
    settings: AlertSettings,
    *,
    cut_off: Container[str] = (),
) -> bool:
    """Return whether those of the muting kinds that are `firing` are the reason for this one, too.

    A symbol's is muted when it is `cut_off`: all feeds that bring it are lost or silent. A feed's
    own is muted by what ranks higher among the muting kinds.
    """
    if anomaly.kind in settings.never_muted:
        return False
    if anomaly.key is not None and anomaly.key in cut_off:
        return True
    return any(
        source.key == anomaly.key and _rank(source, settings) < _rank(anomaly, settings)
        for source in firing
    )


def _rank(anomaly: AnomalyAlert, settings: AlertSettings) -> int:
    """Return the place among those that mute; whoever stands before mutes who stands behind."""
    if anomaly.kind not in settings.muting:
        return len(settings.muting)
    return settings.muting.index(anomaly.kind)
