"""The answer to an `ask`."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pykka import Future, ThreadingFuture

__all__ = ["Reply", "answer"]


class Reply(ThreadingFuture[Any]):
    """A Pykka future whose waiter may have work to do meanwhile.

    On threads it waits. In virtual time nothing happens while somebody only waits, so the world
    sets `drive`, and `get` runs the world until the answer is there.
    """

    drive: Callable[[Reply, float | None], None] | None = None

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        return self._result is not None

    def get(self, *, timeout: float | None = None) -> Any:
        """Return the answer; raises what the actor raised, or `pykka.Timeout`."""
        if self.drive is not None and not self.done:
            self.drive(self, timeout)
        return super().get(timeout=timeout)


def answer(reply: Future[Any], response: Any) -> None:
    """Set an answer, an exception to be raised among them; who has one already keeps it."""
    # An asker may answer his own future; that is no reason to end who was asked.
    with suppress(queue.Full):
        if isinstance(response, BaseException):
            reply.set_exception((type(response), response, response.__traceback__))
        else:
            reply.set(response)
