"""When a group of alerts is told."""

from __future__ import annotations

import attrs

from .alert_settings import AlertSettings

__all__ = ["AlertPace"]


@attrs.define
class AlertPace:
    """Say when a group has waited long enough, and when it is to be told again.

    So a group is told at most once in `group_interval_s`, whatever happens in it.
    Source: Alertmanager, "Configuration": `group_wait`, `group_interval`, `repeat_interval`.
    """

    settings: AlertSettings
    _due_s: float | None = attrs.field(init=False, default=None)
    _told_s: float | None = attrs.field(init=False, default=None)

    def due(self, *, news: bool, fires: bool, now_s: float) -> bool:
        """Return whether to tell the group at `now_s`: there is news, or it `fires` for long."""
        if not news:
            self._due_s = None
            return fires and self._since_told(now_s) >= self.settings.repeat_s
        if self._due_s is None:
            wait_s = self.settings.group_interval_s - self._since_told(now_s)
            self._due_s = now_s + max(wait_s, self.settings.group_wait_s)
        return now_s >= self._due_s

    def tell(self, now_s: float) -> None:
        """Note that it was told."""
        self._due_s, self._told_s = None, now_s

    def forgotten(self, now_s: float) -> bool:
        """Return whether it was told so long ago that it may be told again at once."""
        return self._since_told(now_s) >= self.settings.group_interval_s

    def _since_told(self, now_s: float) -> float:
        return float("inf") if self._told_s is None else now_s - self._told_s
