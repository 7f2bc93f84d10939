"""How many snapshots may wait so that what is delivered stays fresh in an overload."""

from __future__ import annotations

import attrs

from ..messages import InvalidOption
from .checks import whole_number
from .controlled_delay import ControlledDelay

__all__ = ["AdaptiveCapacity"]

_TARGETS = 4
_MEMORY_INTERVALS = 16


# Validated once: attrs would validate at each assignment, half a microsecond on the hot path.
@attrs.define(eq=False, on_setattr=attrs.setters.NO_OP)
class AdaptiveCapacity:
    """Bound a mailbox by what can be handled in four times the delay's target.

    Controlled delay alone cannot hold an overload whose senders never slow down: it sheds a few a
    second while thousands too many come. So `capacity`, which producers read, goes down while the
    delay sheds, to what the measured service rate handles in four targets (20 ms), never below
    `floor`, and what waits beyond it expires at the head. It goes back to `ceiling` as soon as
    nothing is left waiting: an emptied mailbox is the proof that handling keeps up, whereas a short
    lag may be the small capacity's own work. A burst that drains within the delay's interval
    (100 ms) passes whole.

    For 16 intervals after an overload a lag of four targets is enough to go down again, so that an
    overload that lets the mailbox run empty now and then is not given an interval each time.

    One consumer at a time calls `expires`; any thread may read `capacity`. What lags less than the
    target never expires, nor does the last one. Raises InvalidOption unless 1 <= floor <= ceiling.
    """

    ceiling: int = attrs.field(validator=whole_number(1))
    floor: int = attrs.field(default=1, kw_only=True, validator=whole_number(1))
    delay: ControlledDelay = attrs.field(factory=ControlledDelay, kw_only=True)
    capacity: int = attrs.field(init=False)
    """How many may wait now."""
    _target_ns: int = attrs.field(init=False)
    _stands_since_ns: int | None = attrs.field(init=False, default=None)
    """When the measuring began: the handler has been busy, and the lag above the target, since."""
    _handled: int = attrs.field(init=False, default=0)
    _sustained: int = attrs.field(init=False)
    """What the measured service rate handles in four targets."""
    _overload_ns: int | None = attrs.field(init=False, default=None)

    @floor.validator
    def _check_floor(self, _: object, floor: int) -> None:
        if floor > self.ceiling:
            raise InvalidOption("floor", floor, f"at most the ceiling, {self.ceiling}")

    def __attrs_post_init__(self) -> None:
        self.capacity = self._sustained = self.ceiling
        self._target_ns = self.delay.target_ns

    def expires(self, now_ns: int, lag_ns: int, depth: int) -> bool:
        """Say whether the message just dequeued is to be shed instead of handled.

        `lag_ns`: how long it waited; `depth`: how many are left behind it.
        """
        if not depth:
            self.capacity = self.ceiling
        elif lag_ns >= self._target_ns:
            return self._stand(now_ns, lag_ns, depth)
        if self._stands_since_ns is not None:
            self._stands_since_ns = None
            self.delay.expires(now_ns, lag_ns, depth)
        return False

    def _stand(self, now_ns: int, lag_ns: int, depth: int) -> bool:
        late = self.delay.expires(now_ns, lag_ns, depth)
        self._measure(now_ns)
        if self.delay.dropping or (lag_ns >= _TARGETS * self._target_ns and self._recent(now_ns)):
            self.capacity, self._overload_ns = self._sustained, now_ns
        if late or depth >= self.capacity:
            return True
        self._handled += 1
        return False

    def _measure(self, now_ns: int) -> None:
        since_ns = self._stands_since_ns
        if since_ns is None:
            self._stands_since_ns, self._handled = now_ns, 0
        elif now_ns - since_ns >= self.delay.interval_ns:
            fits = self._handled * _TARGETS * self._target_ns // (now_ns - since_ns)
            self._sustained = min(self.ceiling, max(self.floor, fits))
            self._stands_since_ns, self._handled = now_ns, 0

    def _recent(self, now_ns: int) -> bool:
        return (
            self._overload_ns is not None
            and now_ns - self._overload_ns < _MEMORY_INTERVALS * self.delay.interval_ns
        )
