"""Anomalies in words: how a detector's verdicts are told, raised once and cleared once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ..messages import AnomalyAlert, AnomalyState, Severity
from .detector_verdict import DetectorVerdict

__all__ = ["AnomalyKind", "OpenAnomalies"]


@attrs.frozen
class AnomalyKind:
    """What a verdict is called where it is told, and how it is put into words."""

    name: str
    measure: str
    """Which of the facts is its value, once it is over."""
    trouble: str
    """With `{key}`, `{value}`, `{threshold}` and the facts: what it is and what to look at."""
    relief: str
    """The same, for when it is over."""
    severity: Severity = Severity.WARN


@attrs.define
class OpenAnomalies:
    """Tell one symbol's, or one feed's, anomalies when they come and when they have gone.

    `kinds`: by the kind of the verdict.
    """

    key: str
    kinds: Mapping[str, AnomalyKind]
    _open: dict[str, AnomalyAlert] = attrs.field(init=False, factory=dict)

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        """What was raised and not cleared yet."""
        return tuple(self._open.values())

    def settle(
        self, verdicts: Iterable[DetectorVerdict], facts: Mapping[str, float], at_unix_s: float
    ) -> tuple[AnomalyAlert, ...]:
        """Return what is raised and what is cleared, now that just `verdicts` are anomalous."""
        now = {str(each.kind): each for each in verdicts}
        cleared = [self._clear(kind, facts) for kind in self._open.keys() - now.keys()]
        raised = [
            self._raise(kind, each, facts, at_unix_s)
            for kind, each in now.items()
            if kind not in self._open
        ]
        return (*cleared, *raised)

    def end(self) -> tuple[AnomalyAlert, ...]:
        """Return what is cleared, now that what it is about has been removed."""
        gone, message = self.open, f"{self.key} was removed"
        self._open.clear()
        return tuple(
            attrs.evolve(alert, state=AnomalyState.CLEARED, message=message) for alert in gone
        )

    def _raise(
        self, name: str, verdict: DetectorVerdict, facts: Mapping[str, float], at_unix_s: float
    ) -> AnomalyAlert:
        kind = self.kinds[name]
        words = {**facts, "value": verdict.value, "threshold": verdict.threshold}
        self._open[name] = alert = AnomalyAlert(
            kind=kind.name,
            severity=kind.severity,
            message=kind.trouble.format(key=self.key, **words),
            key=self.key,
            value=verdict.value,
            threshold=verdict.threshold,
            since_unix_s=at_unix_s,
        )
        return alert

    def _clear(self, name: str, facts: Mapping[str, float]) -> AnomalyAlert:
        kind, value = self.kinds[name], facts[self.kinds[name].measure]
        return attrs.evolve(
            self._open.pop(name),
            state=AnomalyState.CLEARED,
            message=kind.relief.format(key=self.key, value=value),
            value=value,
        )
