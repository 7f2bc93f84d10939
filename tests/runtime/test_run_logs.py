"""Logs of either kind: reports, entries, and one made from the other."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticklane.analysis import LongrunAnalyzer
from ticklane.messages import InvalidOption, RunEvent
from ticklane.runtime import RunBatch, RunReader, RunStore, convert_log, read_entries, report_on

NOON_S = 1_795_348_800.0
ENTRIES = [
    {"timestamp": NOON_S + number * 30_000, "ws_queue_depth": number, "note": "가"}
    for number in range(6)
]


def lines(path: Path, *entries: object) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_json_lines_become_a_run_log_of_several_days_and_lines_again(tmp_path: Path) -> None:
    source = lines(tmp_path / "run.jsonl", *ENTRIES)

    assert convert_log(source, tmp_path / "run.db") == 6
    assert len(RunReader(tmp_path / "run.db").files) == 3
    assert convert_log(tmp_path / "run.db", tmp_path / "again.jsonl") == 6
    assert (tmp_path / "again.jsonl").read_text() == source.read_text()


def test_the_verdict_on_both_is_the_same(tmp_path: Path) -> None:
    source = lines(tmp_path / "run.jsonl", *ENTRIES, {"error_log": 11})
    convert_log(source, tmp_path / "run.db")

    assert report_on(source).longrun == report_on(tmp_path / "run.db").longrun
    assert report_on(source).longrun.overall_status == "FAIL"


def test_entries_of_either_are_for_the_analyzer(tmp_path: Path) -> None:
    source = lines(tmp_path / "run.jsonl", *ENTRIES)
    convert_log(source, tmp_path / "run.db")
    analyze = LongrunAnalyzer("S1").analyze_metrics_log

    assert analyze(read_entries(source)) == analyze(read_entries(tmp_path / "run.db"))


def test_lines_that_are_no_entries_are_left_out(tmp_path: Path) -> None:
    source = lines(tmp_path / "run.jsonl", {"ws_queue_depth": 1}, [1], 2, None)
    source.write_text(source.read_text() + '{"half')

    assert convert_log(source, tmp_path / "run.db") == 1


STAMPS = st.one_of(
    st.none(), st.floats(), st.integers(), st.text(max_size=3), st.just("2026-11-22T10:00:00Z")
)


@settings(max_examples=25)
@given(st.lists(STAMPS, min_size=1, max_size=20))
def test_whatever_the_time_stamps_no_entry_is_lost(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[object]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    source = lines(folder / "run.jsonl", *({"timestamp": stamp} for stamp in stamps))

    assert convert_log(source, folder / "run.db") == len(stamps)
    assert convert_log(folder / "run.db", folder / "out.jsonl") == len(stamps)


def test_a_log_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    source = lines(tmp_path / "run.jsonl", *ENTRIES)
    convert_log(source, tmp_path / "run.db")

    for target in ("run.db", "run.jsonl"):
        with pytest.raises(InvalidOption, match="target must be new"):
            convert_log(source, tmp_path / target)


def test_a_target_of_another_name_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"a file named \*\.db or \*\.jsonl"):
        convert_log(lines(tmp_path / "run.jsonl"), tmp_path / "run.csv")


@pytest.mark.parametrize("name", ["run.db", "run.jsonl"])
def test_a_target_that_cannot_be_written_is_a_clear_error(tmp_path: Path, name: str) -> None:
    source = lines(tmp_path / "run.jsonl", *ENTRIES)

    with pytest.raises(InvalidOption, match="target must be a file that can be written"):
        convert_log(source, tmp_path / "missing" / name)


def test_events_of_a_run_log_are_in_its_report(tmp_path: Path) -> None:
    detail = {"kind": "QUEUE_STALL", "severity": "ERROR", "message": "look", "state": "raised"}
    events = [
        RunEvent(NOON_S + n, "anomaly", key, json.dumps(detail)) for n, key in ((0, "a"), (1, "b"))
    ]
    store = RunStore(tmp_path / "run.db")
    store.write(RunBatch(NOON_S, events=events))
    store.close()
    report = report_on(tmp_path / "run.db")

    assert [span.key for span in report.anomalies] == ["a", "b"]
    assert all(one.start_unix_s < other.start_unix_s for one, other in pairwise(report.anomalies))
    assert report.longrun.overall_status == "FAIL"


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    for name in ("run.db", "run.jsonl"):
        with pytest.raises(InvalidOption, match="path must be"):
            report_on(tmp_path / name)
