"""The command `ticklane`."""

import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper

from ..messages import TicklaneError, UsageError
from .arguments import Parser, common_options
from .campaign import add_campaign
from .convert import add_convert
from .demo import add_demo
from .logs import logging_to_stderr
from .output import complain
from .record import add_record
from .replay import add_replay
from .report import add_report
from .simulate import add_simulate
from .watch import add_watch

__all__ = ["main"]

_EPILOG = """\
examples:
  ticklane demo                                  see it work, nothing else needed
  ticklane watch upbit:KRW-BTC binance:BTCUSDT   live order books, until Ctrl-C
  ticklane record upbit:KRW-BTC --out btc.txt    raw frames, to a file
  ticklane replay capture.ws.txt --speed 0       recorded frames, as fast as possible
  ticklane simulate upbit --port 8765            be an exchange, for any client
  ticklane campaign S1 --faults random           an hour against them, in seconds
  ticklane report run.db --html report.html      the verdict on a long run, with plots

'ticklane COMMAND --help' tells more. Exit status 2 is wrong usage.
"""


def main(argv: Iterable[str] | None = None) -> int:
    """Do what the command line says (`sys.argv` by default); return the exit status.

    0: done; 1: done, and the outcome is bad; 2: wrong usage, told in one line on stderr; 130:
    Ctrl-C before anything ran. `--help` raises SystemExit.
    """
    try:
        _prepare_stdout()
        options = _parser().parse_args(None if argv is None else [*argv])
        with logging_to_stderr(options.level):
            status: int = options.run(options)
        sys.stdout.flush()
    except TicklaneError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except OSError as error:
        # Who read our output has left, or its disk is full. The interpreter would try once more to
        # flush it at its end (docs.python.org, "Note on SIGPIPE").
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            complain(error)
        return 1
    return status


def _prepare_stdout() -> None:
    if sys.stdout is None:
        raise UsageError("stdout is closed, and all that is found out would go there")
    if isinstance(sys.stdout, TextIOWrapper):
        # As stderr does: a symbol may be in Chinese, and the terminal in Latin letters.
        sys.stdout.reconfigure(errors="backslashreplace")


def _parser() -> Parser:
    common = common_options()
    parser = Parser(
        prog="ticklane",
        parents=[common],
        description="Market data for a trading process: a bounded mailbox and an actor for every "
        "symbol.",
        epilog=_EPILOG,
    )
    parser.set_defaults(level="WARNING")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        add_demo,
        add_watch,
        add_record,
        add_replay,
        add_report,
        add_convert,
        add_simulate,
        add_campaign,
    ):
        add(commands, common)
    return parser
