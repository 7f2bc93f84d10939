"""One connection as its feed's actor sees it: what was asked for, what is yet to be said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from ..analysis import RateBudgets, Rejections, Silence, SilenceVerdict
from ..exchanges import Exchange, ExchangeProtocol
from ..runtime import Link, Mailbox
from .connection import Connection

__all__ = ["Line"]

LIFE_SHARE, LIFE_SPREAD = 0.8, 0.15
"""A connection is rolled over at 80 to 95 % of what its exchange allows, at random."""


@attrs.define(eq=False)
class Line:
    """A connection, its link, and what its exchange allows to be said on it.

    Used by the feed's actor only. What is over the exchange's budget waits for the next `look`.
    """

    connection: Connection
    link: Link
    protocol: ExchangeProtocol
    exchange: Exchange
    base: str
    """The endpoint."""
    symbols: Mapping[str, Mailbox]
    """What its protocol asks for, and for whom."""
    silence: Silence | None = None
    """From its opening on, until it is given up."""
    roll_at_ns: float = float("inf")
    """When to make its successor."""
    streams: bool = False
    """Whether it has brought a snapshot."""
    _wanted: Mapping[str, Mailbox] = attrs.field(init=False)
    _budget: RateBudgets = attrs.field(init=False)
    _unsaid: deque[Callable[[], object]] = attrs.field(init=False, factory=deque)
    _pinged_ns: int = attrs.field(init=False, default=0)
    _rejections: Rejections = attrs.field(init=False, factory=Rejections)

    @_wanted.default
    def _all_symbols(self) -> Mapping[str, Mailbox]:
        return self.symbols

    @_budget.default
    def _all_budgets(self) -> RateBudgets:
        return RateBudgets((each.count, each.seconds) for each in self.exchange.messages)

    def open(self, silence: Silence) -> None:
        """Begin to judge its silence, and ask for its symbols."""
        self.silence = silence
        self._pinged_ns = silence.opened_ns
        self.say(self.protocol.greeting())

    def grow_old(self, now_ns: int, draw: float) -> None:
        """Set when to make its successor, where its exchange limits its life.

        `draw` is a random number in [0, 1).
        """
        if (lifetime_s := self.exchange.lifetime_s) is not None:
            self.roll_at_ns = now_ns + (LIFE_SHARE + LIFE_SPREAD * draw) * lifetime_s * 1e9

    def change_to(self, symbols: Mapping[str, Mailbox]) -> None:
        """Ask for what is new among `symbols`, and leave off what is not, with the next `flush`.

        What changes before the budget allows one more message is asked for in one. A symbol that
        was removed and added meanwhile has a new mailbox, which waits for a first book.
        """
        self._wanted = symbols

    def ask_again(self, symbols: tuple[str, ...]) -> None:
        """Ask anew for some of its symbols."""
        self.say(self.protocol.change(symbols, symbols))

    def rejected(self, symbols: tuple[str, ...], now_ns: int, draw: float) -> bool:
        """Ask anew for what its exchange has rejected, in a while; say whether any of it is new.

        `draw` is a random number in [0, 1).
        """
        return self._rejections.note(symbols, now_ns / 1e9, draw)

    def look(self, now_ns: int) -> SilenceVerdict:
        """Judge its silence, and ping it where that, or its exchange, asks for it.

        What was rejected is asked for again when it is time.
        """
        if (silence := self.silence) is None:
            return SilenceVerdict.FINE
        due = self._rejections.due(now_ns / 1e9)
        if again := tuple(symbol for symbol in due if symbol in self.symbols):
            self.ask_again(again)
        connection = self.connection
        verdict = silence.look(now_ns, connection.last_frame_ns, connection.data)
        # Behind a long subscription a ping would be late, and so would its answer.
        if not self.flush(now_ns):
            self._ping_if_due(silence, now_ns, probes=verdict is SilenceVerdict.PROBE)
        return verdict

    def flush(self, now_ns: int) -> float:
        """Say what the budget allows; return the seconds until more is allowed, 0.0 if all is."""
        while self._unsaid or self._wanted != self.symbols:
            if (wait_s := self._budget.wait_s(now_ns / 1e9)) > 0:
                return wait_s
            if self._unsaid:
                self._budget.spend(now_ns / 1e9)
                self._unsaid.popleft()()
            else:
                self._change()
        return 0.0

    def _change(self) -> None:
        before, wanted = self.symbols, self._wanted
        self.symbols = wanted
        if removed := _missing(before, wanted):
            self.say(self.protocol.change((), removed))
        if added := _missing(wanted, before):
            self.say(self.protocol.change(added, ()))

    def say(self, texts: tuple[str, ...]) -> None:
        """Send text frames with the next `flush`, in order, as the budget allows."""
        self._unsaid.extend(partial(self.link.send, text) for text in texts)

    def _ping_if_due(self, silence: Silence, now_ns: int, *, probes: bool) -> None:
        interval_s = self.exchange.ping_interval_s or float("inf")
        if probes:
            silence.probed(now_ns)
        elif now_ns - self._pinged_ns < interval_s * 1e9:
            return
        self._pinged_ns = now_ns
        if self.exchange.ping_text is None:
            self._unsaid.append(self.link.ping)
        else:
            self.say((self.exchange.ping_text,))
        self.flush(now_ns)


def _missing(of: Mapping[str, Mailbox], among: Mapping[str, Mailbox]) -> tuple[str, ...]:
    return tuple(symbol for symbol, mailbox in of.items() if among.get(symbol) is not mailbox)
