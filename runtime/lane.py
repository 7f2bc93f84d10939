"""Threads that run what stands in one line, and never all of them stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from queue import SimpleQueue

from loguru import logger

from .inbox import Inbox

__all__ = ["Lane"]


class Worker:
    """One thread of a lane."""

    __slots__ = ("inbox", "relieved")

    def __init__(self) -> None:
        self.inbox: Inbox | None = None
        """What it runs now."""
        self.relieved = False
        """Whether another has taken its place while it was stuck."""


class Lane:
    """A line of inboxes, and the threads that run them.

    `workers` threads serve the line. One that is stuck in a handler while something waits is
    relieved: a spare takes its place, and it ends when its handler returns. So a stuck handler
    costs a thread, never a turn. At `max_threads`, those in line wait.
    """

    def __init__(self, name: str, *, workers: int, max_threads: int, throughput: int) -> None:
        self.name = name
        self._line: SimpleQueue[Inbox | None] = SimpleQueue()
        self.put: Callable[[Inbox], object] = self._line.put
        """Puts an inbox into the line."""
        self._workers = workers
        self._max_threads = max_threads
        self._throughput = throughput
        self._lock = threading.Lock()
        self._crew: dict[Worker, threading.Thread] = {}
        self._number = count(1)
        self._stopped = False

    def start(self) -> None:
        """Start the workers."""
        with self._lock:
            for _ in range(self._workers):
                self._hire()

    def relieve_stuck(self, before_ns: int) -> None:
        """Send a spare for every worker whose message began before `before_ns`, if any waits."""
        if self._line.empty():
            return
        with self._lock:
            for worker in [*self._crew]:
                if _stuck(worker, before_ns) and len(self._crew) < self._max_threads:
                    worker.relieved = True
                    self._hire()

    @property
    def busy(self) -> bool:
        """Whether anything is run or waits."""
        return not self._line.empty() or any(worker.inbox for worker in [*self._crew])

    def stop(self) -> list[threading.Thread]:
        """Tell the threads to end when the line is done, and return them."""
        with self._lock:
            self._stopped = True
            crew = [*self._crew.values()]
        # Who comes back from a handler later finds nobody to go on, and does it himself.
        self.put = lambda inbox: inbox.run(self._throughput)
        for _ in crew:
            self._line.put(None)
        return crew

    def _hire(self) -> None:
        if self._stopped:
            return
        worker = Worker()
        name = f"ticklane-{self.name}-{next(self._number)}"
        thread = threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
        self._crew[worker] = thread
        thread.start()

    def _work(self, worker: Worker) -> None:
        take, throughput = self._line.get, self._throughput
        while not worker.relieved and (inbox := take()) is not None:
            worker.inbox = inbox
            try:
                inbox.run(throughput)
            except BaseException:  # noqa: BLE001 - a mistake of ours must not cost the thread
                logger.exception("{} could not be run", inbox)
            worker.inbox = None
        with self._lock:
            del self._crew[worker]


def _stuck(worker: Worker, before_ns: int) -> bool:
    inbox = worker.inbox
    return inbox is not None and not worker.relieved and 0 < inbox.started_ns < before_ns
