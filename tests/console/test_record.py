"""Recording exchanges, simulated ones, and replaying what was recorded."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticklane.console import main
from ticklane.console.replay import replay
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    capture_connections,
    capture_exchange,
    read_capture,
)

KEYS = ("upbit:KRW-BTC", "upbit:KRW-ETH", "binance:BTCUSDT")
NOWHERE = ("--url", "upbit=ws://127.0.0.1:9")


@pytest.fixture
def urls() -> Iterator[list[str]]:
    market = SyntheticMarket(KEYS, seed=1, rate=50)
    with (
        LoopbackExchange("upbit", market.books()) as upbit,
        LoopbackExchange("binance", market.books()) as binance,
    ):
        yield ["--url", f"upbit={upbit.url}", "--url", f"binance={binance.url}"]


def test_what_was_recorded_is_replayed_whole(
    urls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a"
    status = main(["record", *KEYS, *urls, "--seconds", "1", "--out", str(path)])
    recorded = len(list(read_capture(path)))

    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert out.endswith(f"recorded {recorded} frames ({path.stat().st_size} bytes) to {path}\n")
    result = replay(path, speed=0)
    assert result.ok
    assert set(result.latest) == set(KEYS)
    assert sum(feed.frames for feed in result.sample.feeds) == recorded


def test_a_recording_names_its_connections(urls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a"
    main(["record", *KEYS, *urls, "--seconds", "0.5", "--out", str(path)])

    assert sorted(capture_connections(path)) == ["binance", "upbit"]
    assert capture_exchange(path, "upbit")[0] == "upbit"


def test_a_recording_is_continued(urls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a"
    for _ in range(2):
        main(["record", KEYS[0], *urls[:2], "--seconds", "0.4", "--out", str(path)])

    assert path.read_bytes().count(b" <-> ") == 2
    assert replay(path, speed=0).ok


def test_a_killed_recorder_leaves_a_file_that_replays(urls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a"
    command = [sys.executable, "-m", "ticklane", "record", *KEYS, *urls, "--out", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as recorder:  # noqa: S603
        deadline = time.monotonic() + 20.0
        while not path.exists() or path.stat().st_size < 20_000:
            assert time.monotonic() < deadline, "nothing is recorded"
            time.sleep(0.01)
        recorder.kill()
    result = replay(path, speed=0)

    assert result.ok
    assert result.sample.totals.handled == len(list(read_capture(path)))


def test_an_exchange_that_cannot_be_reached_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--seconds", "0.3", "--out", str(tmp_path / "a")]

    assert main(["record", KEYS[0], *NOWHERE, *options]) == 1
    assert capsys.readouterr().err.endswith("ticklane: nothing was received\n")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--seconds", "0", "--out", "a"], "--seconds must be above 0"),
        (["--out", "/nowhere/a"], "record must be a file that can be written"),
        ([], "required: --out"),
    ],
)
def test_wrong_usage_is_told_in_one_line(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", KEYS[0], *NOWHERE, *options]) == 2
    assert complaint in capsys.readouterr().err
