"""Who listens to one symbol. It outlives the symbol's actor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import attrs

from ..messages import FeedEvent, Snapshot

__all__ = ["Audience", "Subscription"]

_Message = TypeVar("_Message")


@attrs.frozen(eq=False)
class Subscription:
    """A host's interest in one symbol."""

    key: str
    handler: Callable[[Snapshot], object]
    on_event: Callable[[FeedEvent], object] | None
    _audience: Audience = attrs.field(repr=False)

    def cancel(self) -> None:
        """End it, from any thread, any number of times; a call under way is not interrupted."""
        self._audience.leave(self)


class Audience:
    """The subscriptions of one symbol: changed by any thread, called by its actor."""

    __slots__ = ("_lock", "_subscriptions", "handle", "handle_event")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set(())

    def join(
        self,
        key: str,
        handler: Callable[[Snapshot], object],
        on_event: Callable[[FeedEvent], object] | None,
    ) -> Subscription:
        """Add a subscription; it gets what is handled from now on."""
        subscription = Subscription(key, handler, on_event, self)
        with self._lock:
            self._set((*self._subscriptions, subscription))
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Remove a subscription, if it is still there."""
        with self._lock:
            self._set(tuple(other for other in self._subscriptions if other is not subscription))

    def _set(self, subscriptions: tuple[Subscription, ...]) -> None:
        self._subscriptions = subscriptions
        self.handle: Callable[[Snapshot], object] = _all_of([s.handler for s in subscriptions])
        self.handle_event: Callable[[FeedEvent], object] = _all_of(
            [s.on_event for s in subscriptions if s.on_event]
        )


def _all_of(handlers: list[Callable[[_Message], object]]) -> Callable[[_Message], object]:
    """Return what calls them all: the only one itself, where it is one."""
    return handlers[0] if len(handlers) == 1 else partial(_call_each, handlers)


def _call_each(handlers: list[Callable[[_Message], object]], message: _Message) -> None:
    """Call every handler, whichever of them raises; then raise what they raised."""
    errors: list[BaseException] = []
    for handler in handlers:
        try:
            handler(message)
        except BaseException as error:  # noqa: BLE001 - the others get it all the same
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("several handlers failed", errors)
