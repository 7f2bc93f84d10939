"""The log a host asks for by its name, in a process that may be killed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ticklane import MarketData, Snapshot
from ticklane.messages import InvalidOption
from ticklane.runtime import RunReader, report_on

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Stage

TIMEOUT_S = 20.0


@pytest.mark.parametrize("name", ["run.log", "run", "run.sqlite", ""])
def test_a_log_of_another_name_is_an_error_that_says_which_are_allowed(name: str) -> None:
    with pytest.raises(InvalidOption, match=r"a file named \*\.db \(SQLite\) or \*\.jsonl"):
        MarketData(log=name)


@pytest.mark.parametrize("days", [0, -1, 1.5, True])
def test_days_to_keep_are_a_whole_number_from_1(days: Any) -> None:
    with pytest.raises(InvalidOption, match="log_days must be a whole number, at least 1"):
        MarketData(log="run.db", log_days=days)


def test_a_folder_that_is_missing_is_an_error_at_the_start(tmp_path: Path) -> None:
    market = MarketData(log=tmp_path / "missing" / "run.db")

    with pytest.raises(InvalidOption, match="log must be in a folder that is there"):
        market.start()
    market.stop()


def test_a_run_log_knows_all_that_the_market_data_knows(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    market = stage.market(
        symbols=["x:A"], log=path, interval_s=0.01, thresholds={"ws_queue_depth_max": 3}
    )
    market.on_anomaly(stage.note)
    market.subscribe("x:A", lambda _: stage.spend(0.02))
    with market:
        for number in range(20):
            market.offer(Snapshot("x", "A", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number))
        stage.until(lambda: bool(stage.notes) and market.queue("x:A").handled == 20)
    report = report_on(path)
    (symbol,) = report.symbols

    assert (symbol.offered, symbol.handled, report.stopped) == (20, 20, True)
    assert "WS_QUEUE_DEPTH" in {span.kind for span in report.anomalies}
    assert report.longrun.entries > 0
    assert [*RunReader(path).seconds()] != []


# The wall clock runs twenty times as fast, so that ten seconds of it are half a second. Each line
# says how many roll-ups were committed by then.
KILLED = """
import sys, time
from itertools import count
from ticklane import Feed, MarketData
from ticklane.runtime import RunStore
from ticklane.simulation import LoopbackExchange, SyntheticMarket

class Clock:
    now_ns = staticmethod(time.monotonic_ns)
    start_s = time.time()

    def unix_s(self):
        return self.start_s + (time.time() - self.start_s) * 20

committed = 0

def write(store, batch, write=RunStore.write):
    global committed
    write(store, batch)
    committed += len(batch.rollups)
    print(committed, flush=True)

RunStore.write = write
books = SyntheticMarket(["upbit:KRW-BTC", "upbit:KRW-ETH"]).books()
with LoopbackExchange("upbit", books) as exchange:
    feed = Feed("upbit", ["KRW-BTC", "KRW-ETH"], url=exchange.url)
    with MarketData([feed], log=sys.argv[1], interval_s=0.05, clock=Clock()) as market:
        market.wait_for("upbit:KRW-BTC", timeout=10.0)
        time.sleep(60.0)
"""


def test_a_process_that_is_killed_loses_at_most_the_rollup_in_progress(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    committed = next(number for line in process.stdout if (number := int(line)) >= 5)
    process.kill()
    committed = max(committed, *map(int, process.communicate()[0].split()), 0)
    rows = [*RunReader(path).rollups()]
    report = report_on(path)

    # Two symbols: a roll-up of theirs may have been committed and not told any more.
    assert committed <= len(rows) <= committed + 2
    assert rows[-1].at_unix_s - rows[0].at_unix_s >= 10
    assert report.totals["handled"] == sum(row.handled for row in rows) > 0
    assert report.stopped is False
    for file in RunReader(path).files:
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_log_whose_writer_was_killed_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    code = KILLED.replace("time.sleep(60.0)", "import os, signal; os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=TIMEOUT_S)  # noqa: S603 - as above
    with MarketData(symbols=["x:A"], log=path):
        pass
    kinds = [event.kind for event in RunReader(path).events() if "feed" not in event.kind]

    assert kinds == ["started", "started", "stopped"]
