"""What the REST side of a simulated exchange answers, and what each request weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import msgspec

from ..messages import Snapshot

__all__ = ["RestReply", "RestRequest", "VenueRest", "reply"]

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class RestRequest:
    """A GET request."""

    path: str
    query: Mapping[str, str]
    books: Mapping[str, Snapshot]
    """The exchange's books now, by symbol."""
    now_ms: int
    """The exchange's time."""


@attrs.frozen
class RestReply:
    """The answer to a request."""

    status: int
    body: bytes
    weight: int = 1
    """What it counts against the limit of requests."""
    headers: Mapping[str, str] = attrs.field(factory=dict)


VenueRest = Callable[[RestRequest], RestReply]
"""The REST side of one exchange."""


def reply(content: object, *, status: int = 200, weight: int = 1) -> RestReply:
    """Return an answer with `content` as JSON."""
    return RestReply(status, _encode(content), weight)
