"""Measures what Ticklane promises, and what it is compared with.

    python benchmarks/run.py                      all of it: some fifteen minutes
    python benchmarks/run.py --only hop lag       some of it
    python benchmarks/run.py --quick --rounds 1   a look whether it runs

Prints tables, and writes all figures as JSON: medians of the rounds after a warm-up, and where each
stands, under `spread`, its least and greatest.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import hop
import isolation
import lag
import memory
import offer_full
import overload
import startstop
import storm
import watching
import wire
from effort import Effort
from figures import Tree, medians, spreads
from machine import machine
from table import bars_table, hop_table

BENCHMARKS: dict[str, Callable[[Effort], Tree]] = {
    "hop": hop.measure,
    "offer_full": offer_full.measure,
    "isolation": isolation.measure,
    "lag": lag.measure,
    "overload": overload.measure,
    "memory": memory.measure,
    "startstop": startstop.measure,
    "storm": storm.measure,
    "watching": watching.measure,
    "wire": wire.measure,
}
"""By name: each returns the figures of one round."""

JSON = Path(__file__).resolve().parents[1] / "build" / "bench.json"


def main() -> None:
    options = _options()
    effort = Effort(options.quick)
    results: Tree = {"machine": machine(), "share": effort.share, "spread": {}}
    for name in options.only:
        rounds = _rounds(name, effort, options.rounds)
        results |= medians(rounds)
        results["spread"] |= spreads(rounds)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    _print(results)


def _rounds(name: str, effort: Effort, rounds: int) -> list[Tree]:
    measure = BENCHMARKS[name]
    print(f"{name}: warm-up and {rounds} rounds", file=sys.stderr, flush=True)
    if effort.share == 1:
        measure(effort.lightened())
    return [measure(effort) for _ in range(rounds)]


def _print(results: Tree) -> None:
    if "hop_us" in results:
        print(hop_table(results), end="\n\n")
    print(bars_table(results), end="\n\n")
    print("{cores} cores, {python}, {system};".format(**results["machine"]), end=" ")
    print("a sleep ended {sleep_late_p99_ms:.2f} ms late (p99)".format(**results["machine"]))
    if results["share"] < 1:
        print(f"{results['share']:g} of the work only: not for comparing with the bars")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, default=[*BENCHMARKS], metavar="NAME"
    )
    parser.add_argument("--rounds", type=int, default=5, help="5 by default")
    parser.add_argument(
        "--quick",
        nargs="?",
        type=float,
        const=0.1,
        default=1.0,
        metavar="SHARE",
        help="do only a share of the work, 0.1 where none is given",
    )
    parser.add_argument("--json", type=Path, default=JSON, help="build/bench.json by default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
