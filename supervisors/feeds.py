"""Turn what a host asks for into feeds' actors, one for each connection."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import attrs

from ..actors import BookDesks, ConnectGate, FeedActor, FeedPart, FeedStatus, RecordingTransport
from ..exchanges import EXCHANGES, Feed
from ..messages import InvalidOption, SymbolsChanged
from ..runtime import Dispatching, Inbox, Rest, Transport
from .children import ChildSpec
from .group import Group
from .symbols import Symbols

__all__ = ["Feeds"]


class Feeds:
    """The connections of all feeds, run by `group`. Symbols may be added and removed by any thread.

    A feed is split into parts by what its exchange allows on one connection; each part has as many
    connections as the feed's redundancy says. All who live by the same clock share the exchanges'
    connect budgets.
    """

    def __init__(
        self,
        feeds: tuple[Feed, ...],
        symbols: Symbols,
        group: Group,
        *,
        transport: Transport | None,
        rest: Rest | None,
        dispatcher: Dispatching,
    ) -> None:
        self.statuses: list[FeedStatus] = []
        self.inboxes: dict[str, Inbox] = {}
        """By the connection's name; like `statuses` it changes with the connections."""
        self._feeds = feeds
        self._symbols = symbols
        self._group = group
        self._transport = transport
        self._dispatcher = dispatcher
        self._gate = ConnectGate.of(dispatcher.clock)
        through = transport.reader if isinstance(transport, RecordingTransport) else None
        self._desks = BookDesks(rest, dispatcher, through=through)
        self._lock = threading.Lock()
        self._names: Counter[str] = Counter()
        self._parts = [self._open(part) for feed in feeds for part in _split(feed)]

    def add(self, exchange: str, symbol: str) -> None:
        """Have a feed of the exchange bring one more symbol; nothing changes where one does.

        It goes to a connection with room, or to a new one. Raises InvalidOption where no feed is of
        this exchange and for a symbol it could not bring, TooManySymbols.
        """
        with self._lock:
            parts = [part for part in self._parts if part.feed.exchange == exchange]
            if any(symbol in part.part.symbols for part in parts):
                return
            feed = self._feed_of(exchange)
            most = EXCHANGES[exchange].symbols_per_connection
            part = next((part for part in parts if len(part.part.symbols) < most), None)
            if part is None:
                self._parts.append(self._open(attrs.evolve(feed, symbols=(symbol,))))
                return
            # It is checked as if it had been declared.
            attrs.evolve(part.feed, symbols=(*part.part.symbols, symbol))
            part.part.add(symbol, self._symbols.add(exchange, symbol))
            part.tell_changed()

    def remove(self, exchange: str, symbol: str) -> None:
        """Have no feed bring a symbol any more; a connection left without symbols is closed."""
        with self._lock:
            for part in [*self._parts]:
                if part.feed.exchange == exchange and symbol in part.part.symbols:
                    part.part.remove(symbol)
                    self._follow(part)

    def cut_off(self, lost: set[str]) -> set[str]:
        """Return the keys that nothing brings while the connections of these names are lost."""
        with self._lock:
            down = [part for part in self._parts if lost.issuperset(part.names)]
            up = [part for part in self._parts if part not in down] if down else []
        brought = {key for part in up for key in part.keys}
        return {key for part in down for key in part.keys} - brought

    def _follow(self, part: _Part) -> None:
        if part.part.symbols:
            part.tell_changed()
            return
        self._parts.remove(part)
        for status, child in part.connections:
            self.statuses.remove(status)
            del self.inboxes[status.name]
            self._group.remove(child)

    def _feed_of(self, exchange: str) -> Feed:
        feed = next((feed for feed in self._feeds if feed.exchange == exchange), None)
        if feed is None:
            declared = ", ".join(sorted({feed.exchange for feed in self._feeds})) or "none"
            raise InvalidOption("exchange", exchange, f"one that a feed declares ({declared})")
        return feed

    def _open(self, feed: Feed) -> _Part:
        mailboxes = {symbol: self._symbols.add(feed.exchange, symbol) for symbol in feed.symbols}
        part = FeedPart(mailboxes, feed.redundancy)
        connections = [self._connection(feed, part, number) for number in range(feed.redundancy)]
        return _Part(feed, part, connections)

    def _connection(self, feed: Feed, part: FeedPart, standby: int) -> tuple[FeedStatus, ChildSpec]:
        status = FeedStatus(self._name(feed.exchange), feed.exchange)
        inbox = Inbox(self._dispatcher)
        desk = self._desks.of(feed)

        def start(supervisor: Inbox) -> object:
            return FeedActor.start(
                feed=feed,
                part=part,
                status=status,
                transport=self._transport,
                gate=self._gate,
                dispatcher=self._dispatcher,
                inbox=inbox,
                supervisor=supervisor,
                standby=standby,
                desk=desk,
            )

        child = ChildSpec(status.name, inbox, start)
        self.statuses.append(status)
        self.inboxes[status.name] = inbox
        self._group.add(child)
        return status, child

    def _name(self, exchange: str) -> str:
        self._names[exchange] += 1
        number = self._names[exchange]
        return exchange if number == 1 else f"{exchange}#{number}"


@attrs.frozen(eq=False)
class _Part:
    """A feed's symbols that share a connection, and its standbys."""

    feed: Feed
    part: FeedPart
    connections: list[tuple[FeedStatus, ChildSpec]]

    @property
    def names(self) -> list[str]:
        return [status.name for status, _ in self.connections]

    @property
    def keys(self) -> list[str]:
        return [f"{self.feed.exchange}:{symbol}" for symbol in self.part.symbols]

    def tell_changed(self) -> None:
        for _, child in self.connections:
            child.inbox.tell(SymbolsChanged())


def _split(feed: Feed) -> Iterator[Feed]:
    """Split a feed by what its exchange allows on one connection."""
    most = EXCHANGES[feed.exchange].symbols_per_connection
    for first in range(0, len(feed.symbols), most):
        yield attrs.evolve(feed, symbols=feed.symbols[first : first + most])
