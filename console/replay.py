"""`ticklane replay`: recorded frames, over a real socket, through a real feed."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import attrs

from ..exchanges import EXCHANGES, Feed
from ..messages import InvalidOption, MetricsSample, Snapshot
from ..runtime import Dispatcher, WebSocketTransport
from ..simulation import (
    BookForm,
    LoopbackExchange,
    ReplayTransport,
    capture_connections,
    capture_exchange,
    capture_subscriptions,
)
from ..simulation.binance_venue import BinanceDiffForm, BinanceForm
from ..simulation.bybit_venue import BybitForm
from ..simulation.upbit_venue import UpbitForm
from ..supervisors import MarketData
from .arguments import Commands, Parser
from .output import complain, tell
from .running import follow, totals_line
from .table import Table, aligned, open_table

__all__ = ["Replayed", "add_replay", "replay", "run_replay"]

_EPILOG = """\
examples:
  ticklane replay upbit-2021-04-17.ws.txt
  ticklane replay *.ws.txt --speed 0

A line of a capture is 'receive time in unix seconds: frame', a binary frame as a Python bytes
literal; the first line begins with the exchange's wss:// address. 'ticklane record' writes such
files. They are replayed one after another, the connections of one file side by side. Differences
find the REST answers that were recorded with them, each where it was read.

Exit status: 1 where a frame could not be used or none held a book.
"""

_EVERYTHING = 10**9
"""A mailbox of this capacity sheds nothing of any capture."""


@attrs.frozen(kw_only=True)
class Replayed:
    """What became of a capture."""

    path: Path
    feeds: tuple[Feed, ...]
    """Who received it, one for each connection."""
    sample: MetricsSample
    """At the end, with nothing left waiting."""
    latest: Mapping[str, Snapshot]
    """The last book of every symbol that had one, by key."""
    whole: bool
    """Whether it was replayed to its end; False after Ctrl-C."""

    @property
    def bad_frames(self) -> Mapping[str, int]:
        """Frames that could not be used, by reason."""
        bad: Counter[str] = Counter()
        for feed in self.sample.feeds:
            bad.update(feed.bad_frames)
        return bad

    @property
    def ok(self) -> bool:
        """Whether nothing failed, and a whole capture held books."""
        totals = self.sample.totals
        empty = self.whole and not totals.handled
        return not (empty or totals.failed or self.bad_frames)


def replay(path: str | Path, speed: float = 1.0, *, table: Table | None = None) -> Replayed:
    """Serve a capture on this machine and receive it as if it came from the exchange.

    `speed` times as fast as it was recorded; 0 is as fast as possible. `table` shows it meanwhile.
    Returns when all was handled, or what was so far on Ctrl-C. Raises InvalidOption for a file that
    is no capture of order books.
    """
    feeds = _feeds(path)
    with ExitStack() as running:
        exchanges = [
            running.enter_context(LoopbackExchange.replaying(path, connection=name, speed=speed))
            for name in feeds
        ]
        here = {
            name: attrs.evolve(feed, url=exchange.url)
            for (name, feed), exchange in zip(feeds.items(), exchanges, strict=True)
        }
        dispatcher = Dispatcher()
        running.callback(dispatcher.stop)
        dispatcher.start()
        transport = ReplayTransport(WebSocketTransport(dispatcher), path, here)
        market = MarketData(
            here.values(),
            capacity=_EVERYTHING,
            dispatcher=dispatcher,
            transport=transport,
            rest=transport,
        )
        with market, suppress(KeyboardInterrupt):
            _follow(market, table, exchanges)
    return Replayed(
        path=Path(path),
        feeds=tuple(feeds.values()),
        sample=market.metrics(),
        latest=market.latest_all(),
        whole=all(exchange.finished.is_set() for exchange in exchanges),
    )


def add_replay(commands: Commands, common: Parser) -> None:
    """Add the command `replay`."""
    parser = commands.add_parser(
        "replay",
        parents=[common],
        help="replay captures of an exchange's frames",
        description="Serve captures by a simulated exchange on this machine and receive them\n"
        "over a real socket.",
        epilog=_EPILOG,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a capture")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="times as fast as recorded (default 1); 0 is as fast as possible",
    )
    parser.set_defaults(run=run_replay)


def run_replay(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    # All are looked at first: the last may be misspelt, and the first may take an hour.
    for path in options.files:
        _feeds(path)
    status = 0
    for path in options.files:
        result = replay(path, options.speed, table=open_table())
        _tell(result)
        status = status if result.ok else 1
        if not result.whole:
            break
    return status


def _follow(market: MarketData, table: Table | None, exchanges: list[LoopbackExchange]) -> None:
    if table is None:
        for exchange in exchanges:
            exchange.finished.wait()
        return
    with table:
        for exchange in exchanges:
            follow(market, table, until=exchange.finished)


def _feeds(path: str | Path) -> dict[str, Feed]:
    """Return by connection the feed that receives what the recorder had subscribed to."""
    feeds = {name: _feed(path, name) for name in capture_connections(path)}
    subscribed = {name: feed for name, feed in feeds.items() if feed is not None}
    if not subscribed:
        streams = EXCHANGES[capture_exchange(path)[0]].streams
        raise InvalidOption("capture", str(path), f"one with streams of {', '.join(streams)}")
    return subscribed


def _feed(path: str | Path, connection: str) -> Feed | None:
    exchange, _ = capture_exchange(path, connection)
    streams = EXCHANGES[exchange].streams
    asked = [(symbol, _stream(form)) for symbol, form in capture_subscriptions(path, connection)]
    known = sorted({stream for _, stream in asked if stream in streams}, key=streams.index)
    if not known:
        return None
    # Where there are several, the one with most levels: two would be two books of one symbol.
    return Feed(exchange, [symbol for symbol, name in asked if name == known[0]], stream=known[0])


def _stream(form: BookForm) -> str | None:
    match form:
        case UpbitForm(format="SIMPLE"):
            return "orderbook/simple"
        case UpbitForm():
            return "orderbook"
        case BinanceForm(kind) | BinanceDiffForm(kind):
            return kind.partition("@")[0]
        case BybitForm():
            return form.stream
    return None


def _tell(result: Replayed) -> None:
    heads = ("symbol", "handled", "failed", "shed", "best bid", "best ask", "")
    streams = dict.fromkeys(f"{feed.exchange}, stream {feed.stream}" for feed in result.feeds)
    tell(f"\n{result.path.name}: {'; '.join(streams)}")
    tell("\n".join(aligned([heads, *_rows(result)])))
    tell(totals_line(result.sample.totals))
    bad = ", ".join(f"{count} {reason}" for reason, count in result.bad_frames.items())
    tell(f"bad frames: {bad or 'none'}")
    if result.whole and not result.sample.totals.handled:
        complain(f"{result.path} brought no book")


def _rows(result: Replayed) -> Iterator[tuple[str, ...]]:
    for key, queue in result.sample.queues.items():
        book = result.latest.get(key)
        best = (book.best_bid, book.best_ask) if book else (None, None)
        counts = (queue.handled, queue.failed, queue.shed)
        yield (key, *map(str, counts), *map(_price, best), "")


def _price(price: float | None) -> str:
    # Eight decimals are what exchanges write at most; an exponent is hard to read in a column.
    return "-" if price is None else f"{price:.8f}".rstrip("0").rstrip(".")
