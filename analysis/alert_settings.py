"""How long alerts wait, hold and repeat."""

from __future__ import annotations

import attrs

from .checks import not_negative, positive, whole_number

__all__ = ["AlertSettings"]


@attrs.frozen(kw_only=True)
class AlertSettings:
    """When an anomaly becomes an alert, and how often its receivers hear of it.

    The words and their meaning are those of Prometheus and Alertmanager. Raises InvalidOption for
    what is no such number.
    """

    clear_ratio: float = attrs.field(default=0.7, validator=not_negative)
    """An anomaly whose value has not fallen below this share of its threshold is over ..."""
    clear_hold_s: float = attrs.field(default=10.0, validator=not_negative)
    """... only when it has not come back for so long: hysteresis, for callbacks and alerts."""
    for_s: float = attrs.field(default=3.0, validator=not_negative)
    """How long an anomaly must last before it fires (`for`)."""
    at_once: frozenset[str] = frozenset({"FLAPPING", "QUARANTINED", "QUEUE_STALL", "WS_QUEUE_LAG"})
    """Kinds that fire without that: what raised them has waited long enough."""
    keep_firing_s: float = attrs.field(default=60.0, validator=not_negative)
    """How long an alert goes on after its anomaly is gone (`keep_firing_for`)."""
    group_wait_s: float = attrs.field(default=5.0, validator=not_negative)
    """How long the first notice of a group waits for others to join it."""
    group_interval_s: float = attrs.field(default=60.0, validator=positive)
    """The least time between two notices of a group that say something new."""
    repeat_s: float = attrs.field(default=600.0, validator=positive)
    """How often a group that still fires is told again."""
    muting: tuple[str, ...] = ("FEED_LOST", "FEED_SILENT")
    """Kinds, of feeds, that mute what else is told of the feed and of symbols that only it brings;
    the first mutes the second, too."""
    never_muted: frozenset[str] = frozenset({"QUARANTINED", "QUEUE_STALL"})
    """Kinds that have a cause of their own, whatever the exchange does."""
    flapping_changes: int = attrs.field(default=5, validator=whole_number(1))
    """Coming and going more often than this is flapping, ..."""
    flapping_within_s: float = attrs.field(default=600.0, validator=positive)
    """... within so many seconds."""
