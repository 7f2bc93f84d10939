"""What actors and supervisors tell one another about starting, failing and stopping."""

from typing import Any

import attrs

__all__ = ["ChildFailed", "ChildGivenUp", "ChildStopped"]


@attrs.frozen
class ChildFailed:
    """A child's code raised; its actor is dead, its mailbox is not."""

    key: str
    error: BaseException
    actor: Any
    """The actor that died, to tell a late report from a new failure."""


@attrs.frozen
class ChildStopped:
    """A child ended as it was told to."""

    key: str
    actor: Any


@attrs.frozen
class ChildGivenUp:
    """A child failed too often in too short a time and will not be started again."""

    key: str
    error: BaseException
    restarts: int
