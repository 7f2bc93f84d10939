"""Whether a connection that says nothing is quiet, half-open or stalled."""

from __future__ import annotations

import enum

import attrs

from .checks import positive
from .rhythm import Rhythm

__all__ = ["Silence", "SilenceLimits", "SilenceVerdict"]


class SilenceVerdict(enum.Enum):
    """What to do about a connection's silence."""

    FINE = "fine"
    PROBE = "probe"
    """Send a ping, and say so (`probed`): nothing was heard for a while."""
    HALF_OPEN = "half-open"
    """Give it up: not even the ping was answered."""
    STALLED = "stalled"
    """Give it up and tell: it lives, or so it seems, but brings no data."""


@attrs.frozen(kw_only=True)
class SilenceLimits:
    """When a silent connection is probed, and how long it may take to answer; seconds.

    Looked at every `check_s`, a peer that vanished is found in at most
    `probe_after_s + answer_within_s + 2 * check_s`: 8 s by default.
    """

    probe_after_s: float = attrs.field(default=2.0, validator=positive)
    answer_within_s: float = attrs.field(default=4.0, validator=positive)
    check_s: float = attrs.field(default=1.0, validator=positive)


@attrs.define
class Silence:
    """Judge one connection's silence, look by look.

    Only a connection that has brought data is probed. Each probe answered without data doubles the
    wait for the next, so a quiet market costs few pings. Data is late after `rhythm.limit_s`, and
    after `limit_s`, the exchange's own limit, while the rhythm is not known. `patience` multiplies
    what a silence may last before the connection is given up: whoever gives it up doubles it for
    the next one, until data `flows`.
    """

    opened_ns: int
    limit_s: float
    rhythm: Rhythm
    patience: int
    limits: SilenceLimits
    flows: bool = attrs.field(init=False, default=False)
    """Whether data came later than what a subscription is answered with."""
    _snapshots: int = attrs.field(init=False, default=0)
    _first_ns: int = attrs.field(init=False, default=0)
    data_ns: int = attrs.field(init=False)
    """When data was last seen."""
    _probed_ns: int | None = attrs.field(init=False, default=None)
    _probe_after_s: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.data_ns = self.opened_ns
        self._probe_after_s = self.limits.probe_after_s

    def look(self, now_ns: int, heard_ns: int | None, snapshots: int) -> SilenceVerdict:
        """Judge at `now_ns`, the last frame of any kind having come at `heard_ns`.

        `snapshots`: how many the connection has brought. All times are monotonic.
        """
        heard_ns = heard_ns or self.opened_ns
        if snapshots > self._snapshots:
            self._note_data(heard_ns, snapshots)
        if self._probed_ns is not None and heard_ns >= self._probed_ns:
            self._probed_ns = None
        silent_s = (now_ns - heard_ns) / 1e9
        if self._is_late(now_ns, silent_s):
            return SilenceVerdict.STALLED
        if self._probed_ns is not None:
            return self._await_answer((now_ns - self._probed_ns) / 1e9)
        due = self._snapshots and silent_s >= self._probe_after_s
        return SilenceVerdict.PROBE if due else SilenceVerdict.FINE

    def probed(self, now_ns: int) -> None:
        """Note that a ping was sent, and wait for any frame in answer."""
        self._probed_ns = now_ns
        self._probe_after_s *= 2

    def _note_data(self, arrived_ns: int, snapshots: int) -> None:
        self._first_ns = self._first_ns or arrived_ns
        if arrived_ns - self._first_ns >= self.limits.probe_after_s * 1e9:
            self.flows = True
            self.patience = 1
        self._snapshots = snapshots
        self._probe_after_s = self.limits.probe_after_s
        self.data_ns = arrived_ns
        self.rhythm.note(arrived_ns)

    def _is_late(self, now_ns: int, silent_s: float) -> bool:
        usual_s = (self.rhythm.limit_s if self._snapshots else None) or self.limit_s
        data_silent_s = (now_ns - self.data_ns) / 1e9
        return silent_s > self.limit_s * self.patience or data_silent_s > usual_s * self.patience

    def _await_answer(self, waited_s: float) -> SilenceVerdict:
        late = waited_s >= self.limits.answer_within_s * self.patience
        return SilenceVerdict.HALF_OPEN if late else SilenceVerdict.FINE
