"""Reading that goes on when whoever reads is stuck in a handler: leader and follower."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count

from loguru import logger

from .inbox import Inbox

__all__ = ["Reader", "Relieved"]


class Relieved(BaseException):
    """Unwinds a thread that came back from a handler and found that another reads on.

    It passes through code that must not mistake it for an error, hence the base.
    """


class Reader:
    """Read one connection, on one thread at a time that may handle messages itself.

    `read` takes the next frame off the connection, does all with it, and returns whether there may
    be more. Its last act may be `mailbox.offer_here(snapshot, reader)`, which handles an idle,
    quick symbol's snapshot on the reading thread, in a tenth of the time that handing it to another
    takes. Meanwhile it leaves a baton behind. When the handler gets stuck, the dispatcher's watch
    takes the baton and a new thread reads on from the next frame; the old one ends with its
    handler.

    At most `max_threads` may be stuck in handlers: with more, the reader is `crowded`, and
    snapshots are handed over.
    """

    def __init__(self, name: str, read: Callable[[], bool], *, max_threads: int = 8) -> None:
        self.name = name
        self._read = read
        self._max_threads = max_threads
        # deque.append and pop are atomic, with the GIL and without: whoever pops it reads on.
        self.baton: deque[None] = deque()
        """Left by the reading thread while it is in a handler."""
        self.inbox: Inbox | None = None
        """Whose handler it was in last."""
        self.crowded = False
        """Whether so many threads are stuck that the reading one must not handle anything."""
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._number = count(1)
        self.ended = threading.Event()
        """Set when there is nothing more to read."""

    def start(self) -> None:
        """Begin to read, on a new thread."""
        name = f"ticklane-read-{self.name}-{next(self._number)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
            self.crowded = len(self._threads) > self._max_threads
        thread.start()

    @property
    def busy(self) -> bool:
        """Whether the reading thread is in a handler."""
        return bool(self.baton)

    def relieve_stuck(self, before_ns: int) -> None:
        """Let another thread read on if this one's message began before `before_ns`."""
        inbox = self.inbox
        if not self.baton or inbox is None or not 0 < inbox.started_ns < before_ns:
            return
        try:
            self.baton.pop()
        except IndexError:  # it came back just now
            return
        self.start()

    def stop(self) -> list[threading.Thread]:
        """Return its threads, which end since the connection is closed."""
        with self._lock:
            return [*self._threads]

    def _run(self) -> None:
        try:
            while self._read():
                pass
        except Relieved:
            pass
        except BaseException:  # noqa: BLE001 - a mistake of ours is told, not swallowed
            logger.exception("{} is not read any more", self.name)
            self.ended.set()
        else:
            self.ended.set()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                self.crowded = len(self._threads) > self._max_threads
