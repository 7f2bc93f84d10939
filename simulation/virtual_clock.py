"""A clock that moves when it is told to."""

__all__ = ["VirtualClock"]


class VirtualClock:
    """Virtual time: starts at a fixed instant, never moves by itself."""

    def __init__(self, unix_s: float = 1_750_000_000.0) -> None:
        # Not 0, which in monotonic time means "never".
        self._start_ns = self._now_ns = 1_000_000_000
        self._unix_s = unix_s

    def now_ns(self) -> int:
        """Return virtual monotonic nanoseconds."""
        return self._now_ns

    def unix_s(self) -> float:
        """Return virtual seconds since 1970."""
        return self._unix_s + (self._now_ns - self._start_ns) / 1e9

    def move_to(self, now_ns: int) -> None:
        """Let it be `now_ns`; never goes back."""
        self._now_ns = max(self._now_ns, now_ns)
