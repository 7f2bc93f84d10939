"""How alerts are written for those who read Alertmanager's formats, and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from ..analysis import exchange_of
from ..messages import Alert, AlertNotice, AnomalyAlert, Severity

__all__ = ["alertmanager_payload", "lines_of", "title_of", "webhook_payload"]

_Labels = Mapping[str, str]

_SEVERITIES = {Severity.INFO: "info", Severity.WARN: "warning", Severity.ERROR: "critical"}
_NOT_ENDED = "0001-01-01T00:00:00Z"
"""Go's zero time, by which Alertmanager's webhooks say that an alert still fires."""


def webhook_payload(notice: AlertNotice) -> dict[str, Any]:
    """Return what Alertmanager's webhooks carry, version 4.

    Source: Alertmanager, "Configuration", `webhook_config`.
    """
    alerts = [_webhook_alert(alert) for alert in notice.alerts]
    group = _without_empty({"alertname": notice.kind, "exchange": notice.exchange})
    named = ", ".join(f'{name}="{value}"' for name, value in group.items())
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{named}}}",
        "truncatedAlerts": 0,
        "status": "resolved" if notice.resolved else "firing",
        "receiver": "ticklane",
        "groupLabels": group,
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "",
        "alerts": alerts,
    }


def alertmanager_payload(notice: AlertNotice, *, holds_s: float) -> list[dict[str, Any]]:
    """Return the body of `POST /api/v2/alerts`; what fires is resolved if not sent again in time.

    `holds_s`: how long that is. Source: Alertmanager, OpenAPI of its API v2, `postableAlerts`.
    """
    return [
        {
            "labels": _labels(alert.anomaly),
            "annotations": _annotations(alert.anomaly),
            "startsAt": _time(alert.starts_unix_s),
            "endsAt": _time(
                notice.at_unix_s + holds_s if alert.ends_unix_s is None else alert.ends_unix_s
            ),
        }
        for alert in notice.alerts
    ]


def title_of(notice: AlertNotice) -> str:
    """Return a notice in a few words."""
    number = sum(not alert.resolved for alert in notice.alerts)
    state = "resolved" if notice.resolved else f"firing: {number}"
    return " ".join(filter(None, (f"[{state}]", notice.kind, notice.exchange)))


def lines_of(notice: AlertNotice) -> str:
    """Return a line for each alert."""
    return "\n".join(
        f"resolved: {alert.anomaly.kind} of {alert.anomaly.key or 'the run'}"
        if alert.resolved
        else f"{alert.anomaly.severity}: {alert.anomaly.message}"
        for alert in notice.alerts
    )


def _webhook_alert(alert: Alert) -> dict[str, Any]:
    labels = _labels(alert.anomaly)
    return {
        "status": "resolved" if alert.resolved else "firing",
        "labels": labels,
        "annotations": _annotations(alert.anomaly),
        "startsAt": _time(alert.starts_unix_s),
        "endsAt": _NOT_ENDED if alert.ends_unix_s is None else _time(alert.ends_unix_s),
        "generatorURL": "",
        "fingerprint": _fingerprint(labels),
    }


def _labels(anomaly: AnomalyAlert) -> _Labels:
    of, colon, symbol = (anomaly.key or "").partition(":")
    return _without_empty(
        {
            "alertname": anomaly.kind,
            "kind": anomaly.kind,
            "severity": _SEVERITIES[anomaly.severity],
            "exchange": exchange_of(anomaly.key),
            "symbol": symbol,
            "feed": "" if colon else of,
        }
    )


def _annotations(anomaly: AnomalyAlert) -> _Labels:
    return _without_empty(
        {
            "summary": f"{anomaly.kind} of {anomaly.key or 'the run'}",
            "description": anomaly.message,
            "value": "" if anomaly.value is None else f"{anomaly.value:g}",
            "threshold": "" if anomaly.threshold is None else f"{anomaly.threshold:g}",
        }
    )


def _without_empty(labels: _Labels) -> _Labels:
    """Leave out what says nothing: to Prometheus a label without a value is no label."""
    return {name: value for name, value in labels.items() if value}


def _common(labels: Sequence[_Labels]) -> _Labels:
    """Return what all of them have in common."""
    first, *others = labels
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }


def _fingerprint(labels: _Labels) -> str:
    text = "\n".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _time(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
