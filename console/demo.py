"""`ticklane demo`: the whole line on this machine, with an anomaly half-way."""

import argparse
import heapq
import math
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from operator import itemgetter

import attrs

from ..messages import AnomalyAlert, AnomalyState, InvalidOption, MetricsSample, Snapshot
from ..simulation import LoopbackExchange, SyntheticMarket, demo_keys
from ..supervisors import MarketData
from .arguments import Commands, Parser
from .feeds import by_exchange, feeds_of
from .output import complain
from .running import alert_line, follow, tell_end
from .table import Table, open_table

__all__ = ["add_demo", "demo"]

_EPILOG = """\
examples:
  ticklane demo
  ticklane demo --seconds 60 --symbols 100 --rate 50

Half-way the handler of the first symbol is slow for a few seconds: what waits for it raises an
anomaly, which clears when the handler is quick again. Exit status: 1 where that was not so or an
exchange brought nothing. Needs the extra 'simulation', looks best with 'console'.
"""

_LEAST_S = 8.0
_SLOWNESS_S = 0.5
_BUSY = 120.0
"""Books of the slow symbol in a unit, on average. It keeps half of that at least, whatever the
seed, and so gathers more than 100 in the three units it is slow."""


@attrs.frozen
class _Plan:
    """When what happens, in seconds from the start. A short demo does the same, only faster."""

    seconds: float

    @property
    def unit_s(self) -> float:
        """How often it is measured: a second in a demo of 20 s and more."""
        return min(1.0, self.seconds / 20)

    @property
    def slow_from_s(self) -> float:
        # Three units slow, three calm ones until the anomaly clears, and four to see it cleared;
        # two are left for a loaded machine.
        return min(self.seconds / 2, self.seconds - 12 * self.unit_s)

    @property
    def slow_until_s(self) -> float:
        return self.slow_from_s + 3 * self.unit_s


class _Handler:
    """A host's handler that can be made slow."""

    def __init__(self) -> None:
        self._quick = threading.Event()
        self._quick.set()

    def __call__(self, _: Snapshot) -> None:
        self._quick.wait(_SLOWNESS_S)

    def be_slow(self) -> None:
        self._quick.clear()

    def be_quick(self) -> None:
        """Be quick from now on, the call under way included."""
        self._quick.set()


@attrs.frozen
class _Witness:
    """Sees one symbol's anomaly raised and cleared."""

    key: str
    raised: threading.Event = attrs.field(init=False, factory=threading.Event)
    cleared: threading.Event = attrs.field(init=False, factory=threading.Event)

    def __call__(self, alert: AnomalyAlert) -> None:
        if (alert.kind, alert.key) == ("WS_QUEUE_DEPTH", self.key):
            seen = self.cleared if alert.state is AnomalyState.CLEARED else self.raised
            seen.set()

    def missed(self, sample: MetricsSample) -> Iterator[str]:
        """Say what a demo should show and this one did not."""
        if not self.raised.is_set():
            yield f"WS_QUEUE_DEPTH of {self.key} was not raised"
        elif not self.cleared.is_set():
            yield f"WS_QUEUE_DEPTH of {self.key} was raised but not cleared"
        yield from (f"{feed.name} brought nothing" for feed in sample.feeds if not feed.snapshots)


def add_demo(commands: Commands, common: Parser) -> None:
    """Add the command `demo`."""
    parser = commands.add_parser(
        "demo",
        parents=[common],
        help="see it work on this machine, without any exchange",
        description="Start two simulated exchanges with a synthetic market, connect real feeds to\n"
        "them over real WebSockets, and show what the mailboxes do.",
        epilog=_EPILOG,
    )
    for flag, type_, default, what in (
        ("--seconds", float, 20.0, f"how long, {_LEAST_S:g} at least"),
        ("--symbols", int, 20, "how many, on both exchanges in turn"),
        ("--seed", int, 1, "of the market: the same seed is the same market"),
        ("--rate", float, 20.0, "books a second and symbol; the slow symbol has more"),
    ):
        parser.add_argument(
            flag, type=type_, default=default, metavar="N", help=f"{what} (default {default:g})"
        )
    parser.set_defaults(run=demo)


def demo(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    plan, keys, table = _plan(options.seconds), _keys(options.symbols), open_table()
    handler, witness = _Handler(), _Witness(keys[0])
    with ExitStack() as stack:
        exchanges = _exchanges(options, keys, plan)
        urls = {each.exchange: stack.enter_context(each).url for each in exchanges}
        market = MarketData(feeds_of(keys, urls), interval_s=plan.unit_s)
        market.subscribe(witness.key, handler)
        market.on_anomaly(witness)
        market.on_anomaly(lambda alert: table.say(alert_line(alert)))
        table.say(f"{len(keys)} symbols on {' and '.join(urls.values())}, {plan.seconds:g} s")
        interrupted = _play(stack.enter_context(market), table, plan, handler, witness)
        handler.be_quick()
    sample = tell_end(market)
    failures = [] if interrupted else [*witness.missed(sample)]
    for failure in failures:
        complain(failure)
    return 1 if failures else 0


def _play(
    market: MarketData, table: Table, plan: _Plan, handler: _Handler, witness: _Witness
) -> bool:
    """Show the market, the handler slow half-way; return whether Ctrl-C cut it short."""
    start_s = time.monotonic()
    with table, suppress(KeyboardInterrupt):
        follow(market, table, deadline_s=start_s + plan.slow_from_s)
        table.say(f"{time.strftime('%H:%M:%S')} the handler of {witness.key} is slow from now on")
        handler.be_slow()
        follow(market, table, deadline_s=start_s + plan.slow_until_s)
        follow(market, table, deadline_s=start_s + plan.seconds, until=witness.raised)
        table.say(f"{time.strftime('%H:%M:%S')} the handler of {witness.key} is quick again")
        handler.be_quick()
        follow(market, table, deadline_s=start_s + plan.seconds)
        return False
    return True


def _exchanges(
    options: argparse.Namespace, keys: tuple[str, ...], plan: _Plan
) -> list[LoopbackExchange]:
    rates = dict.fromkeys(keys, options.rate)
    rates[keys[0]] = max(options.rate, _BUSY / plan.unit_s)
    now_ms = int(time.time() * 1000)

    def books(exchange: str, symbols: list[str]) -> Iterable[tuple[float, Snapshot]]:
        markets = (
            SyntheticMarket([key], seed=options.seed, rate=rates[key], start_unix_ms=now_ms)
            for key in (f"{exchange}:{symbol}" for symbol in symbols)
        )
        return heapq.merge(*(market.books() for market in markets), key=itemgetter(0))

    return [LoopbackExchange(name, books(name, some)) for name, some in by_exchange(keys).items()]


def _plan(seconds: float) -> _Plan:
    if not _LEAST_S <= seconds < math.inf:
        allowed = f"at least {_LEAST_S:g} (the anomaly needs time to come and go)"
        raise InvalidOption("--seconds", seconds, allowed)
    return _Plan(seconds)


def _keys(symbols: int) -> tuple[str, ...]:
    if symbols < 1:
        raise InvalidOption("--symbols", symbols, "at least 1")
    return demo_keys(symbols)
