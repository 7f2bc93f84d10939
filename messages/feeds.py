"""What happened to a feed, told in band: in one order with the snapshots around it."""

import attrs

__all__ = [
    "BookResynced",
    "FeedConnected",
    "FeedEvent",
    "FeedLost",
    "FeedStalled",
    "GapDetected",
    "SequenceReset",
]


@attrs.frozen(kw_only=True)
class FeedEvent:
    """Base of what a consumer is told of its feed."""

    key: str
    """The symbol it concerns; what concerns a connection is told to each of its symbols."""


@attrs.frozen(kw_only=True)
class FeedConnected(FeedEvent):
    """The connection that brings this symbol is open and subscribed."""

    url: str


@attrs.frozen(kw_only=True)
class FeedLost(FeedEvent):
    """The connection that brings this symbol is gone; another is being made."""

    reason: str


@attrs.frozen(kw_only=True)
class FeedStalled(FeedEvent):
    """The connection is open and says nothing."""

    silence_s: float


@attrs.frozen(kw_only=True)
class GapDetected(FeedEvent):
    """The exchange's numbers jumped: updates of this book were missed."""

    missed: int


@attrs.frozen(kw_only=True)
class BookResynced(FeedEvent):
    """After a gap the book is whole again; the next snapshot is right."""


@attrs.frozen(kw_only=True)
class SequenceReset(FeedEvent):
    """The exchange's numbers began again from below; what follows is newer all the same."""
