"""The verdict on a log, from the command line."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ticklane import MarketData, Snapshot
from ticklane.console import main
from ticklane.messages import RunEvent
from ticklane.runtime import RunBatch, RunStore
from ticklane.simulation import World


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


@pytest.fixture
def run_log(tmp_path: Path) -> Path:
    """Return a run log of two symbols, one of which was late for a while."""
    world = World(seed=1)
    keys = ["x:A", "x:<B>"]
    market = MarketData(
        symbols=keys,
        dispatcher=world,
        log=tmp_path / "run.db",
        thresholds={"ws_queue_depth_max": 5},
    )
    market.subscribe(
        "x:A", lambda book: world.spend(0.3 if 100 < (book.sequence or 0) < 200 else 0)
    )
    with market:
        for number in range(600):
            for key in keys:
                symbol = key.partition(":")[2]
                market.offer(Snapshot("x", symbol, ((1.0, 1.0),), ((2.0, 1.0),), sequence=number))
            world.run_for(0.1)
    return tmp_path / "run.db"


def test_a_run_log_is_told_with_totals_symbols_anomalies_and_lags(
    run_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run_log)]) == 0
    told = capsys.readouterr().out

    assert told.startswith("Long run S1: WARN\n")
    assert "totals: 1200 offered, 1200 handled, 0 failed" in told
    assert re.search(
        r"^WS_QUEUE_DEPTH +x:A +\d\d:\d\d:\d\d +\d\d:\d\d:\d\d +[\d.]+ +\d+$", told, re.MULTILINE
    )
    assert re.search(r"^x:<B> +600 +600", told, re.MULTILINE)


def test_json_of_a_run_log_carries_all_of_it(
    run_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["report", str(run_log), "--json"])
    report = json.loads(capsys.readouterr().out)

    assert report["overall_status"] == "WARN"
    assert report["totals"]["handled"] == 1200
    assert report["shed"] == {"dropped": 0, "conflated": 0, "expired": 0, "rejected": 0}
    assert [each["key"] for each in report["symbols"]] == ["x:A", "x:<B>"]
    assert "WS_QUEUE_DEPTH" in {each["kind"] for each in report["anomaly_spans"]}
    assert max(point["lag_p99_ms"] for point in report["over_time"]) > 1000


def test_a_page_is_whole_and_needs_no_network(
    run_log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    main(["report", str(run_log), "--html", str(page)])
    text = page.read_text("utf-8")
    seen = Tags()
    seen.feed(text)

    assert capsys.readouterr().out.startswith("Long run S1: WARN\n")
    assert seen.left == []
    assert seen.count["svg"] == 3
    assert seen.count["rect"] >= 3
    assert "x:&lt;B&gt;" in text
    assert not re.search(r"https?:|src=|href=|<script|@import|url\(", text)


class Tags(HTMLParser):
    """Counts elements, and finds those that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[str] = []
        self.count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, _: object) -> None:
        self.count[tag] += 1
        if tag != "meta":
            self.left.append(tag)

    def handle_startendtag(self, tag: str, _: object) -> None:
        self.count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.left.pop() == tag


def test_a_page_of_json_lines_has_depth_and_greatest_lag(tmp_path: Path) -> None:
    entries = [
        {"timestamp": 1e9 + second, "ws_queue_depth": second % 7, "ws_queue_lag_ms": 1.5}
        for second in range(100)
    ]
    page = tmp_path / "report.html"
    main(["report", log_of(tmp_path, *entries), "--html", str(page)])
    seen = Tags()
    seen.feed(page.read_text("utf-8"))

    assert (seen.left, seen.count["svg"]) == ([], 2)


def test_a_page_without_any_time_has_no_plot(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    main(["report", log_of(tmp_path, {"ws_queue_depth": 3}), "--html", str(page)])

    assert "<svg" not in page.read_text("utf-8")


def test_a_pause_is_plotted_as_such(tmp_path: Path) -> None:
    world, page = World(seed=1), tmp_path / "page.html"
    market = MarketData(symbols=["x:A"], log=tmp_path / "run.db", dispatcher=world)
    with market:
        for second in range(100):
            if not 30 <= second < 70:
                market.offer(Snapshot("x", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=second))
            world.run_for(1.0)
    main(["report", str(tmp_path / "run.db"), "--html", str(page)])
    rates = page.read_text().rpartition("snapshots per second")[2]
    line = re.search(r'<polyline points="([^"]+)"', rates)

    assert line is not None
    heights = [point.partition(",")[2] for point in line[1].split()]
    idle = "204.0"
    assert heights[0] != idle
    assert heights[-1] != idle
    assert heights.count(idle) >= 2


def test_a_run_of_several_days_tells_of_which_day_a_time_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noon_s = 1795348800.0
    store = RunStore(tmp_path / "run.db")
    for at_s, state in ((noon_s, "raised"), (noon_s + 86_400, "cleared")):
        detail = {"kind": "QUEUE_STALL", "severity": "WARN", "message": "look", "state": state}
        event = RunEvent(at_s, "anomaly", "x:A", json.dumps(detail))
        entry = {"timestamp": at_s, "ws_queue_depth": 1, "ws_queue_lag_ms": 1}
        store.write(RunBatch(at_s, events=[event], entries=[entry]))
    store.close()
    page = tmp_path / "page.html"
    main(["report", str(tmp_path / "run.db"), "--html", str(page)])
    html = page.read_text()

    assert "  11-22 12:00:00  11-23 12:00:00  " in capsys.readouterr().out
    assert "2026-11-22 12:00:00 to 11-23 12:00:00 UTC" in html
    assert ">11-22 12:00:00</td>" in html
    assert ">11-22 11:59:50</text>" in html


def test_a_page_that_cannot_be_written_is_status_2(
    run_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run_log), "--html", str(run_log.parent)]) == 2
    assert "--html must be a file that can be written" in capsys.readouterr().err
