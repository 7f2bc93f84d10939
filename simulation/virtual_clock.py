"""A clock that moves when it is told to."""

__all__ = ["VirtualClock"]


class VirtualClock:
    """Virtual time: starts at a fixed instant, never moves by itself."""

    ns: int
    """What `now_ns` says, for who asks ten million times."""

    def __init__(self, unix_s: float = 1_750_000_000.0) -> None:
        # Not 0, which in monotonic time means "never".
        self._start_ns = self.ns = 1_000_000_000
        self._unix_s = unix_s
        self._rate = 1.0

    def now_ns(self) -> int:
        """Return virtual monotonic nanoseconds."""
        return self.ns

    def unix_s(self) -> float:
        """Return virtual seconds since 1970, as far as this machine knows."""
        return self._unix_s + (self.ns - self._start_ns) / 1e9 * self._rate

    def move_to(self, now_ns: int) -> None:
        """Let it be `now_ns`; never goes back."""
        if now_ns > self.ns:  # noqa: PLR1730 - max() would cost a call, for every step
            self.ns = now_ns

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as a correction does; monotonic time goes on."""
        self._unix_s += seconds

    def drift(self, rate: float) -> None:
        """Let the wall clock go wrong from now on: by `rate` seconds a second; 0 is right again."""
        self._unix_s = self.unix_s()
        self._start_ns = self.ns
        self._rate = 1.0 + rate
