"""A supervisor with its children, as the host's thread starts and stops them."""

from __future__ import annotations

from collections.abc import Callable

import pykka
from loguru import logger

from ..messages import ChildGivenUp
from ..runtime import Dispatching, Inbox, Reply
from .children import ChildSpec, RestartPolicy
from .supervisor import RemoveChild, RestartChild, StartChild, StopChildren, Supervisor

__all__ = ["Group"]

GRACE_S = 1.0
"""What those that did not drain in time are given to stop at once."""


class Group:
    """A supervisor and what it looks after. Children may be added before and after `start`."""

    def __init__(
        self,
        name: str,
        *,
        strategy: str,
        policy: RestartPolicy,
        on_give_up: Callable[[ChildGivenUp], object],
        dispatcher: Dispatching,
    ) -> None:
        self.name = name
        self._strategy = strategy
        self._policy = policy
        self._on_give_up = on_give_up
        self._dispatcher = dispatcher
        self._inbox = Inbox(dispatcher)
        # A dictionary in place of a list, in which one of 100,000 is not found at once.
        self._specs: dict[ChildSpec, None] = {}
        self._stopped = False

    def add(self, spec: ChildSpec) -> None:
        """Start a child after those there are, as soon as the supervisor runs; any thread."""
        self._specs[spec] = None
        self._inbox.tell(StartChild(spec))

    def remove(self, spec: ChildSpec) -> None:
        """Stop a child and forget it; any thread."""
        del self._specs[spec]
        self._inbox.tell(RemoveChild(spec))

    def restart(self, key: str) -> None:
        """Have a child replaced, even one stuck in a handler; any thread."""
        self._inbox.tell(RestartChild(key))

    def start(self) -> None:
        """Start the supervisor, and with it the children."""
        Supervisor.start(
            strategy=self._strategy,
            policy=self._policy,
            on_give_up=self._on_give_up,
            dispatcher=self._dispatcher,
            inbox=self._inbox,
        )

    def stop(self, *, drain: bool, timeout: float) -> list[str]:
        """Stop the children, then the supervisor; return the keys of those that did not stop.

        With `drain` they first handle what waits, for at most `timeout` seconds. The second time
        nobody is waited for.
        """
        if not self._stopped:
            self._stopped = True
            if not self._stop_children(drain=drain, timeout=timeout) and drain:
                self._stop_children(drain=False, timeout=min(timeout, GRACE_S))
            self._inbox.stop(drain=True)
        left = [spec.key for spec in [*self._specs] if spec.inbox.actor is not None]
        if left:
            logger.warning("{} {} did not stop in time: {}", len(left), self.name, left[:10])
        return left

    def _stop_children(self, *, drain: bool, timeout: float) -> bool:
        done = Reply()
        self._dispatcher.lend(done, self._inbox)
        self._inbox.tell(StopChildren(drain, done))
        try:
            done.get(timeout=timeout)
        except pykka.Timeout:
            return False
        return True
