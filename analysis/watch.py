"""Hold every mailbox against the rules, and know what is wrong now."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..messages import AnomalyAlert, AnomalyState, InvalidOption, MetricsSample
from .queue_rules import QueueRules

__all__ = ["Watch"]

THRESHOLDS = ("ws_queue_lag_warn_max", "ws_queue_depth_max")


def _check_thresholds(_: object, __: object, thresholds: Mapping[str, int]) -> None:
    for name in thresholds:
        if name not in THRESHOLDS:
            raise InvalidOption("thresholds", name, f"named among {', '.join(THRESHOLDS)}")
    QueueRules("", **thresholds)


@attrs.define
class Watch:
    """Judge all mailboxes, sample by sample, and keep what is wrong now.

    `thresholds`: `ws_queue_lag_warn_max` (10) and `ws_queue_depth_max` (100), see
    `QueueRules`. One thread at a time judges and adds; any thread may ask for what is `open`.
    """

    thresholds: Mapping[str, int] = attrs.field(factory=dict, validator=_check_thresholds)
    _rules: dict[str, QueueRules] = attrs.field(init=False, factory=dict)
    _open: dict[tuple[str, str | None], AnomalyAlert] = attrs.field(init=False, factory=dict)

    def judge(self, sample: MetricsSample) -> tuple[AnomalyAlert, ...]:
        """Return what this sample raises, changes and clears."""
        alerts = tuple(
            alert
            for key, tick in sample.ticks.items()
            for alert in self._rules_of(key).update(tick, sample.at_unix_s)
        )
        for alert in alerts:
            self.note(alert)
        return alerts

    def note(self, alert: AnomalyAlert) -> None:
        """Keep what somebody else has raised, or drop what has cleared."""
        if alert.state is AnomalyState.CLEARED:
            self._open.pop((alert.kind, alert.key), None)
        else:
            self._open[alert.kind, alert.key] = alert

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        """What is wrong now."""
        return tuple(self._open.copy().values())

    def _rules_of(self, key: str) -> QueueRules:
        if key not in self._rules:
            self._rules[key] = QueueRules(key, **self.thresholds)
        return self._rules[key]
