"""What a world has run, as one hash."""

from __future__ import annotations

import hashlib
from array import array
from typing import Protocol

from ..runtime import Inbox, Mailbox

__all__ = ["Runnable", "Trace", "name_of"]

_BUFFERED = 4096


class Runnable(Protocol):
    """What a world runs step by step: an inbox, or a wire with frames that have arrived."""

    def run(self, throughput: int) -> None:
        """Do at most so much of what there is to do."""


class Trace:
    """Remember who was run, when, and what was counted by then, in a few bytes.

    Numbers are gathered and hashed by the thousand: a step must not cost more to note than to run.
    """

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._numbers = array("q")
        self._known: dict[Runnable, int] = {}

    def add(self, now_ns: int, runnable: Runnable) -> None:
        """Note a step that was run at `now_ns`."""
        try:
            number = self._known[runnable]
        except KeyError:
            number = self._introduce(runnable)
        numbers = self._numbers
        if isinstance(runnable, Mailbox):
            numbers.extend(
                (
                    now_ns,
                    number,
                    runnable.handled,
                    runnable.failed,
                    runnable.lost,
                    runnable.rejected,
                )
            )
        else:
            numbers.extend((now_ns, number))
        if len(numbers) > _BUFFERED:
            self._digest()

    @property
    def hash(self) -> str:
        """The hash of all steps so far; the same for the same steps in every process."""
        self._digest()
        return self._hash.hexdigest()

    def _introduce(self, runnable: Runnable) -> int:
        self._digest()
        self._hash.update(f"{name_of(runnable)}\n".encode())
        number = self._known[runnable] = len(self._known)
        return number

    def _digest(self) -> None:
        self._hash.update(self._numbers.tobytes())
        del self._numbers[:]


def name_of(runnable: Runnable) -> str:
    """Return how people know it: a symbol's key, an actor's, a connection's name."""
    if isinstance(runnable, Mailbox):
        return runnable.key
    if not isinstance(runnable, Inbox):
        return str(runnable)
    actor = runnable.actor
    return "a dead actor" if actor is None else actor.key or type(actor).__name__
