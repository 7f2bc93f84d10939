"""Leave Pykka's registry without searching all of it."""

from typing import Any

from pykka import ActorRef, ActorRegistry

__all__ = ["unregister"]


def unregister(ref: ActorRef[Any]) -> None:
    """Remove an actor from `ActorRegistry`, as `ActorRegistry.unregister` does; twice is fine.

    That one searches the list twice from its beginning, which makes stopping 10,000 actors in
    reverse order of their start take seconds. This one begins at the end.
    """
    with ActorRegistry._actor_refs_lock:  # noqa: SLF001 - a test tells when Pykka moves it
        refs = ActorRegistry._actor_refs  # noqa: SLF001
        for index in range(len(refs) - 1, -1, -1):
            if refs[index] is ref:
                del refs[index]
                return
