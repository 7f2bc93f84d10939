import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ticklane.analysis import analyze_longrun_log
from ticklane.messages import InvalidOption

Log = Callable[[bytes], Path]

WHOLE = b'{"loop_time_ms": 10, "timestamp": 0}\n{"loop_time_ms": 30, "timestamp": 60}\n'


@pytest.fixture
def log(tmp_path: Path) -> Log:
    def write(content: bytes) -> Path:
        path = tmp_path / "metrics.jsonl"
        path.write_bytes(content)
        return path

    return write


def test_every_line_is_an_entry(log: Log) -> None:
    report = analyze_longrun_log(log(WHOLE), "S2")

    assert (report.scenario, report.entries, report.duration_minutes) == ("S2", 2, 1)


def test_a_path_may_be_a_string(log: Log) -> None:
    assert analyze_longrun_log(str(log(WHOLE))).entries == 2


@pytest.mark.parametrize(
    "broken",
    [
        b'{"loop_time_ms": 4',
        b"\0\0\0\0",
        b"\xff\xfe\xff",
        b"[1, 2]",
        b"null",
        b"12",
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_broken_line_is_skipped_and_counted(log: Log, broken: bytes, place: str) -> None:
    content = broken + b"\n" + WHOLE if place == "first" else WHOLE + broken
    report = analyze_longrun_log(log(content))

    assert (report.entries, report.broken_entries) == (2, 1)


def test_an_empty_line_is_nothing(log: Log) -> None:
    report = analyze_longrun_log(log(b"\n" + WHOLE + b"  \n"))

    assert (report.entries, report.broken_entries) == (2, 0)


def test_an_empty_log_has_no_entries(log: Log) -> None:
    assert analyze_longrun_log(log(b"")).entries == 0


def test_a_value_that_json_does_not_know_costs_only_itself(log: Log) -> None:
    line = json.dumps({"loop_time_ms": float("nan"), "spread_bps": 2}).encode()
    report = analyze_longrun_log(log(line))

    assert (report.spread_bps_stats.count, report.ignored_values) == (1, 1)


def test_a_missing_log_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"

    with pytest.raises(InvalidOption, match=r"path must be a metrics log .*No such file") as caught:
        analyze_longrun_log(path)

    assert caught.value.given == str(path)


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="Is a directory"):
        analyze_longrun_log(tmp_path)


def test_an_unknown_scenario_is_told_before_the_log_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="scenario must be one of"):
        analyze_longrun_log(tmp_path / "none.jsonl", "S7")
