"""`ticklane convert`: a log of the other kind."""

import argparse

from ..runtime import convert_log
from .arguments import Commands, Parser
from .output import tell

__all__ = ["add_convert", "convert"]

_EPILOG = """\
examples:
  ticklane convert run.db run.jsonl    the entries of all days of a run log, as JSON Lines
  ticklane convert run.jsonl run.db    JSON Lines as a run log, one file for each day

Only entries are converted: roll-ups and events are in run logs alone.
"""


def add_convert(commands: Commands, common: Parser) -> None:
    """Add the command `convert`."""
    parser = commands.add_parser(
        "convert",
        parents=[common],
        help="make JSON Lines of a run log, or a run log of JSON Lines",
        description="Write a log's entries, one for each interval, to a new log of the other kind.",
        epilog=_EPILOG,
    )
    parser.add_argument("source", metavar="FROM", help="a log that is there")
    parser.add_argument("target", metavar="TO", help="a new one: *.db or *.jsonl")
    parser.set_defaults(run=convert)


def convert(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    tell(f"{convert_log(options.source, options.target)} entries written to {options.target}")
    return 0
