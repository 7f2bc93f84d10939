"""The older design's static rules for one mailbox: too late too long, too many waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..messages import AnomalyAlert, AnomalyState, Severity
from .checks import whole_number

if TYPE_CHECKING:
    from ..messages import QueueTick

__all__ = ["LOOK_AT_BACKLOG", "LOOK_AT_HANDLER", "QUEUE_LAG_WARN_MS", "QueueRules"]

QUEUE_LAG_WARN_MS = 1000
"""A lag over this counts as a warning."""
LOOK_AT_HANDLER = "look at what its handler waits for"
LOOK_AT_BACKLOG = "look for a slow handler or a burst from the exchange"

_CALM_TICKS = 3


@attrs.frozen(kw_only=True)
class _Reading:
    """What one rule makes of one tick."""

    kind: str
    value: float
    threshold: float
    raises: bool
    holds: bool
    """Whether an alert once raised goes on."""
    trouble: str
    relief: str


@attrs.define
class QueueRules:
    """Judge one mailbox, tick by tick; one thread at a time.

    `WS_QUEUE_LAG`: in more than `ws_queue_lag_warn_max` ticks in a row a snapshot was over 1000 ms
    late, or waits for so long still. `WS_QUEUE_DEPTH`: more than `ws_queue_depth_max` snapshots
    waited at one time. Both are `WARN`, raised once, and cleared once after three ticks in a row
    without a late snapshot, or without the depth.

    Raises InvalidOption for a threshold that is no whole number from 0.
    """

    key: str
    ws_queue_lag_warn_max: int = attrs.field(default=10, kw_only=True, validator=whole_number(0))
    ws_queue_depth_max: int = attrs.field(default=100, kw_only=True, validator=whole_number(0))
    _late_ticks: int = attrs.field(init=False, default=0)
    _open: dict[str, AnomalyAlert] = attrs.field(init=False, factory=dict)
    _calm: dict[str, int] = attrs.field(init=False, factory=dict)

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        """The alerts raised and not cleared yet."""
        return tuple(self._open.values())

    def update(self, tick: QueueTick, at_unix_s: float) -> tuple[AnomalyAlert, ...]:
        """Return the alerts raised or cleared by what the mailbox did in the last interval."""
        if not self._open and self._is_calm(tick):
            self._late_ticks = 0
            return ()
        readings = (self._read_lag(tick), self._read_depth(tick))
        return tuple(alert for each in readings if (alert := self._judge(each, at_unix_s)))

    def _is_calm(self, tick: QueueTick) -> bool:
        return (
            tick.depth_max <= self.ws_queue_depth_max
            and tick.lag_max_ms <= QUEUE_LAG_WARN_MS
            and tick.oldest_age_ms <= QUEUE_LAG_WARN_MS
        )

    def _read_lag(self, tick: QueueTick) -> _Reading:
        lag_ms = max(tick.lag_max_ms, tick.oldest_age_ms)
        late = lag_ms > QUEUE_LAG_WARN_MS
        self._late_ticks = self._late_ticks + 1 if late else 0
        return _Reading(
            kind="WS_QUEUE_LAG",
            value=lag_ms,
            threshold=QUEUE_LAG_WARN_MS,
            raises=self._late_ticks > self.ws_queue_lag_warn_max,
            holds=late,
            trouble=f"{self.key} is {lag_ms:.0f} ms late, over {QUEUE_LAG_WARN_MS} ms for "
            f"{self._late_ticks} ticks in a row: {LOOK_AT_HANDLER}",
            relief=f"{self.key} is on time again: {lag_ms:.0f} ms late",
        )

    def _read_depth(self, tick: QueueTick) -> _Reading:
        deep = tick.depth_max > self.ws_queue_depth_max
        return _Reading(
            kind="WS_QUEUE_DEPTH",
            value=tick.depth_max,
            threshold=self.ws_queue_depth_max,
            raises=deep,
            holds=deep,
            trouble=f"{self.key} had {tick.depth_max} snapshots waiting, over "
            f"{self.ws_queue_depth_max}: {LOOK_AT_BACKLOG}",
            relief=f"{self.key} has few snapshots waiting again: at most {tick.depth_max}",
        )

    def _judge(self, reading: _Reading, at_unix_s: float) -> AnomalyAlert | None:
        if reading.kind not in self._open:
            return self._raise(reading, at_unix_s) if reading.raises else None
        self._calm[reading.kind] = 0 if reading.holds else self._calm[reading.kind] + 1
        return self._clear(reading) if self._calm[reading.kind] == _CALM_TICKS else None

    def _raise(self, reading: _Reading, at_unix_s: float) -> AnomalyAlert:
        alert = AnomalyAlert(
            kind=reading.kind,
            severity=Severity.WARN,
            message=reading.trouble,
            key=self.key,
            value=reading.value,
            threshold=reading.threshold,
            since_unix_s=at_unix_s,
        )
        self._open[reading.kind], self._calm[reading.kind] = alert, 0
        return alert

    def _clear(self, reading: _Reading) -> AnomalyAlert:
        return attrs.evolve(
            self._open.pop(reading.kind),
            state=AnomalyState.CLEARED,
            message=reading.relief,
            value=reading.value,
        )
