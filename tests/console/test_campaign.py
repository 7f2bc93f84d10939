"""`ticklane campaign`: what it says, and its exit status."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ticklane.actors import AnalyzerActor
from ticklane.console import main
from ticklane.simulation import Inspection, PoisonMessage, campaign_keys, write_plan
from ticklane.simulation.inspection import Broken


def test_a_campaign_ends_in_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["campaign", "S0", "--symbols", "3", "--check"])
    said = capsys.readouterr()

    assert status == 0
    assert said.out.startswith("Long run S0: OK")
    assert "all invariants held" in said.out
    assert "trace hash " in said.out
    assert said.err == "30 %\n60 %\n100 %\n"


def test_json_tells_programs_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(write_plan([PoisonMessage(60.0, "upbit:KRW-BTC")]))
    status = main(["campaign", "S0", "--symbols", "2", "--faults", str(plan), "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)

    assert status == 0
    assert told["ok"]
    assert told["keys"] == [*campaign_keys(2)]
    assert told["faults"] == [{"name": "PoisonMessage", "at_s": 60.0, "target": "upbit:KRW-BTC"}]
    assert told["totals"]["failed"] == told["report"]["error_log_count"] == 1


def test_a_broken_invariant_is_status_1_and_says_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Inspection) -> None:
        self.broken.append(Broken("counts_add_up", 1.5, "one is missing"))

    monkeypatch.setattr(Inspection, "check_stopped", broken)
    status = main(
        ["campaign", "S0", "--symbols", "1", "--seed", "7", "--faults", "random", "--check"]
    )

    assert status == 1
    assert capsys.readouterr().err.endswith(
        "ticklane: counts_add_up at 1.500 s: one is missing\n"
        "ticklane: 1 invariants did not hold; again: "
        "ticklane campaign S0 --symbols 1 --seed 7 --faults random --check\n"
    )


def test_ctrl_c_ends_it_whichever_actor_is_at_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object, sample: object) -> None:  # noqa: ARG001 - as the actor's method
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(AnalyzerActor, "_judge", interrupted)

    assert main(["campaign", "S0", "--symbols", "1"]) == 130
    assert capsys.readouterr().err.endswith("ticklane: interrupted\n")


def test_a_verdict_of_fail_is_status_1(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(write_plan([PoisonMessage(60.0, key) for key in campaign_keys(12)]))

    assert main(["campaign", "S0", "--symbols", "12", "--faults", str(plan)]) == 1


def test_a_terminal_is_shown_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert main(["campaign", "S0", "--symbols", "1"]) == 0
    assert "S0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("S9", "invalid choice: 'S9'"),
        ("S0 --symbols 0", "symbols must be a whole number, at least 1"),
        ("S0 --faults gone.toml", "plan must be a file that can be read"),
        ("S0 --log run.txt", "log must be a file named"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_status_2(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["campaign", *arguments.split()]) == 2
    assert said in capsys.readouterr().err
