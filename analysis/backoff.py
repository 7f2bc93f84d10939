"""How long to wait before trying again."""

from __future__ import annotations

import attrs

from .checks import not_negative, positive

__all__ = ["Backoff", "FullJitter"]


@attrs.define
class Backoff:
    """Wait longer after each failure: `first_s`, doubled up to `cap_s`, and a little at random.

    Up to `jitter` (0.2: 20 %) comes on top, so that the longest wait is `cap_s * (1 + jitter)`. A
    failure more than `quiet_s` after the one before starts again from `first_s`. For restarts.

    Raises InvalidOption for a `jitter` below 0 and for any other number not above 0.
    """

    first_s: float = attrs.field(default=0.1, validator=positive)
    cap_s: float = attrs.field(default=30.0, validator=positive)
    jitter: float = attrs.field(default=0.2, validator=not_negative)
    quiet_s: float = attrs.field(default=60.0, validator=positive)
    _failed_s: float | None = attrs.field(init=False, default=None)
    _wait_s: float = attrs.field(init=False, default=0.0)

    def delay(self, now_s: float, draw: float) -> float:
        """Count a failure at `now_s` (monotonic) and return the seconds to wait.

        `draw` is a random number in [0, 1).
        """
        first = self._failed_s is None or now_s - self._failed_s > self.quiet_s
        self._wait_s = min(self.cap_s, self.first_s if first else 2 * self._wait_s)
        self._failed_s = now_s
        return self._wait_s * (1 + self.jitter * draw)


@attrs.define
class FullJitter:
    """Wait a random time below a bound that doubles from `base_s` to `cap_s`.

    For reconnecting: after a mass disconnect clients spread out evenly ("full jitter" of
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Goes on for ever. Raises
    InvalidOption for a number not above 0.
    """

    base_s: float = attrs.field(default=0.5, validator=positive)
    cap_s: float = attrs.field(default=30.0, validator=positive)
    _bound_s: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def delay(self, draw: float) -> float:
        """Return the seconds to wait before the next attempt; `draw` is random in [0, 1)."""
        wait_s = draw * self._bound_s
        self._bound_s = min(self.cap_s, 2 * self._bound_s)
        return wait_s

    def reset(self) -> None:
        """Begin again from `base_s`, since an attempt succeeded."""
        self._bound_s = min(self.cap_s, self.base_s)
