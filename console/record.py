"""`ticklane record`: raw frames of live exchanges, to a file that `replay` reads."""

import argparse
import math
import time
from contextlib import suppress

from ..exchanges import EXCHANGES
from ..messages import InvalidOption, RecordingMetrics
from ..supervisors import MarketData
from .arguments import Commands, Parser
from .feeds import add_feed_options, feeds_from
from .output import complain, tell
from .running import alert_line, follow
from .table import open_table

__all__ = ["add_record", "record"]

_EPILOG = f"""\
A key is exchange:SYMBOL in the exchange's own spelling; exchanges: {", ".join(EXCHANGES)}.

examples:
  ticklane record upbit:KRW-BTC binance:BTCUSDT --out today.ws.txt
  ticklane record upbit:KRW-BTC --out hour.ws.txt --seconds 3600
  ticklane replay hour.ws.txt --speed 0
  ticklane record binance:BTCUSDT --stream depth --out differences.ws.txt

All connections go to the one file, which is continued if it is there. Frames are in it as they
came, good or bad, within a fifth of a second, and books fetched by REST where they were read; a
killed recorder leaves whole lines, and one cut off at the end at most, which 'replay' passes over.
Exit status: 1 where nothing was received or not everything was written.
"""


def add_record(commands: Commands, common: Parser) -> None:
    """Add the command `record`."""
    parser = commands.add_parser(
        "record",
        parents=[common],
        help="record raw frames of live exchanges",
        description="Receive order books of live exchanges and write every frame to a file,\n"
        "as it came, until Ctrl-C.",
        epilog=_EPILOG,
    )
    parser.add_argument("keys", nargs="+", metavar="KEY", help="like upbit:KRW-BTC")
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, metavar="N", help="end after so long"
    )
    add_feed_options(parser)
    parser.set_defaults(run=record)


def record(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    if not options.seconds > 0:
        raise InvalidOption("--seconds", options.seconds, "above 0")
    market = MarketData(feeds_from(options), record=options.out)
    table = open_table()
    market.on_anomaly(lambda alert: table.say(alert_line(alert)))
    with market, table, suppress(KeyboardInterrupt):
        follow(market, table, deadline_s=time.monotonic() + options.seconds)
    recording = market.recording()
    return 1 if recording is None else _tell(recording)


def _tell(recording: RecordingMetrics) -> int:
    frames, length = recording.frames, recording.bytes
    tell(f"\nrecorded {frames} frames ({length} bytes) to {recording.path}")
    missing = recording.lost + recording.waiting
    if missing:
        why = recording.last_error or "the disk was too slow"
        complain(f"{missing} lines are missing in {recording.path}: {why}")
    elif not frames:
        complain("nothing was received")
    return int(bool(missing or not frames))
