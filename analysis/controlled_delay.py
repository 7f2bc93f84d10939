"""Controlled delay: when to shed from a queue that stands (RFC 8289)."""

from __future__ import annotations

from math import sqrt

import attrs

from .checks import whole_number

__all__ = ["ControlledDelay"]

_MEMORY_INTERVALS = 16


# Validated once: attrs would validate at each assignment, half a microsecond on the hot path.
@attrs.define(eq=False, on_setattr=attrs.setters.NO_OP)
class ControlledDelay:
    """Tell a queue that stands from a burst that drains, and shed from the former.

    When the lag has not been below `target_ns` for `interval_ns`, the message at the head expires,
    and then one more each `interval_ns / sqrt(count)` until the lag is below the target again. The
    last message never expires. An interval should be about the longest burst to let pass.

    The state machine of RFC 8289, section 5, one call for each message dequeued. One thread at a
    time. Raises InvalidOption for times that are no whole number above 0.
    """

    target_ns: int = attrs.field(default=5_000_000, validator=whole_number(1))
    interval_ns: int = attrs.field(default=100_000_000, validator=whole_number(1))
    dropping: bool = attrs.field(init=False, default=False)
    """Whether it sheds now."""
    _ripe_ns: int | None = attrs.field(init=False, default=None)
    """When the lag will have been above the target for an interval; the RFC's first_above_time."""
    _next_ns: int = attrs.field(init=False, default=0)
    _count: int = attrs.field(init=False, default=0)
    _first_count: int = attrs.field(init=False, default=0)
    _just_shed: bool = attrs.field(init=False, default=False)

    def expires(self, now_ns: int, lag_ns: int, depth: int) -> bool:
        """Say whether the message just dequeued is to be shed instead of handled.

        `lag_ns`: how long it waited; `depth`: how many are left behind it.
        """
        if lag_ns < self.target_ns or not depth:
            self._ripe_ns = None
            self.dropping = False
            return False
        if self._ripe_ns is None:
            self._ripe_ns = now_ns + self.interval_ns
            return False
        if now_ns < self._ripe_ns:
            return False
        return self._go_on(now_ns) if self.dropping else self._begin(now_ns)

    def _begin(self, now_ns: int) -> bool:
        # RFC 8289, 5.5: if the queue stood a short while ago, the rate that controlled it then is
        # a good starting point to control it now.
        recent = now_ns - self._next_ns < _MEMORY_INTERVALS * self.interval_ns
        grown = self._count - self._first_count
        self._count = self._first_count = grown if recent and grown > 1 else 1
        self._next_ns = now_ns + self._step_ns()
        self.dropping, self._just_shed = True, False
        return True

    def _go_on(self, now_ns: int) -> bool:
        # As in the RFC's loop, the next time is set only once the message after the one shed
        # proves to be late, too.
        if self._just_shed:
            self._next_ns += self._step_ns()
        self._just_shed = now_ns >= self._next_ns
        self._count += self._just_shed
        return self._just_shed

    def _step_ns(self) -> int:
        return int(self.interval_ns / sqrt(self._count))
