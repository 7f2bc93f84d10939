"""`ticklane report`: the verdict on a log."""

import argparse
import json
from pathlib import Path

import attrs

from ..analysis import SCENARIOS, MetricStats, RunReport
from ..messages import InvalidOption
from ..runtime import report_on
from .arguments import Commands, Parser
from .output import tell
from .report_html import render_page
from .report_text import render_run

__all__ = ["add_report", "plain", "report"]

_EPILOG = """\
examples:
  ticklane report run.db                      all days of a run log
  ticklane report run.2026-11-22.db           one of them
  ticklane report run.db --html report.html   a page with plots, which needs no network
  ticklane report run.jsonl --scenario S2 --json

Exit status: 0 for OK and WARN, 1 for FAIL, 2 for a log that is missing or cannot be read.
"""


def add_report(commands: Commands, common: Parser) -> None:
    """Add the command `report`."""
    parser = commands.add_parser(
        "report",
        parents=[common],
        help="judge the log of a long run",
        description="Hold a log, as 'ticklane watch --log' writes it (a run log in SQLite, or\n"
        "JSON Lines), against the limits of a scenario. It may still be written.",
        epilog=_EPILOG,
    )
    parser.add_argument("log", metavar="LOG", help="the log: run.db, one day of it, or run.jsonl")
    parser.add_argument(
        "--scenario",
        choices=tuple(SCENARIOS),
        default="S1",
        help="whose limits to use: of a run of 1 h (S1, the default), 6 h (S2) or 12 h (S3)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots, too")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    result = report_on(options.log, options.scenario)
    if not (result.longrun.entries or result.symbols):
        raise InvalidOption("LOG", options.log, "a metrics log with at least one entry")
    if options.html:
        _write(options.html, render_page(result))
    tell(_json(result) if options.json else render_run(result))
    return 1 if result.longrun.overall_status == "FAIL" else 0


def _write(path: str, page: str) -> None:
    try:
        Path(path).write_text(page, "utf-8")
    except OSError as error:
        raise InvalidOption("--html", path, f"a file that can be written ({error})") from error


def _json(result: RunReport) -> str:
    fields = {
        "overall_status": result.longrun.overall_status,
        **attrs.asdict(result.longrun, recurse=False),
        "stopped": result.stopped,
        "totals": result.totals,
        "shed": result.shed,
        "feeds": dict(result.feeds),
        "anomaly_spans": result.anomalies,
        "over_time": result.over_time,
        "symbols": result.symbols,
    }
    return json.dumps(fields, indent=2, default=plain)


def plain(value: object) -> object:
    """Return a value of ours as JSON knows it."""
    if isinstance(value, MetricStats):
        names = ("count", "mean", "min", "max", "stddev")
        return {name: getattr(value, name) for name in names}
    return attrs.asdict(value)  # type: ignore[arg-type] # nothing but values of ours is left
