"""What waits to be sent to one receiver, and when to try."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from .backoff import Backoff

__all__ = ["Outbox"]

_Item = TypeVar("_Item")


class Outbox(Generic[_Item]):
    """A bounded queue whose head is tried again until it is taken.

    Any thread may `put`; one thread at a time sends. At `capacity` the oldest gives way, what is
    being sent just now excepted. After a failure it rests: 1 s, and twice as long after each
    further one, up to 60 s.
    """

    def __init__(self, capacity: int = 1000) -> None:
        self.dropped = 0
        """How many gave way."""
        self.failures = 0
        """Failures in a row."""
        self._capacity = capacity
        self._items: deque[_Item] = deque()
        self._sending: _Item | None = None
        self._backoff = _backoff()
        self._rests = False
        self._lock = threading.Lock()

    def put(self, item: _Item) -> None:
        """Let `item` wait for its turn."""
        with self._lock:
            self._items.append(item)
            self._make_room()

    def take(self) -> _Item | None:
        """Return what to send; None if nothing, or while it rests."""
        with self._lock:
            if self._rests:
                return None
            if self._sending is None and self._items:
                self._sending = self._items.popleft()
            return self._sending

    def settle(self) -> None:
        """Forget what was taken: it is sent, or never will be."""
        with self._lock:
            self._sending, self.failures, self._backoff = None, 0, _backoff()

    def fail(self, now_s: float, draw: float) -> float:
        """Keep what was taken and rest; return for how many seconds, after which to `wake` it.

        `now_s` is monotonic, `draw` random in [0, 1).
        """
        with self._lock:
            self.failures += 1
            self._rests = True
            return self._backoff.delay(now_s, draw)

    def wake(self) -> None:
        """Rest no more."""
        with self._lock:
            self._rests = False

    def __len__(self) -> int:
        """Return how many wait, what is being sent among them."""
        with self._lock:
            return len(self._items) + (self._sending is not None)

    def _make_room(self) -> None:
        while len(self._items) > self._capacity:
            self._items.popleft()
            self.dropped += 1


def _backoff() -> Backoff:
    # Quiet for longer than the longest rest, or that would begin anew by itself.
    return Backoff(first_s=1.0, cap_s=60.0, quiet_s=600.0)
