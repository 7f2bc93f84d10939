"""Turn what a host asks for into feeds' actors, one for each connection."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..actors import ConnectGate, FeedActor, FeedStatus
from ..exchanges import EXCHANGES, Feed
from ..runtime import Dispatching, Inbox, Transport
from .children import ChildSpec
from .symbols import Symbols

__all__ = ["Feeds"]


class Feeds:
    """The connections of all feeds."""

    def __init__(
        self,
        feeds: tuple[Feed, ...],
        symbols: Symbols,
        transport: Transport | None,
        dispatcher: Dispatching,
    ) -> None:
        self._symbols = symbols
        self._transport = transport
        self._dispatcher = dispatcher
        self._gate = ConnectGate(dispatcher.clock)
        self.statuses: list[FeedStatus] = []
        self.children = [self._child(part) for feed in feeds for part in _parts(feed)]

    def _child(self, feed: Feed) -> ChildSpec:
        status = FeedStatus(self._name(feed.exchange), feed.exchange)
        self.statuses.append(status)
        inbox = Inbox(self._dispatcher)
        mailboxes = {symbol: self._symbols.add(feed.exchange, symbol) for symbol in feed.symbols}

        def start(supervisor: Inbox) -> object:
            return FeedActor.start(
                feed=feed,
                status=status,
                mailboxes=mailboxes,
                transport=self._transport,
                gate=self._gate,
                dispatcher=self._dispatcher,
                inbox=inbox,
                supervisor=supervisor,
            )

        return ChildSpec(status.name, inbox, start)

    def _name(self, exchange: str) -> str:
        number = 1 + sum(status.exchange == exchange for status in self.statuses)
        return exchange if number == 1 else f"{exchange}#{number}"


def _parts(feed: Feed) -> Iterator[Feed]:
    """Split a feed by what its exchange allows on one connection."""
    most = EXCHANGES[feed.exchange].symbols_per_connection
    for first in range(0, len(feed.symbols), most):
        yield attrs.evolve(feed, symbols=feed.symbols[first : first + most])
