"""Who listens to one symbol. It outlives the symbol's actor."""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs

from ..messages import FeedEvent, Snapshot

__all__ = ["Audience", "Subscription"]


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
    """The subscriptions of one symbol: changed by any thread, read by its actor."""

    __slots__ = ("_lock", "subscriptions")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.subscriptions: tuple[Subscription, ...] = ()

    def join(
        self,
        key: str,
        handler: Callable[[Snapshot], object],
        on_event: Callable[[FeedEvent], object] | None,
    ) -> Subscription:
        """Add a subscription; it gets what is handled from now on."""
        subscription = Subscription(key, handler, on_event, self)
        with self._lock:
            self.subscriptions = (*self.subscriptions, subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Remove a subscription, if it is still there."""
        with self._lock:
            self.subscriptions = tuple(
                other for other in self.subscriptions if other is not subscription
            )
