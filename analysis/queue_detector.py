"""Say of one mailbox, tick by tick, whether its queue is anomalous, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import attrs

from ..messages import InvalidOption
from .checks import whole_number
from .detector_verdict import DetectorVerdict
from .spikes import Spikes
from .stall import STALL_S, Stall
from .standing import StandingQueue

if TYPE_CHECKING:
    from ..messages import QueueTick

__all__ = ["QUEUE_LAG_WARN_MS", "QueueDetector"]

QUEUE_LAG_WARN_MS = 1000
"""A lag over this counts as a warning."""
DRAIN_S = 5.0
"""A depth that nobody has set a limit to is harmless if it drains in this time."""
CALM_TICKS = 3


class _Reading(NamedTuple):
    """What one rule makes of one tick."""

    kind: str
    raises: bool
    holds: bool
    """Whether a verdict once given goes on."""
    value: float
    threshold: float


@attrs.frozen(kw_only=True)
class _Limits:
    ws_queue_lag_warn_max: int = attrs.field(default=10, validator=whole_number(0))
    ws_queue_depth_max: int = attrs.field(default=100, validator=whole_number(0))


def _check_thresholds(_: object, __: object, thresholds: Mapping[str, int] | None) -> None:
    known = [field.name for field in attrs.fields(_Limits)]
    for name in thresholds or ():
        if name not in known:
            raise InvalidOption("thresholds", name, f"named among {', '.join(known)}")


@attrs.define(kw_only=True, on_setattr=attrs.setters.NO_OP)
class QueueDetector:
    """Judge one mailbox, tick by tick; one thread at a time.

    | kind | anomalous |
    |---|---|
    | `stall` | something waits and nothing was handled for 3 s: `Stall` |
    | `lag` | over 1000 ms late in more than `ws_queue_lag_warn_max` (10) ticks in a row |
    | `depth` | more than `ws_queue_depth_max` (100) snapshots waited at one time |
    | `standing` | even the most punctual snapshots are late for this mailbox: `StandingQueue` |
    | `spikes` | again and again one is far too late for this mailbox: `Spikes` |

    The gravest comes first. A depth is no anomaly if it drains within 5 s, unless `thresholds`
    sets the limit. Each ends after three ticks in a row that give no reason for it, and nothing is
    learnt before all have ended. A mailbox that does nothing is never anomalous.

    Raises InvalidOption for a threshold of another name, or that is no whole number from 0.
    """

    thresholds: Mapping[str, int] | None = attrs.field(default=None, validator=_check_thresholds)
    verdicts: tuple[DetectorVerdict, ...] = attrs.field(init=False, default=())
    """All that is anomalous now, the gravest first."""
    late_ticks: int = attrs.field(init=False, default=0)
    """How many ticks in a row it was over a second late."""
    _limits: _Limits = attrs.field(init=False)
    _drain_s: float = attrs.field(init=False)
    _calm_ticks: dict[str, int] = attrs.field(init=False, factory=dict)
    """By what is anomalous now: the last ticks that gave no reason for it."""
    _stall: Stall = attrs.field(init=False, factory=Stall)
    _standing: StandingQueue = attrs.field(init=False, factory=StandingQueue)
    _spikes: Spikes = attrs.field(init=False, factory=Spikes)

    def __attrs_post_init__(self) -> None:
        thresholds = self.thresholds or {}
        self._limits = _Limits(**thresholds)
        self._drain_s = 0.0 if "ws_queue_depth_max" in thresholds else DRAIN_S

    @property
    def threshold_ms(self) -> float:
        """The lag above which even the most punctual snapshots are late, as learnt so far."""
        return self._standing.threshold_ms

    @property
    def resting(self) -> bool:
        """Whether a tick in which nothing happens would change nothing."""
        return not (
            self._calm_ticks or self.late_ticks or self._standing.unusual or self._stall.begun
        )

    def ease(self, interval_s: float) -> None:
        """Learn from an interval in which things were handled and nothing waited, while `resting`.

        It does what `update` would do, in a third of the time: such are most of a market's.
        """
        self._standing.update(0.0, interval_s, learns=True)
        self._spikes.update(0.0, interval_s, learns=True)

    def update(self, tick: QueueTick) -> DetectorVerdict:
        """Return what is to be made of what the mailbox did in the last interval."""
        lag_ms, age_ms, learns = tick.lag_max_ms, tick.oldest_age_ms, not self._calm_ticks
        late_ms = age_ms if age_ms > lag_ms else lag_ms  # noqa: FURB136 - max() takes longer
        stands = recurs = False
        if tick.handled or lag_ms:
            stands = self._standing.update(tick.lag_min_ms, tick.interval_s, learns=learns)
            recurs = self._spikes.update(late_ms, tick.interval_s, learns=learns)
        elif not tick.depth_max:
            self._standing.end(learns=learns)
        stalls = self._stall.update(tick)
        suspect = late_ms > QUEUE_LAG_WARN_MS or tick.depth_max > self._limits.ws_queue_depth_max
        if learns and not (suspect or stands or recurs or stalls):
            self.late_ticks = 0
            return self._calm(tick)
        return self._judge(tick, self._readings(tick, late_ms, stalls, stands, recurs))

    def _calm(self, tick: QueueTick) -> DetectorVerdict:
        return DetectorVerdict(None, tick.lag_min_ms, self._standing.threshold_ms)

    def _judge(self, tick: QueueTick, readings: Iterable[_Reading]) -> DetectorVerdict:
        self.verdicts = tuple(
            DetectorVerdict(each.kind, each.value, each.threshold)
            for each in readings
            if self._goes_on(each)
        )
        return self.verdicts[0] if self.verdicts else self._calm(tick)

    def _goes_on(self, reading: _Reading) -> bool:
        kind, calm_ticks = reading.kind, self._calm_ticks
        if kind in calm_ticks:
            calm_ticks[kind] = 0 if reading.holds else calm_ticks[kind] + 1
            if calm_ticks[kind] == CALM_TICKS:
                del calm_ticks[kind]
        elif reading.raises:
            calm_ticks[kind] = 0
        return kind in calm_ticks

    def _readings(
        self, tick: QueueTick, late_ms: float, stalls: bool, stands: bool, recurs: bool
    ) -> Iterator[_Reading]:
        limits, standing, late = self._limits, self._standing, late_ms > QUEUE_LAG_WARN_MS
        self.late_ticks = self.late_ticks + 1 if late else 0
        long_late = self.late_ticks > limits.ws_queue_lag_warn_max
        deep = tick.depth_max > limits.ws_queue_depth_max and self._drains_slowly(tick)
        # Where something waits and nothing is handled, no lag is known and none is over.
        stuck = tick.depth_max > 0 and not (tick.handled or tick.lag_max_ms)
        yield _Reading("stall", stalls, stalls, tick.oldest_age_ms, STALL_S * 1e3)
        yield _Reading("lag", long_late, late, late_ms, QUEUE_LAG_WARN_MS)
        yield _Reading("depth", deep, deep, tick.depth_max, limits.ws_queue_depth_max)
        yield _Reading(
            "standing", stands, standing.unusual or stuck, tick.lag_min_ms, standing.threshold_ms
        )
        yield _Reading("spikes", recurs, recurs or stuck, late_ms, self._spikes.threshold_ms)

    def _drains_slowly(self, tick: QueueTick) -> bool:
        return tick.depth_max * tick.interval_s >= self._drain_s * tick.handled
