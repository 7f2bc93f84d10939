"""Messages that nobody could take."""

import threading
from collections import Counter

from loguru import logger

from .clock import Clock

__all__ = ["DeadLetters"]

LOGGED_PER_SECOND = 3


class DeadLetters:
    """Count messages nobody could take, by reason; log at most three a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._second = -1
        self._logged = 0

    def add(self, reason: str, message: object) -> None:
        """Count `message` under `reason` (`stopped`, `unhandled`); from any thread."""
        with self._lock:
            self._counts[reason] += 1
            log = self._may_log()
        if log:
            logger.warning("dead letter ({}): {!r}", reason, message)

    def counts(self) -> dict[str, int]:
        """Return how many there were by reason."""
        with self._lock:
            return dict(self._counts)

    def _may_log(self) -> bool:
        second = self._clock.now_ns() // 1_000_000_000
        if second != self._second:
            self._second, self._logged = second, 0
        self._logged += 1
        return self._logged <= LOGGED_PER_SECOND
