"""Which book is fetched next, and when: urgent ones first, failing ones later."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from itertools import count
from typing import Generic, TypeVar

import attrs

from .checks import whole_number

__all__ = ["ResyncScheduler"]

Job = TypeVar("Job", bound=Hashable)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


@attrs.define
class ResyncScheduler(Generic[Job]):
    """Say which job may begin next.

    `enter(weight, now_s)` spends the budget: it returns 0.0, or the seconds to wait. At most
    `at_once` jobs run at a time. First come those that failed least often in a row, of them those
    that wait longest. What failed waits before that: a random time up to a bound that doubles from
    1 s to 60 s.

    Time is monotonic, in seconds. One thread at a time. Raises InvalidOption for `at_once` below 1.
    """

    _enter: Callable[[int, float], float]
    _at_once: int = attrs.field(default=4, validator=whole_number(1))
    _running: set[Job] = attrs.field(init=False, factory=set)
    _ready: list[tuple[int, float, int, Job, int]] = attrs.field(init=False, factory=list)
    """A heap: how often it failed, since when it is ready, a tie-breaker, the job, its weight."""
    _later: list[tuple[float, int, int, Job, int]] = attrs.field(init=False, factory=list)
    """A heap: when it will be ready, how often it failed, a tie-breaker, the job, its weight."""
    _tie: count[int] = attrs.field(init=False, factory=count)

    def add(
        self, job: Job, weight: int, now_s: float, *, attempt: int = 0, draw: float = 0.0
    ) -> None:
        """Take a job that failed `attempt` times in a row; `draw` is random in [0, 1)."""
        ready_s = now_s + draw * _bound_s(attempt)
        heapq.heappush(self._later, (ready_s, attempt, next(self._tie), job, weight))

    def start(self, now_s: float) -> tuple[Job | None, float | None]:
        """Return the job to begin now, its weight spent; or the seconds until there may be one.

        Neither of them where that depends on another call.
        """
        while self._later and self._later[0][0] <= now_s:
            ready_s, attempt, tie, job, weight = heapq.heappop(self._later)
            heapq.heappush(self._ready, (attempt, ready_s, tie, job, weight))
        if len(self._running) >= self._at_once:
            return None, None
        if not self._ready:
            return None, self._later[0][0] - now_s if self._later else None
        *_, job, weight = self._ready[0]
        if (wait_s := self._enter(weight, now_s)) > 0:
            return None, wait_s
        heapq.heappop(self._ready)
        self._running.add(job)
        return job, None

    def finish(self, job: Job) -> None:
        """Note that a job has ended, well or not."""
        self._running.discard(job)

    def drop(self, unwanted: Callable[[Job], bool]) -> None:
        """Take out all jobs that nobody wants any more, running or not."""
        self._ready = [each for each in self._ready if not unwanted(each[3])]
        self._later = [each for each in self._later if not unwanted(each[3])]
        heapq.heapify(self._ready)
        heapq.heapify(self._later)
        self._running = {job for job in self._running if not unwanted(job)}


def _bound_s(attempt: int) -> float:
    # 2.0 ** 1024 is an error.
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempt - 1, 60)) if attempt else 0.0
