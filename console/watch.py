"""`ticklane watch`: order books of live exchanges."""

import argparse
import math
import time
from contextlib import suppress

from ..exchanges import EXCHANGES
from ..messages import InvalidOption
from ..supervisors import MarketData
from .arguments import Commands, Parser
from .feeds import add_feed_options, feeds_from
from .output import complain
from .running import alert_line, follow, tell_end
from .table import open_table

__all__ = ["add_watch", "watch"]

_EPILOG = f"""\
A key is exchange:SYMBOL in the exchange's own spelling; exchanges: {", ".join(EXCHANGES)}.

examples:
  ticklane watch upbit:KRW-BTC binance:BTCUSDT
  ticklane watch binance:BTCUSDT --seconds 3600 --log run.jsonl
  ticklane watch upbit:KRW-BTC --url upbit=ws://127.0.0.1:8765

It ends with a report and status 0; with status 1 where --seconds went by without a single book.
"""


def add_watch(commands: Commands, common: Parser) -> None:
    """Add the command `watch`."""
    parser = commands.add_parser(
        "watch",
        parents=[common],
        help="watch symbols of live exchanges",
        description="Receive order books of live exchanges and show how deep and how late they\n"
        "wait, until Ctrl-C.",
        epilog=_EPILOG,
    )
    parser.add_argument("keys", nargs="+", metavar="KEY", help="like upbit:KRW-BTC")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, metavar="N", help="end after so long"
    )
    parser.add_argument(
        "--log", metavar="FILE", help="write a log for 'ticklane report': run.db, or run.jsonl"
    )
    add_feed_options(parser)
    parser.set_defaults(run=watch)


def watch(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    if not options.seconds > 0:
        raise InvalidOption("--seconds", options.seconds, "above 0")
    market = MarketData(feeds_from(options), log=options.log)
    table = open_table()
    market.on_anomaly(lambda alert: table.say(alert_line(alert)))
    timed_out = False
    with market, table, suppress(KeyboardInterrupt):
        follow(market, table, deadline_s=time.monotonic() + options.seconds)
        timed_out = True
    sample = tell_end(market)
    if timed_out and not sample.totals.offered:
        complain("nothing was received")
        return 1
    return 0
