"""`ticklane replay`: recorded frames, over a real socket, through a real feed."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import attrs

from ..exchanges import EXCHANGES, Feed
from ..messages import InvalidOption, MetricsSample, Snapshot
from ..simulation import BookForm, LoopbackExchange, capture_exchange, capture_subscriptions
from ..simulation.binance_venue import BinanceForm
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
literal; the first line begins with the exchange's wss:// address. Files are replayed one after
another. Exit status: 1 where a frame could not be used or none held a book.
"""

_EVERYTHING = 10**9
"""A mailbox of this capacity sheds nothing of any capture."""


@attrs.frozen(kw_only=True)
class Replayed:
    """What became of a capture."""

    path: Path
    feed: Feed
    """Who received it."""
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
    feed = _feed(path)
    with LoopbackExchange.replaying(path, speed=speed) as exchange:
        market = MarketData([attrs.evolve(feed, url=exchange.url)], capacity=_EVERYTHING)
        with market, suppress(KeyboardInterrupt):
            if table is None:
                exchange.finished.wait()
            else:
                with table:
                    follow(market, table, until=exchange.finished)
    return Replayed(
        path=Path(path),
        feed=feed,
        sample=market.metrics(),
        latest=market.latest_all(),
        whole=exchange.finished.is_set(),
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
        _feed(path)
    status = 0
    for path in options.files:
        result = replay(path, options.speed, table=open_table())
        _tell(result)
        status = status if result.ok else 1
        if not result.whole:
            break
    return status


def _feed(path: str | Path) -> Feed:
    """Return the feed that receives what the recorder had subscribed to."""
    exchange, _ = capture_exchange(path)
    streams = EXCHANGES[exchange].streams
    asked = [(symbol, _stream(form)) for symbol, form in capture_subscriptions(path)]
    known = sorted({stream for _, stream in asked if stream in streams}, key=streams.index)
    if not known:
        raise InvalidOption("capture", str(path), f"one with streams of {', '.join(streams)}")
    # Where there are several, the one with most levels: two would be two books of one symbol.
    return Feed(exchange, [symbol for symbol, name in asked if name == known[0]], stream=known[0])


def _stream(form: BookForm) -> str | None:
    match form:
        case UpbitForm(format="SIMPLE"):
            return "orderbook/simple"
        case UpbitForm():
            return "orderbook"
        case BinanceForm(kind):
            return kind.partition("@")[0]
    return None


def _tell(result: Replayed) -> None:
    heads = ("symbol", "handled", "failed", "shed", "best bid", "best ask", "")
    tell(f"\n{result.path.name}: {result.feed.exchange}, stream {result.feed.stream}")
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
