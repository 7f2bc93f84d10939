"""Say of one feed's connection, interval by interval, what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .detector_verdict import DetectorVerdict
from .recent_count import RecentCount
from .rhythm import Rhythm
from .sliding_minimum import SlidingMinimum

if TYPE_CHECKING:
    from ..messages import FeedMetrics

__all__ = ["FeedDetector"]

LOST_S = 10.0
"""How long a feed may be without an open connection."""
UNKNOWN_SILENCE_S = 30.0
"""How long a connection may be silent while its rhythm is not known."""
LEAST_SILENCE_S = 5.0
"""No shorter silence is strange."""
RECONNECTS_MAX = 3
RECONNECTS_WITHIN_S = 600.0
GAPS_MAX = 2
GAPS_WITHIN_S = 60.0
DELAY_GROWTH_MS = 500.0
"""How much the delay may be above its least."""
DELAY_WITHIN_S = 600.0
BACKLOG_BYTES = 65536
"""How much may wait at the socket."""
LONG_S = 5.0
"""How long a delay or a backlog must last."""

_BRINGS = {"streaming", "rolling"}
_RESTS = {"idle", "stopped"}


def _over(kind: str, value: float, threshold: float) -> DetectorVerdict:
    return DetectorVerdict(kind if value > threshold else None, value, threshold)


@attrs.define
class _Lost:
    """No connection is open, and that for long. A short loss is normal life."""

    _without_s: float = 0.0

    def update(self, feed: FeedMetrics, interval_s: float, _: float) -> DetectorVerdict:
        if feed.state in _BRINGS or feed.state in _RESTS:
            self._without_s = 0.0
        elif feed.state != "subscribing":
            self._without_s += interval_s
        return _over("lost", self._without_s, LOST_S)


@attrs.define
class _Silent:
    """An open connection says nothing for longer than its own rhythm explains."""

    _subscribing_s: float = 0.0
    _rhythm: Rhythm = attrs.field(factory=lambda: Rhythm(floor_s=LEAST_SILENCE_S))

    def update(self, feed: FeedMetrics, interval_s: float, now_s: float) -> DetectorVerdict:
        if feed.state == "subscribing":
            self._subscribing_s += interval_s
            return _over("silent", self._subscribing_s, UNKNOWN_SILENCE_S)
        self._subscribing_s = 0.0
        limit_s = self._rhythm.limit_s or UNKNOWN_SILENCE_S
        if feed.state not in _BRINGS or feed.silence_s is None:
            self._rhythm.resume(int(now_s * 1e9))
            return _over("silent", 0.0, limit_s)
        self._rhythm.note(int((now_s - feed.silence_s) * 1e9))
        return _over("silent", feed.silence_s, limit_s)


@attrs.define
class _Flapping:
    """It is lost and made again, again and again."""

    _reconnects: RecentCount = attrs.field(factory=lambda: RecentCount(RECONNECTS_WITHIN_S))

    def update(self, feed: FeedMetrics, _: float, now_s: float) -> DetectorVerdict:
        return _over("flapping", self._reconnects.update(feed.reconnects, now_s), RECONNECTS_MAX)


@attrs.define
class _Gaps:
    """The exchange's numbers jump, again and again."""

    _gaps: RecentCount = attrs.field(factory=lambda: RecentCount(GAPS_WITHIN_S))

    def update(self, feed: FeedMetrics, _: float, now_s: float) -> DetectorVerdict:
        return _over("gaps", self._gaps.update(feed.gaps, now_s), GAPS_MAX)


@attrs.define
class _Lasting:
    """Whether something has been so all the time for `LONG_S` seconds."""

    _so_far_s: float = 0.0

    def update(self, is_so: bool, interval_s: float) -> bool:
        self._so_far_s = self._so_far_s + interval_s if is_so else 0.0
        return is_so and self._so_far_s + interval_s / 2 >= LONG_S


@attrs.define
class _Delay:
    """Snapshots come later than they did: clocks differ, so only growth tells something."""

    _snapshots: int = 0
    _least_ms: SlidingMinimum = attrs.field(factory=lambda: SlidingMinimum(DELAY_WITHIN_S))
    _lasting: _Lasting = attrs.field(factory=_Lasting)
    _verdict: DetectorVerdict = attrs.field(factory=lambda: _over("delay", 0.0, DELAY_GROWTH_MS))

    def update(self, feed: FeedMetrics, interval_s: float, now_s: float) -> DetectorVerdict:
        # The delay of what has come before says nothing new.
        if feed.delay_ms is not None and feed.snapshots > self._snapshots:
            growth_ms = feed.delay_ms - self._least_ms.add(feed.delay_ms, now_s)
            lasts = self._lasting.update(growth_ms > DELAY_GROWTH_MS, interval_s)
            self._verdict = DetectorVerdict("delay" if lasts else None, growth_ms, DELAY_GROWTH_MS)
        self._snapshots = feed.snapshots
        return self._verdict


@attrs.define
class _Backlog:
    """Frames wait at the socket and are not read, for longer than a burst takes."""

    _lasting: _Lasting = attrs.field(factory=_Lasting)

    def update(self, feed: FeedMetrics, interval_s: float, _: float) -> DetectorVerdict:
        lasts = self._lasting.update(feed.backlog_bytes > BACKLOG_BYTES, interval_s)
        return DetectorVerdict("backlog" if lasts else None, feed.backlog_bytes, BACKLOG_BYTES)


@attrs.define
class FeedDetector:
    """Judge one feed's connection, interval by interval; one thread at a time.

    | kind | anomalous |
    |---|---|
    | `lost` | without an open connection for over 10 s |
    | `silent` | an open connection says nothing, longer than its rhythm explains: `Rhythm` |
    | `flapping` | lost more than 3 times in 10 minutes |
    | `backlog` | over 64 KiB wait at the socket, for 5 s |
    | `delay` | for 5 s over 500 ms above the least delay of 10 minutes |
    | `gaps` | more than 2 gaps in the exchange's numbers in a minute |

    The gravest comes first. An exchange's clock is not ours, so that a delay by itself says
    nothing, and one that has grown for good is the new least after 10 minutes.
    """

    readings: dict[str, DetectorVerdict] = attrs.field(init=False, factory=dict)
    """What each kind's detector has made of the last interval."""
    _now_s: float = attrs.field(init=False, default=0.0)
    _detectors: dict[str, _Lost | _Silent | _Flapping | _Backlog | _Delay | _Gaps] = attrs.field(
        init=False
    )

    def __attrs_post_init__(self) -> None:
        self._detectors = {
            "lost": _Lost(),
            "silent": _Silent(),
            "flapping": _Flapping(),
            "backlog": _Backlog(),
            "delay": _Delay(),
            "gaps": _Gaps(),
        }

    @property
    def verdicts(self) -> tuple[DetectorVerdict, ...]:
        """All that is anomalous now, the gravest first."""
        return tuple(filter(None, self.readings.values()))

    def update(self, feed: FeedMetrics, interval_s: float = 1.0) -> tuple[DetectorVerdict, ...]:
        """Return all that is anomalous after an interval, by what the feed has come to."""
        self._now_s += interval_s
        self.readings = {
            kind: detector.update(feed, interval_s, self._now_s)
            for kind, detector in self._detectors.items()
        }
        return self.verdicts
