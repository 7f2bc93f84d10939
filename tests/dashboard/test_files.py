"""What Grafana and Prometheus are given names only metrics there are."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ticklane.dashboard
from ticklane.dashboard import MarketCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticklane import MarketData

FOLDER = Path(ticklane.dashboard.__file__).parent
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text("utf-8"))
RULES = (FOLDER / "rules.yml").read_text("utf-8")
METRIC = re.compile(r"(?<![:\w])ticklane_\w+")
PANELS = [panel["title"] for panel in DASHBOARD["panels"]]


@pytest.fixture
def names(market: MarketData) -> set[str]:
    """Return the names of all samples there can be."""
    families = MarketCollector(market).families()
    histograms = [each.name for each in families if each.kind == "histogram"]
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    return {each.name for each in families} | parts


def expressions(value: Any) -> Iterator[str]:
    """Yield all that is asked of Prometheus, wherever it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in {"expr", "query", "definition"} and isinstance(each, str):
                yield each
            yield from expressions(each)
    if isinstance(value, list):
        for each in value:
            yield from expressions(each)


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_asks_for_metrics_there_are(title: str, names: set[str]) -> None:
    (panel,) = [each for each in DASHBOARD["panels"] if each["title"] == title]
    asked = {name for expression in expressions(panel) for name in METRIC.findall(expression)}

    assert asked
    assert asked <= names


def test_the_dashboard_shows_every_metric(names: set[str]) -> None:
    asked = {name for expression in expressions(DASHBOARD) for name in METRIC.findall(expression)}
    # Of a histogram the buckets say it all.
    shown = {
        name.removesuffix("_bucket") + part for name in asked for part in ("", "_sum", "_count")
    }

    assert names - asked - shown == set()


def test_the_dashboard_can_be_found_again_and_filtered() -> None:
    variables = [each["name"] for each in DASHBOARD["templating"]["list"]]

    assert DASHBOARD["uid"] == "ticklane-market-data"
    assert variables == ["datasource", "exchange", "symbol"]


def test_panels_have_their_own_place_and_number() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells

    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(PANELS)


def test_every_rule_asks_for_metrics_there_are(names: set[str]) -> None:
    recorded = set(re.findall(r"record: (\S+)", RULES))
    asked = re.findall(r"expr: (.*)", RULES)

    assert len(asked) == len(re.findall(r"- (?:alert|record): ", RULES))
    assert {name for expression in asked for name in METRIC.findall(expression)} <= names
    assert {name for each in asked for name in re.findall(r"\w+:ticklane\w+:\w+", each)} <= recorded


def test_promtool_accepts_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: install Debian's package prometheus")
    checked = subprocess.run(  # noqa: S603 - our own words
        [promtool, "check", "rules", str(FOLDER / "rules.yml")],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_both_files_are_installed() -> None:
    config = configparser.ConfigParser()
    config.read(Path(__file__).resolve().parents[2] / "setup.cfg", "utf-8")

    assert config["options.package_data"]["ticklane.dashboard"].split() == [
        "grafana.json",
        "rules.yml",
    ]
