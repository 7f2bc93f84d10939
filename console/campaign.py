"""`ticklane campaign`: a long run against simulated exchanges, in virtual time."""

import argparse
import gc
import json
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
from loguru import logger

from ..analysis import render_report
from ..simulation import CAMPAIGN_SECONDS, Campaign, CampaignResult, Fault, campaign_keys, read_plan
from .arguments import Commands, Parser
from .output import complain, tell
from .report import plain
from .running import totals_line

__all__ = ["add_campaign", "campaign"]

_EPILOG = """\
examples:
  ticklane campaign S1                                   an hour, nothing goes wrong
  ticklane campaign S3 --faults random --seed 7 --check  twelve bad ones, all invariants checked
  ticklane campaign S0 --faults plan.toml --real-time    three minutes, over sockets
  ticklane campaign S2 --log run.db && ticklane report run.db

The same seed is the same campaign: the trace hash tells. Exit status: 1 where the verdict is FAIL
or an invariant did not hold. --real-time needs the extra 'simulation'; 'console' draws the bar.
"""

_SHOWN = 20


def add_campaign(commands: Commands, common: Parser) -> None:
    """Add the command `campaign`."""
    parser = commands.add_parser(
        "campaign",
        parents=[common],
        help="a long run against simulated exchanges, in seconds",
        description="Receive synthetic order books of simulated exchanges for 3 min (S0), 1 h\n"
        "(S1), 6 h (S2) or 12 h (S3), in virtual time, and judge the run.",
        epilog=_EPILOG,
    )
    parser.add_argument("scenario", choices=tuple(CAMPAIGN_SECONDS), help="how long")
    for flag, default, what in (
        ("--symbols", 20, "how many, on three exchanges in turn"),
        ("--seed", 0, "of the market, of the faults, and of who runs when"),
    ):
        parser.add_argument(
            flag, type=int, default=default, metavar="N", help=f"{what} (default {default})"
        )
    parser.add_argument(
        "--faults",
        default="none",
        metavar="PLAN",
        help="what goes wrong: a TOML file, 'random', or 'none' (default)",
    )
    for flag, what in (
        ("--real-time", "over real sockets and on threads, as long as it lasts"),
        ("--check", "check all invariants all along"),
        ("--json", "print JSON, for programs"),
    ):
        parser.add_argument(flag, action="store_true", help=what)
    parser.add_argument("--log", metavar="FILE", help="write a run log, as 'watch' does")
    parser.set_defaults(run=campaign)


def campaign(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    planned = Campaign(
        scenario=options.scenario,
        keys=campaign_keys(options.symbols),
        seed=options.seed,
        faults=_faults(options.faults),
        check=options.check,
        log=options.log,
        real_time=options.real_time,
    )
    with _quiet(options), _few_searches(), _progress(planned) as bar, _ends_at(bar) as progress:
        result = planned.run(progress)
    if options.json:
        tell(_json(planned, result))
    else:
        _tell(options, result)
    return 0 if result.ok else 1


def _faults(given: str) -> tuple[Fault, ...] | None:
    if given == "random":
        return None
    return () if given == "none" else read_plan(given)


@contextmanager
def _quiet(options: argparse.Namespace) -> Iterator[None]:
    # What is logged carries the time of day, which means nothing in virtual time; and faults are
    # meant to be complained about.
    if options.level != "INFO":
        logger.disable("ticklane")
    yield


@contextmanager
def _few_searches() -> Iterator[None]:
    """Look for garbage in cycles less often: there is hardly any, and looking takes 7 % of all."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@contextmanager
def _progress(planned: Campaign) -> Iterator[Callable[[float], object]]:
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.progress import Progress  # noqa: PLC0415
    except ImportError:
        yield _lines(planned.seconds)
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(planned.seconds)
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(planned.scenario, total=planned.seconds)
        yield lambda over_s: bar.update(task, completed=over_s)


@contextmanager
def _ends_at(progress: Callable[[float], object]) -> Iterator[Callable[[float], object]]:
    """Have Ctrl-C end a campaign where it tells its progress, between two steps.

    In virtual time all actors run on this thread, and whichever was at it would take a
    KeyboardInterrupt for an error of its own, and be started again.
    """
    usual = signal.getsignal(signal.SIGINT)
    here = threading.current_thread() is threading.main_thread()
    if not here or usual is not signal.default_int_handler:
        # No thread but the first is interrupted; and what starts it in the background ignores it.
        yield progress
        return
    interrupted = threading.Event()

    def note(*_: object) -> None:
        interrupted.set()
        # A step may take long: the second time it is at once.
        signal.signal(signal.SIGINT, usual)

    def go_on(over_s: float) -> None:
        progress(over_s)
        if interrupted.is_set():
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield go_on
    finally:
        signal.signal(signal.SIGINT, usual)
    if interrupted.is_set():
        raise KeyboardInterrupt


def _lines(seconds: float) -> Callable[[float], object]:
    """Return what says how far it is at every tenth."""
    told = 0

    def progress(over_s: float) -> None:
        nonlocal told
        tenth = int(10 * over_s / seconds)
        if tenth > told:
            told = tenth
            print(f"{10 * tenth} %", file=sys.stderr, flush=True)  # noqa: T201 - as in output.py

    return progress


def _tell(options: argparse.Namespace, result: CampaignResult) -> None:
    tell(f"{render_report(result.report)}\n\n{totals_line(result.totals)}")
    tell(f"{len(result.faults)} faults, {result.virtual_s:g} s in {result.took_s:.1f} s")
    if result.trace_hash is not None:
        tell(f"trace hash {result.trace_hash}")
    for broken in result.broken[:_SHOWN]:
        complain(broken)
    if result.broken:
        complain(f"{len(result.broken)} invariants did not hold; again: {_command(options)}")
    elif options.check:
        tell("all invariants held")


def _command(options: argparse.Namespace) -> str:
    words = ["ticklane", "campaign", options.scenario, "--symbols", str(options.symbols)]
    words += ["--seed", str(options.seed), "--faults", options.faults, "--check"]
    words += ["--real-time"] if options.real_time else []
    return shlex.join(words)


def _json(planned: Campaign, result: CampaignResult) -> str:
    fields = {
        "ok": result.ok,
        "overall_status": result.report.overall_status,
        "seed": planned.seed,
        "keys": planned.keys,
        "report": attrs.asdict(result.report, recurse=False),
        "totals": result.totals,
        "faults": [{"name": type(each).__name__, **attrs.asdict(each)} for each in result.faults],
        "broken": result.broken,
        "trace_hash": result.trace_hash,
        "virtual_s": result.virtual_s,
        "took_s": result.took_s,
    }
    return json.dumps(fields, indent=2, default=plain)
