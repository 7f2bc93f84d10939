"""A simulated exchange without I/O: who is connected, what each gets, what each must do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from ..messages import Snapshot
from .client import POLICY_VIOLATION, Client, Peer
from .door import UNAVAILABLE, Door, Ration
from .frame_faults import FrameFaults
from .rest_replies import RestReply, VenueRest
from .rest_side import RestSide
from .venue import BookForm, Payload, VenueSession
from .venue_rules import VenueRules

__all__ = ["ExchangeModel"]


class ExchangeModel:
    """One exchange: its clients, what they subscribed to, its rules, its faults.

    It reads no clock: what happens to it is told with the time, `now_s`, on any clock that only
    goes forward. Who brings the bytes calls `knock` and `join` for a handshake, `receive`, `hear`,
    `answer_ping` and `leave` for what clients do, and `check` once a second and at `due_s`.
    """

    on_subscribed: Callable[[Client], object] | None = None
    """Called with a client that has subscribed to something for the first time."""

    def __init__(
        self,
        open_session: Callable[[str], VenueSession],
        rules: VenueRules,
        *,
        rest: VenueRest | None = None,
    ) -> None:
        self.rules = rules
        self.books: dict[str, Snapshot] = {}
        """The newest book of every symbol, as the REST side gives it."""
        self.frames_sent = 0
        self._open_session = open_session
        self._door = Door(rules)
        self._rest = RestSide(rest, rules.rest_weight)
        self._faults = FrameFaults()
        # Dictionaries in place of sets: who is told first must not depend on addresses in memory.
        self._clients: dict[Client, None] = {}
        self._audience: dict[str, dict[BookForm, dict[Client, None]]] = defaultdict(dict)
        self.stalled_until_s: float | None = None
        """Until when it neither says nor reads anything."""
        self._held: list[tuple[Client, Payload]] = []
        self._rejecting_until_s = 0.0

    @property
    def clients(self) -> tuple[Client, ...]:
        """Those connected, as far as the exchange knows."""
        return tuple(self._clients)

    @property
    def alive(self) -> int:
        """How many of them are not half-open."""
        return sum(not client.dead for client in self._clients)

    # -- what clients do

    def knock(self, now_s: float) -> int | None:
        """Return the HTTP status that a handshake is refused with, None where it is let in."""
        return self._door.knock(now_s)

    def join(self, path: str, peer: Peer, now_s: float) -> Client:
        """Take in a client that was let in; what it asked for by `path` counts at once."""
        ration = Ration(self.rules.messages)
        client = Client(peer, self._open_session(path), now_s, now_s, now_s, ration)
        self._clients[client] = None
        peer.mute(self.stalled_until_s is not None)
        if client.session.is_subscribed and now_s < self._rejecting_until_s:
            self._reply(client, client.session.reject(None))
        self._note_subscriptions(client)
        return client

    def receive(self, client: Client, message: Payload, now_s: float) -> None:
        """Take a client's message and answer it."""
        client.active_s = now_s
        if not client.messages.take(now_s):
            self._close(client, POLICY_VIOLATION, "Too many requests")
            return
        session = client.session
        rejecting = now_s < self._rejecting_until_s
        replies = session.reject(message) if rejecting else session.receive(message)
        self._reply(client, replies)
        if client in self._clients:
            self._note_subscriptions(client)

    def hear(self, client: Client, now_s: float) -> None:
        """Note a ping of the client's; answering it is the business of who brings the bytes."""
        client.active_s = now_s

    def answer_ping(self, client: Client, now_s: float) -> None:
        """Note the answer to our pings."""
        client.active_s = now_s
        client.unanswered_s = None

    def leave(self, client: Client) -> None:
        """Forget a client that is gone."""
        self._forget_subscriptions(client)
        client.forms = ()
        self._clients.pop(client, None)

    def get(self, target: str, now_s: float) -> RestReply:
        """Answer a GET request for `target`, a path with a query."""
        return self._rest.get(target, self.books, now_s)

    # -- what the exchange does

    def publish(self, book: Snapshot, now_s: float) -> None:
        """Send a book to all who asked for it, written once for all who asked alike."""
        before = self.books.get(book.symbol)
        self.books[book.symbol] = book
        for form, clients in self._audience.get(book.symbol, {}).items():
            if clients:
                payload = form.frame(book, before)
                if self._faults.active:
                    stream = (book.symbol, form)
                    for each in self._faults.passed(book.symbol, stream, payload):
                        self._send(clients, each, now_s)
                else:
                    self._send(clients, payload, now_s)

    def say(self, payload: Payload, now_s: float) -> None:
        """Send a frame with this content to every client, whatever it asked for."""
        self._send(self._clients, payload, now_s)

    def check(self, now_s: float) -> None:
        """Ping, and part with who breaks the rules; end what faults are over."""
        if self.stalled_until_s is not None:
            if now_s < self.stalled_until_s:
                return
            self._end_stall(now_s)
        for client in self.clients:
            if (broken := client.broken_rule(self.rules, now_s)) is not None:
                self._close(client, *broken)
            else:
                client.ping_in_time(self.rules, now_s)

    @property
    def due_s(self) -> float | None:
        """When something is due to the moment, besides the check each second."""
        times = (self.stalled_until_s, *(client.leaves_at_s for client in self._clients))
        return min((at_s for at_s in times if at_s is not None), default=None)

    # -- faults

    def disconnect(self, code: int | None) -> None:
        """Close every connection with `code`, or reset it."""
        for client in self.clients:
            self._close(client, code, "")

    def half_open(self) -> None:
        """Say nothing more on the connections there are, and hear nothing."""
        for client in self._clients:
            client.dead = True
            client.peer.mute(True)

    def stall(self, now_s: float, seconds: float) -> None:
        """Send and read nothing for so long, then all of it."""
        self.stalled_until_s = max(self.stalled_until_s or 0.0, now_s + seconds)
        for client in self._clients:
            client.peer.mute(True)

    def spoil(self, fault: str, frames: int, symbol: str | None) -> None:
        """Let the next frames with books go wrong (`FRAME_FAULTS`)."""
        self._faults.add(fault, frames, symbol)

    def reject(self, now_s: float, seconds: float) -> None:
        """Answer subscriptions with an error for so long."""
        self._rejecting_until_s = now_s + seconds

    def refuse(self, now_s: float, seconds: float, status: int) -> None:
        """Refuse handshakes for so long."""
        self._door.shut(now_s, seconds, status)

    def shut_down(self, now_s: float, notice_s: float, down_s: float) -> None:
        """Announce that connections will be closed, and close those there are; then be away."""
        for client in self._clients:
            self._reply(client, client.session.farewell(int(now_s * 1000)))
            client.leaves_at_s = now_s + notice_s
        if down_s > 0:
            self.refuse(now_s, notice_s + down_s, UNAVAILABLE)

    # -- inside

    def _send(self, clients: Iterable[Client], payload: Payload, now_s: float) -> None:
        for client in clients:
            if not client.dead:
                client.active_s = now_s
                self.frames_sent += 1
                self._put(client, payload)

    def _reply(self, client: Client, payloads: Iterable[Payload]) -> None:
        for payload in payloads:
            self._put(client, payload)

    def _put(self, client: Client, payload: Payload) -> None:
        if self.stalled_until_s is not None:
            self._held.append((client, payload))
        elif not client.dead:
            client.peer.send(payload)

    def _end_stall(self, now_s: float) -> None:
        self.stalled_until_s = None
        held, self._held = self._held, []
        for client, payload in held:
            if client in self._clients:
                self._put(client, payload)
        for client in self.clients:
            client.active_s = now_s
            if not client.dead:
                client.peer.mute(False)

    def _close(self, client: Client, code: int | None, reason: str) -> None:
        self.leave(client)
        if client.dead or code is None:
            client.peer.abort()
        else:
            client.peer.close(code, reason)

    def _note_subscriptions(self, client: Client) -> None:
        before = client.forms
        self._forget_subscriptions(client)
        client.forms = tuple(client.session.subscriptions())
        for symbol, form in client.forms:
            self._audience[symbol].setdefault(form, {})[client] = None
            if (symbol, form) not in before and symbol in self.books:
                self._reply(client, client.session.greet(form, self.books[symbol]))
        if client.session.is_subscribed and not client.subscribed:
            client.subscribed = True
            if self.on_subscribed is not None:
                self.on_subscribed(client)

    def _forget_subscriptions(self, client: Client) -> None:
        for symbol, form in client.forms:
            clients = self._audience[symbol][form]
            clients.pop(client, None)
            if not clients:
                # A form may be one client's own. A book may be on its way by the others just now.
                self._audience[symbol] = {**self._audience[symbol]}
                del self._audience[symbol][form]
