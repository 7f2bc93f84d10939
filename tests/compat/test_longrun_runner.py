"""The older design's long run of several symbols."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ticklane.compat import LongrunReport, MultiSymbolLongrunRunner
from ticklane.messages import InvalidOption, MissingExtra
from ticklane.simulation import Disconnect, write_plan

SYMBOLS = ["KRW-BTC", "BTCUSDT", "bybit:ETHUSDT"]


def config(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.toml", "[strategy]\nx = 1\n[campaign]\nseed = 4\nrate = 2.0\n"),
        ("config.yaml", "strategy: {x: 1}\ncampaign:\n  seed: 4\n  rate: 2.0\n"),
    ],
)
def test_it_runs_the_campaign_of_its_configuration(tmp_path: Path, name: str, text: str) -> None:
    runner = MultiSymbolLongrunRunner(config(tmp_path, name, text), SYMBOLS, "S1", 2)
    report = runner.run()

    assert isinstance(report, LongrunReport)
    assert report.scenario == "S1"
    assert report.duration_minutes == pytest.approx(2.0, abs=0.1)
    assert (runner.campaign.seed, runner.campaign.rate) == (4, 2.0)
    assert runner.campaign.keys == ("upbit:KRW-BTC", "binance:BTCUSDT", "bybit:ETHUSDT")


def test_it_lasts_as_long_as_its_scenario_and_nothing_goes_wrong_by_default(
    tmp_path: Path,
) -> None:
    campaign = MultiSymbolLongrunRunner(config(tmp_path, "c.yml", ""), SYMBOLS, "S3").campaign

    assert campaign.seconds == 12 * 3600
    assert campaign.plan == ()


def test_faults_are_random_or_a_plan(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(write_plan([Disconnect(60.0, "upbit")]))

    def faults(given: object) -> tuple[object, ...]:
        path = config(tmp_path, "config.toml", f'[campaign]\nfaults = "{given}"')
        return MultiSymbolLongrunRunner(path, SYMBOLS, "S2").campaign.plan

    assert faults(plan) == (Disconnect(60.0, "upbit"),)
    assert len(faults("random")) > 20


@pytest.mark.parametrize(
    ("symbols", "minutes", "said"),
    [
        ("KRW-BTC", 1, "symbols must be a list of symbols, not 'KRW-BTC'"),
        ([1], 1, "symbols must be a list of symbols, not 1"),
        (SYMBOLS, "5", "duration_minutes must be a number above 0, not '5'"),
        (SYMBOLS, -1, "duration_minutes must be a number above 0, not -1"),
    ],
)
def test_a_string_for_a_list_and_a_time_that_is_none_are_clear_errors(
    tmp_path: Path, symbols: Any, minutes: Any, said: str
) -> None:
    with pytest.raises(InvalidOption, match=said):
        MultiSymbolLongrunRunner(config(tmp_path, "c.toml", ""), symbols, "S0", minutes)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.toml", "[campaign]\nsped = 4", "campaign must be named among .*, not 'sped'"),
        ("config.toml", "campaign = 4", "config_path must be a file with options by name"),
        ("config.toml", "[campaign", "config_path must be TOML"),
        ("config.yaml", "campaign: [", "config_path must be YAML"),
        ("config.yaml", "- 1", "config_path must be a file with options by name"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(InvalidOption, match=said):
        MultiSymbolLongrunRunner(config(tmp_path, name, text), SYMBOLS)


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="config_path must be a file to be read"):
        MultiSymbolLongrunRunner(tmp_path / "gone.toml", SYMBOLS)


def test_yaml_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    with pytest.raises(MissingExtra, match=r"pip install 'ticklane\[yaml\]'"):
        MultiSymbolLongrunRunner(config(tmp_path, "config.yaml", ""), SYMBOLS)
