"""From anomalies to the few notices that receivers of alerts get."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

import attrs

from ..messages import AlertNotice, AnomalyAlert, AnomalyState
from .alert_life import AlertLife, AlertPhase
from .alert_pace import AlertPace
from .alert_settings import AlertSettings
from .inhibition import exchange_of, is_muted

__all__ = ["AlertRules"]

_Group = tuple[str, str]
"""Kind and exchange: what the alerts of one notice share."""


@attrs.frozen
class _SymbolsOf:
    """All symbols of exchanges."""

    exchanges: set[str]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and ":" in key and exchange_of(key) in self.exchanges


@attrs.define
class AlertRules:
    """Decide what receivers hear of, when, and how often; one thread at a time.

    Alerts wait (`for`), hold (`keep_firing_for`), are gathered by kind and exchange, and are told
    at most once in `group_interval_s` a group. What a lost feed explains is not told. Whoever was
    told that an alert fires is told when it is resolved.

    `cut_off`: which symbols nothing brings while the feeds of these names are lost; by default all
    of the exchange that such a feed is named as.
    """

    settings: AlertSettings = attrs.field(factory=AlertSettings)
    cut_off: Callable[[set[str]], Container[str]] = _SymbolsOf
    _lives: dict[tuple[str, str | None], AlertLife] = attrs.field(init=False, factory=dict)
    _paces: dict[_Group, AlertPace] = attrs.field(init=False, factory=dict)

    def note(self, anomaly: AnomalyAlert, now_s: float, unix_s: float) -> None:
        """Take an anomaly raised, changed or cleared; `now_s` is monotonic."""
        identity = anomaly.kind, anomaly.key
        if (life := self._lives.get(identity)) is not None:
            life.note(anomaly, now_s, unix_s)
        elif anomaly.state is not AnomalyState.CLEARED:
            starts_unix_s = unix_s if anomaly.since_unix_s is None else anomaly.since_unix_s
            self._lives[identity] = AlertLife(anomaly, now_s, starts_unix_s)

    def tick(self, now_s: float, unix_s: float) -> tuple[AlertNotice, ...]:
        """Return the notices that are due; to be asked every second or so."""
        for life in self._lives.values():
            life.advance(now_s, unix_s, self.settings)
        self._forget(now_s)
        self._mute()
        return tuple(self._due(now_s, unix_s))

    def firing(self, unix_s: float) -> AlertNotice | None:
        """Return all at once that receivers know to fire, for those that must be reminded."""
        alerts = tuple(life.alert for life in self._lives.values() if life.told and life.fires)
        if not alerts:
            return None
        return AlertNotice(kind="", exchange="", alerts=alerts, at_unix_s=unix_s)

    def _forget(self, now_s: float) -> None:
        """Drop what is over and nobody was told of."""
        over = AlertPhase.RESOLVED
        self._lives = {
            identity: life
            for identity, life in self._lives.items()
            if life.told or life.phase is not over
        }
        groups = {_group(life) for life in self._lives.values()}
        self._paces = {
            group: pace
            for group, pace in self._paces.items()
            if group in groups or not pace.forgotten(now_s)
        }

    def _mute(self) -> None:
        lives = self._lives.values()
        firing = [
            life.anomaly
            for life in lives
            if life.phase is AlertPhase.FIRING and life.anomaly.kind in self.settings.muting
        ]
        cut_off = self.cut_off({anomaly.key for anomaly in firing if anomaly.key})
        for life in lives:
            life.muted = is_muted(life.anomaly, firing, self.settings, cut_off=cut_off)

    def _due(self, now_s: float, unix_s: float) -> Iterator[AlertNotice]:
        groups: dict[_Group, list[AlertLife]] = {}
        for life in self._lives.values():
            groups.setdefault(_group(life), []).append(life)
        for group, lives in groups.items():
            pace = self._paces.setdefault(group, AlertPace(self.settings))
            fires = any(life.fires for life in lives)
            if pace.due(news=any(map(_is_news, lives)), fires=fires, now_s=now_s):
                pace.tell(now_s)
                yield self._tell(group, lives, unix_s)

    def _tell(self, group: _Group, lives: list[AlertLife], unix_s: float) -> AlertNotice:
        resolved = [life for life in lives if life.phase is AlertPhase.RESOLVED]
        firing = [life for life in lives if life.fires]
        for life in firing:
            life.told = True
        for life in resolved:
            del self._lives[life.anomaly.kind, life.anomaly.key]
        kind, exchange = group
        alerts = tuple(life.alert for life in (*firing, *resolved))
        return AlertNotice(kind=kind, exchange=exchange, alerts=alerts, at_unix_s=unix_s)


def _group(life: AlertLife) -> _Group:
    return life.anomaly.kind, exchange_of(life.anomaly.key)


def _is_news(life: AlertLife) -> bool:
    """Return whether receivers do not know yet that it fires, or that it is over."""
    return life.told if life.phase is AlertPhase.RESOLVED else life.fires and not life.told
