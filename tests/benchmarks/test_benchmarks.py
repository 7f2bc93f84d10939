"""The benchmarks run, and their JSON has the figures that others read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = str(Path(__file__).resolve().parents[2] / "benchmarks" / "run.py")
NAMES = (
    "hop",
    "offer_full",
    "isolation",
    "lag",
    "overload",
    "memory",
    "startstop",
    "storm",
    "watching",
    "wire",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Return what a hundredth of all benchmarks prints and writes."""
    path = tmp_path_factory.mktemp("bench") / "not" / "there" / "bench.json"
    command = [sys.executable, "-W", "error", RUN, "--quick", "0.01", "--rounds", "1"]
    done = subprocess.run(  # noqa: S603 - our own script
        [*command, "--json", str(path)], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout, json.loads(path.read_text())


@pytest.fixture
def results(run: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return run[1]


@pytest.mark.parametrize("design", ["ticklane", "asyncio", "pykka"])
@pytest.mark.parametrize("symbols", ["1", "10", "100"])
def test_the_hop_is_written_by_design_and_symbols(
    results: dict[str, Any], design: str, symbols: str
) -> None:
    assert results["hop_us"][design][symbols] > 0


@pytest.mark.parametrize(
    "path",
    [
        ("idle_bytes_per_symbol",),
        ("idle_bytes", "rss", "one_handled"),
        ("idle_bytes", "traced", "idle"),
        ("offer_full_p99_us",),
        ("offer_full", "drop_newest", "max_us"),
        ("isolation_p99_ms",),
        ("isolation", "fed", "p99_ms"),
        ("lag", "p50_us"),
        ("watching", "1000"),
        ("lag", "p99_us"),
        ("lag", "p999_us"),
        ("lag", "per_s"),
        ("overload", "lag_p99_ms"),
        ("overload", "throughput"),
        ("overload", "busy"),
        ("startstop", "start_s"),
        ("startstop", "stop_s"),
        ("storm", "wrong"),
        ("storm", "per_s"),
        ("wire_us", "upbit"),
        ("wire_us", "binance"),
        ("wire_clock_us", "upbit"),
    ],
    ids=".".join,
)
def test_a_figure_stands_with_its_spread_around_it(
    results: dict[str, Any], path: tuple[str, ...]
) -> None:
    figure, spread = results, results["spread"]
    for name in path:
        figure, spread = figure[name], spread[name]
    least, greatest = spread

    assert least <= figure <= greatest


def test_a_storm_of_restarts_loses_and_repeats_nothing(results: dict[str, Any]) -> None:
    assert results["spread"]["storm"]["wrong"] == [0, 0]


def test_the_machine_is_named_by_cores_python_and_system(results: dict[str, Any]) -> None:
    assert {"cores", "python", "system"} <= results["machine"].keys()


def test_a_table_says_of_every_bar_whether_it_is_met(
    run: tuple[str, dict[str, Any]], results: dict[str, Any]
) -> None:
    # Not the one that compares the hop at ten thousand symbols, nor at a thousand.
    rows = [line for line in run[0].splitlines() if line.endswith(("| yes    |", "| **no** |"))]

    assert len(rows) == 20 + ("cryptofeed_upbit" in results["wire_us"])


def test_only_what_is_named_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    command = [sys.executable, RUN, "--only", "offer_full", "--quick", "0.01", "--rounds", "1"]
    subprocess.run([*command, "--json", str(path)], check=True)  # noqa: S603 - our own script

    figures = json.loads(path.read_text()).keys() - {"machine", "share", "spread"}

    assert figures == {"offer_full_p99_us", "offer_full"}
