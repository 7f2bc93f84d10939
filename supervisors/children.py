"""What a supervisor knows of one child."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ..analysis import Backoff, RestartWindow
from ..analysis.checks import positive, whole_number
from ..runtime import Inbox, Timer

__all__ = ["Child", "ChildSpec", "RestartPolicy"]


@attrs.frozen(kw_only=True)
class RestartPolicy:
    """How often a child may fail before it is given up, and how long to wait in between.

    More than `max_restarts` failures within `within_s` seconds are too many. The wait doubles from
    `backoff_first_s` to `backoff_cap_s`, with up to 20 % random on top, and starts again after
    `quiet_s` without a failure. Raises InvalidOption.
    """

    max_restarts: int = attrs.field(default=3, validator=whole_number(0))
    within_s: float = attrs.field(default=5.0, validator=positive)
    backoff_first_s: float = attrs.field(default=0.1, validator=positive)
    backoff_cap_s: float = attrs.field(default=30.0, validator=positive)
    quiet_s: float = attrs.field(default=60.0, validator=positive)

    def window(self) -> RestartWindow:
        """Return an empty window for one child."""
        return RestartWindow(self.max_restarts, self.within_s)

    def backoff(self) -> Backoff:
        """Return a fresh back-off for one child."""
        return Backoff(self.backoff_first_s, self.backoff_cap_s, quiet_s=self.quiet_s)


@attrs.frozen
class ChildSpec:
    """How to start a child. `inbox` is its address, whatever happens to its actor."""

    key: str
    inbox: Inbox
    start: Callable[[Inbox], Any]
    """Starts its actor, given the supervisor's inbox."""


@attrs.define(eq=False)
class Child:
    """One child: how to start it, and how it has done so far."""

    spec: ChildSpec
    window: RestartWindow
    backoff: Backoff
    due: bool = True
    """To be started as soon as it can be."""
    ending: bool = False
    """Told to stop, and has not stopped yet."""
    waiting: Timer | None = None
    """Its last back-off, under way or over."""

    @property
    def inbox(self) -> Inbox:
        """Its address, and what is known of it from outside."""
        return self.spec.inbox
