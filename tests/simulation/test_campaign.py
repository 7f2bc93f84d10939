"""Long runs, short ones of them: the same every time, over sockets too, and the stress in small."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ticklane.messages import InvalidOption
from ticklane.runtime import report_on
from ticklane.simulation import (
    CAMPAIGN_SECONDS,
    Campaign,
    CorruptFrame,
    Disconnect,
    PoisonMessage,
    SlowDisk,
    SlowHandler,
    campaign_keys,
)

HASH = """
from ticklane.simulation import Campaign, campaign_keys
campaign = Campaign(scenario="S1", seconds=900.0, keys=campaign_keys(3), seed=6, faults=None)
print(len(campaign.plan), campaign.run().trace_hash)
"""
STRESSED = (11, 12, 13)


def test_the_same_seed_is_the_same_campaign_in_every_process() -> None:
    def printed(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", HASH],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout

    first = printed("1")

    assert first == printed("2")
    assert not first.startswith("0 ")


@pytest.mark.parametrize("seed", STRESSED)
def test_all_invariants_hold_in_an_hour_of_random_faults(seed: int) -> None:
    result = Campaign(keys=campaign_keys(3), seed=seed, faults=None, check=True).run()

    assert result.faults
    assert result.broken == ()


def test_checking_changes_nothing() -> None:
    plan = (SlowHandler(60.0, "upbit:KRW-BTC", cost_s=5.0, seconds=60.0),)
    unchecked, checked = (
        Campaign(scenario="S0", keys=campaign_keys(3), faults=plan, check=check).run()
        for check in (False, True)
    )

    assert unchecked.trace_hash == checked.trace_hash


def test_a_campaign_ends_in_a_report_by_its_scenario() -> None:
    told: list[float] = []
    result = Campaign(scenario="S0", keys=campaign_keys(3)).run(told.append)

    assert result.ok
    assert (result.report.scenario, result.report.overall_status) == ("S0", "OK")
    assert result.report.duration_minutes == pytest.approx(3.0, abs=0.1)
    assert told == [60.0, 120.0, 180.0]
    assert result.totals.handled > 300


def test_a_verdict_that_is_bad_is_not_ok() -> None:
    crashes = tuple(PoisonMessage(65.0 * at, "upbit:KRW-BTC") for at in range(1, 12))
    result = Campaign(seconds=800.0, keys=campaign_keys(1), faults=crashes).run()

    assert result.report.overall_status == "FAIL"
    assert not result.ok


def test_a_campaign_writes_a_run_log(tmp_path: Path) -> None:
    log = tmp_path / "run.db"
    plan = (SlowDisk(30.0, cost_s=1.0, seconds=30.0), Disconnect(40.0, "upbit"))
    result = Campaign(scenario="S0", keys=campaign_keys(2), faults=plan, log=log, check=True).run()
    report = report_on(log, "S1")

    assert result.broken == ()
    assert report.totals["handled"] == result.totals.handled
    assert dict(report.feeds)["upbit"] == {"feed_connected": 2, "feed_lost": 1}


def test_a_campaign_over_sockets_brings_books_and_faults() -> None:
    plan = (
        CorruptFrame(0.5, "upbit", frames=2),
        Disconnect(0.5, "binance"),
        PoisonMessage(0.5, "upbit:KRW-BTC"),
        SlowHandler(0.5, "binance:BTCUSDT", cost_s=0.05, seconds=0.5),
    )
    keys = campaign_keys(2)
    result = Campaign(
        scenario="S0", seconds=2.0, keys=keys, faults=plan, rate=20.0, real_time=True, check=True
    ).run()

    assert result.broken == ()
    assert result.trace_hash is None
    assert result.totals.handled > 30
    assert result.totals.failed == 1
    assert result.report.ws_reconnect_count == 1


def test_keys_are_those_of_several_exchanges_in_turn() -> None:
    assert campaign_keys(4) == (
        "upbit:KRW-BTC",
        "binance:BTCUSDT",
        "bybit:BTCUSDT",
        "upbit:KRW-ETH",
    )
    assert set(Counter(key.partition(":")[0] for key in campaign_keys(20)).values()) == {6, 7}


def test_scenarios_last_as_long_as_they_should() -> None:
    minutes = {name: seconds / 60 for name, seconds in CAMPAIGN_SECONDS.items()}

    assert minutes == {"S0": 3, "S1": 60, "S2": 360, "S3": 720}
    assert Campaign(scenario="S2").seconds == 6 * 3600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scenario": "S9"}, "scenario must be one of S0, S1, S2, S3"),
        ({"keys": ()}, "keys must be at least one key"),
        ({"keys": ("nyse:IBM",)}, "exchange must be one of"),
        ({"seconds": 0.0}, "seconds must be a number above 0"),
        ({"rate": -1.0}, "rate must be a number above 0"),
    ],
)
def test_what_is_not_allowed_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        Campaign(**given)


def test_a_campaign_needs_at_least_one_symbol() -> None:
    with pytest.raises(InvalidOption, match="symbols must be a whole number, at least 1, not 0"):
        campaign_keys(0)


@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_examples_run(number: int) -> None:
    page = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text("utf-8")

    example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[number]
    shorter = example.replace("3600.0", "300.0").replace("S1", "S0")

    exec(shorter, {})  # noqa: S102 - our own
