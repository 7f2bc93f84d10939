"""The verdict on a metrics log, from the command line."""

import json
from pathlib import Path

import pytest

from ticklane.console import main


def log_of(folder: Path, *entries: object) -> str:
    path = folder / "run.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return str(path)


def test_a_run_without_trouble_is_ok_and_status_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", log_of(tmp_path, {"ws_queue_depth": 3})]) == 0
    assert capsys.readouterr().out.startswith("Long run S1: OK\n")


def test_a_warning_is_status_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", log_of(tmp_path, {"ws_queue_depth": 300})]) == 0
    assert capsys.readouterr().out.startswith("Long run S1: WARN\n")


def test_a_failed_run_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", log_of(tmp_path, {"error_log": 11})]) == 1
    assert capsys.readouterr().out.startswith("Long run S1: FAIL\n")


def test_the_scenario_sets_the_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", log_of(tmp_path, {"error_log": 11}), "--scenario", "S2"]) == 0
    assert capsys.readouterr().out.startswith("Long run S2: OK\n")


def test_json_carries_verdict_statistics_and_anomalies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = log_of(tmp_path, {"ws_queue_lag_ms": 10}, {"ws_queue_lag_ms": 30, "error_log": 11})

    assert main(["report", log, "--json"]) == 1

    report = json.loads(capsys.readouterr().out)
    lags = {"count": 2, "mean": 20.0, "min": 10, "max": 30, "stddev": 10.0}
    assert report["overall_status"] == "FAIL"
    assert report["ws_queue_lag_stats"] == lags
    assert [anomaly["kind"] for anomaly in report["anomalies"]] == ["ERROR_LOG"]


@pytest.mark.parametrize("content", [b"", b"no log\n", b"\x7fELF\x00\n"])
def test_a_file_without_an_entry_is_no_log_and_status_2(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    assert main(["report", str(path)]) == 2
    assert "LOG must be a metrics log with at least one entry" in capsys.readouterr().err
