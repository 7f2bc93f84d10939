"""What is wrong now, as a host is told: each anomaly raised once and cleared once."""

from __future__ import annotations

import attrs

from ..messages import AnomalyAlert, AnomalyState, Severity
from .alert_settings import AlertSettings
from .flapping import Flapping

__all__ = ["Anomalies"]


@attrs.define
class _Story:
    """One anomaly's coming and going."""

    flapping: Flapping
    alert: AnomalyAlert | None = None
    """What is wrong now."""
    end: AnomalyAlert | None = None
    """That it is over, while that is not believed."""
    end_s: float = 0.0
    """When it will be."""


@attrs.define
class Anomalies:
    """Keep what is wrong, and say what is to be told: nothing twice, and no flood.

    An anomaly raised again while it is open is a change of it; one cleared that is not open is not
    told. One cleared with a value still close to its threshold (`clear_ratio`) stays open for
    `clear_hold_s`, in case it comes back. One that comes and goes more than `flapping_changes`
    times in `flapping_within_s` is not told any more: one `FLAPPING` of its key stands for it until
    it has calmed down. One thread at a time notes; any thread may ask for what is `open`.
    """

    settings: AlertSettings = attrs.field(factory=AlertSettings)
    _stories: dict[tuple[str, str | None], _Story] = attrs.field(init=False, factory=dict)
    _flapping: dict[str | None, AnomalyAlert] = attrs.field(init=False, factory=dict)
    """By key, what was told of its flapping."""

    @property
    def open(self) -> tuple[AnomalyAlert, ...]:
        """What is wrong now; what flaps is there as `FLAPPING`."""
        stories = [*self._stories.copy().values()]
        steady = [alert for each in stories if (alert := each.alert) and not each.flapping.on]
        return (*steady, *self._flapping.copy().values())

    def note(self, alert: AnomalyAlert, now_s: float, unix_s: float) -> tuple[AnomalyAlert, ...]:
        """Take what was found at `now_s` (monotonic) and return what is to be told of it."""
        story = self._story(alert)
        story.end = None
        before, cleared = story.alert, alert.state is AnomalyState.CLEARED
        if cleared and self._is_close(alert):
            story.end, story.end_s = alert, now_s + self.settings.clear_hold_s
            return ()
        story.alert = None if cleared else alert
        if (before is None) is cleared:
            return self._change(story, before, alert)
        return self._come_or_gone(story, _raised(alert), now_s, unix_s)

    def tick(self, now_s: float, unix_s: float) -> tuple[AnomalyAlert, ...]:
        """Return what is to be told since time has passed: what is over, what has calmed down."""
        told: list[AnomalyAlert] = []
        for (kind, key), story in [*self._stories.items()]:
            if story.end is not None and now_s >= story.end_s:
                told += self._end(story, story.end, now_s, unix_s)
            if story.flapping.on and story.flapping.calm(now_s):
                told += self._calmed(key)
                told += [_raised(story.alert)] if story.alert else []
            if story.alert is None and story.flapping.forgotten(now_s):
                del self._stories[kind, key]
        return tuple(told)

    def _story(self, alert: AnomalyAlert) -> _Story:
        settings = self.settings
        return self._stories.setdefault(
            (alert.kind, alert.key),
            _Story(Flapping(settings.flapping_changes, settings.flapping_within_s)),
        )

    def _is_close(self, end: AnomalyAlert) -> bool:
        if end.value is None or end.threshold is None:
            return False
        return end.value > self.settings.clear_ratio * end.threshold

    def _end(
        self, story: _Story, end: AnomalyAlert, now_s: float, unix_s: float
    ) -> tuple[AnomalyAlert, ...]:
        story.end = None
        if story.alert is None:
            return ()
        story.alert = None
        return self._come_or_gone(story, end, now_s, unix_s)

    def _change(
        self, story: _Story, before: AnomalyAlert | None, alert: AnomalyAlert
    ) -> tuple[AnomalyAlert, ...]:
        if before is None:
            return ()
        since_unix_s = before.since_unix_s
        story.alert = attrs.evolve(alert, state=AnomalyState.CHANGED, since_unix_s=since_unix_s)
        told = story.flapping.on or story.alert == attrs.evolve(before, state=AnomalyState.CHANGED)
        return () if told else (story.alert,)

    def _come_or_gone(
        self, story: _Story, alert: AnomalyAlert, now_s: float, unix_s: float
    ) -> tuple[AnomalyAlert, ...]:
        flapped = story.flapping.on
        if not story.flapping.change(now_s):
            return (alert,)
        if flapped:
            return ()
        last = (alert,) if alert.state is AnomalyState.CLEARED else ()
        if alert.key in self._flapping:
            return last
        self._flapping[alert.key] = flapping = AnomalyAlert(
            kind="FLAPPING",
            severity=Severity.WARN,
            message=f"{alert.kind} of {alert.key or 'the run'} came and went more than "
            f"{self.settings.flapping_changes} times in {self.settings.flapping_within_s:.0f} s: "
            "look at what it says when it comes, and at the thresholds",
            key=alert.key,
            value=float(self.settings.flapping_changes + 1),
            threshold=float(self.settings.flapping_changes),
            since_unix_s=unix_s,
        )
        return (*last, flapping)

    def _calmed(self, key: str | None) -> list[AnomalyAlert]:
        if any(story.flapping.on for (_, of), story in self._stories.items() if of == key):
            return []
        return [
            attrs.evolve(
                self._flapping.pop(key),
                state=AnomalyState.CLEARED,
                message=f"{key or 'the run'} has calmed down",
            )
        ]


def _raised(alert: AnomalyAlert) -> AnomalyAlert:
    """Return what is told when it comes; a cleared one stays as it is."""
    if alert.state is not AnomalyState.CHANGED:
        return alert
    return attrs.evolve(alert, state=AnomalyState.RAISED)
