"""The book of symbols: one mailbox and one audience for each key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from ..actors import Audience, SymbolActor
from ..exchanges import split_key
from ..messages import InvalidOption, TooManySymbols, UnknownKey
from ..runtime import Dispatching, Inbox, Mailbox
from . import options
from .children import ChildSpec

__all__ = ["PerSymbol", "Symbols"]

_Option = TypeVar("_Option")
PerSymbol: TypeAlias = _Option | Mapping[str, _Option]
"""An option for all symbols, or by key; a key that is not in it has the default."""


class Symbols:
    """Every symbol there is: declared by a feed, named by the host, or brought by a snapshot.

    `start` is called once for each new one, with how to start its actor. Any thread may ask;
    new ones are made under a lock.
    """

    def __init__(
        self,
        *,
        capacity: PerSymbol[int],
        overflow: PerSymbol[str],
        adaptive: bool,
        max_symbols: int,
        dispatcher: Dispatching,
        start: Callable[[ChildSpec], object],
    ) -> None:
        self.mailboxes: dict[str, Mailbox] = {}
        """By key."""
        self.by_exchange: dict[str, dict[str, Mailbox]] = {}
        """The same by exchange, then symbol, which a snapshot has at hand."""
        self._capacity = capacity
        self._overflow = overflow
        self._adaptive = options.a(bool, "adaptive", adaptive, "True or False")
        self._max_symbols = options.count("max_symbols", max_symbols)
        self._dispatcher = dispatcher
        self._start = start
        self._lock = threading.Lock()
        self._audiences: dict[str, Audience] = {}
        self._children: dict[str, ChildSpec] = {}
        # Options are checked now, not when the first symbol comes.
        for key in ("", *_keys(capacity), *_keys(overflow)):
            self._mailbox(key, dispatcher)

    def audience(self, key: str) -> Audience:
        """Return who listens to a known key; raises UnknownKey."""
        with self._lock:
            self.mailbox(key)
            return self._audiences[key]

    def mailbox(self, key: str) -> Mailbox:
        """Return the mailbox of a known key; raises UnknownKey, InvalidOption for no key at all."""
        mailbox = self.mailboxes.get(key)
        if mailbox is None:
            split_key(key)
            raise UnknownKey(key, self.mailboxes)
        return mailbox

    def add(self, exchange: str, symbol: str) -> Mailbox:
        """Return the mailbox of a symbol, a new one with an actor where there was none.

        Raises TooManySymbols, InvalidOption for two that make no key.
        """
        with self._lock:
            if symbol in (mailboxes := self.by_exchange.get(exchange, {})):
                return mailboxes[symbol]
            key = f"{exchange}:{symbol}"
            if split_key(key) != (exchange, symbol):
                raise InvalidOption("exchange", exchange, "a name without a colon")
            if len(self.mailboxes) >= self._max_symbols:
                raise TooManySymbols(key, self._max_symbols)
            mailbox = self._make(key)
            self.by_exchange.setdefault(exchange, {})[symbol] = mailbox
        return mailbox

    def remove(self, key: str) -> ChildSpec:
        """Forget a symbol; return what is to be stopped. Raises UnknownKey."""
        with self._lock:
            self.mailbox(key)
            exchange, symbol = split_key(key)
            del self.mailboxes[key], self.by_exchange[exchange][symbol], self._audiences[key]
            return self._children.pop(key)

    def _make(self, key: str) -> Mailbox:
        mailbox = self._mailbox(key, self._dispatcher)
        audience = self._audiences[key] = Audience()
        self.mailboxes[key] = mailbox

        def start(supervisor: Inbox) -> object:
            return SymbolActor.start(
                mailbox=mailbox,
                audience=audience,
                dispatcher=self._dispatcher,
                supervisor=supervisor,
            )

        child = self._children[key] = ChildSpec(key, mailbox, start)
        self._start(child)
        return mailbox

    def _mailbox(self, key: str, dispatcher: Dispatching) -> Mailbox:
        return Mailbox(
            key,
            dispatcher,
            capacity=_of(self._capacity, key, 1000),
            overflow=_of(self._overflow, key, "drop_oldest"),
            adaptive=self._adaptive,
        )


def _of(option: PerSymbol[_Option], key: str, default: _Option) -> _Option:
    return option.get(key, default) if isinstance(option, Mapping) else option


def _keys(option: PerSymbol[Any]) -> Iterable[str]:
    keys = option if isinstance(option, Mapping) else ()
    for key in keys:
        split_key(key)
    return keys
