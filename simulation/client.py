"""One connection, as a simulated exchange sees it."""

from __future__ import annotations

from typing import Protocol

import attrs

from ..runtime.frames import CLOSE_CODES
from .door import Ration
from .venue import BookForm, Payload, VenueSession
from .venue_rules import VenueRules

__all__ = ["GOING_AWAY", "POLICY_VIOLATION", "Client", "Peer", "is_close_code"]

GOING_AWAY, POLICY_VIOLATION = 1001, 1008


def is_close_code(code: object) -> bool:
    """Say whether a connection may be closed with it (`runtime.frames`)."""
    return isinstance(code, int) and code in CLOSE_CODES


class Peer(Protocol):
    """The wire to one client: a socket, or one in virtual time."""

    def send(self, payload: Payload) -> None:
        """Send a frame: bytes as a binary one, text as a text one."""

    def ping(self) -> None:
        """Send a ping."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a word about why."""

    def abort(self) -> None:
        """Reset the connection, without a word."""

    def mute(self, muted: bool) -> None:
        """Leave unread what the client says, and unanswered its pings; or read on."""


@attrs.define(eq=False)
class Client:
    """One connection to the simulated exchange."""

    peer: Peer
    session: VenueSession
    opened_s: float
    active_s: float
    """When anything was said on it, either way."""
    pinged_s: float
    messages: Ration
    unanswered_s: float | None = None
    """When the first ping that is not answered was sent."""
    leaves_at_s: float | None = None
    """When a shutdown ends it."""
    forms: tuple[tuple[str, BookForm], ...] = ()
    """The books it gets, each in which form."""
    subscribed: bool = False
    """Whether it has ever subscribed to anything."""
    dead: bool = False
    """Half-open: nothing is sent to it and nothing it sends arrives."""

    def broken_rule(self, rules: VenueRules, now_s: float) -> tuple[int, str] | None:
        """Return the close code and the word for what ends it now; None where nothing does."""
        if self.leaves_at_s is not None and now_s >= self.leaves_at_s:
            return GOING_AWAY, "shutdown"
        if _older(self.opened_s, rules.lifetime_s, now_s):
            return GOING_AWAY, "lifetime"
        if _older(self.active_s, rules.idle_limit_s, now_s):
            return GOING_AWAY, "idle"
        if _older(self.unanswered_s, rules.pong_timeout_s, now_s):
            return POLICY_VIOLATION, "Pong timeout"
        return None

    def ping_in_time(self, rules: VenueRules, now_s: float) -> None:
        """Ping it, if it is time to; one that is half-open does not get it."""
        if _older(self.pinged_s, rules.ping_interval_s, now_s):
            self.pinged_s = now_s
            if self.unanswered_s is None:
                self.unanswered_s = now_s
            if not self.dead:
                self.peer.ping()


def _older(since_s: float | None, limit_s: float | None, now_s: float) -> bool:
    return since_s is not None and limit_s is not None and now_s - since_s >= limit_s
