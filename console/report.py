"""`ticklane report`: the verdict on a metrics log."""

import argparse
import json

import attrs

from ..analysis import (
    SCENARIOS,
    LongrunReport,
    MetricStats,
    analyze_longrun_log,
    render_report,
)
from ..messages import InvalidOption
from .arguments import Commands, Parser
from .output import tell

__all__ = ["add_report", "report"]

_EPILOG = """\
examples:
  ticklane report run.jsonl
  ticklane report run.jsonl --scenario S2 --json

Exit status: 0 for OK and WARN, 1 for FAIL, 2 for a log that is missing or cannot be read.
"""


def add_report(commands: Commands, common: Parser) -> None:
    """Add the command `report`."""
    parser = commands.add_parser(
        "report",
        parents=[common],
        help="judge the metrics log of a long run",
        description="Hold a metrics log (JSON Lines, as 'ticklane watch --log' writes it) against\n"
        "the limits of a scenario.",
        epilog=_EPILOG,
    )
    parser.add_argument("log", metavar="LOG", help="the metrics log")
    parser.add_argument(
        "--scenario",
        choices=tuple(SCENARIOS),
        default="S1",
        help="whose limits to use: of a run of 1 h (S1, the default), 6 h (S2) or 12 h (S3)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    result = analyze_longrun_log(options.log, options.scenario)
    if not result.entries:
        raise InvalidOption("LOG", options.log, "a metrics log with at least one entry")
    tell(_json(result) if options.json else render_report(result))
    return 1 if result.overall_status == "FAIL" else 0


def _json(result: LongrunReport) -> str:
    fields = {"overall_status": result.overall_status, **attrs.asdict(result, recurse=False)}
    return json.dumps(fields, indent=2, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, MetricStats):
        names = ("count", "mean", "min", "max", "stddev")
        return {name: getattr(value, name) for name in names}
    return attrs.asdict(value)  # type: ignore[arg-type] # an anomaly: nothing else is left
