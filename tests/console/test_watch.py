"""Watching exchanges, simulated ones in place of the live ones."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticklane.console import main
from ticklane.simulation import LoopbackExchange, SyntheticMarket

KEYS = ("upbit:KRW-BTC", "binance:BTCUSDT")
NOWHERE = ("--url", "upbit=ws://127.0.0.1:9")


@pytest.fixture
def urls() -> Iterator[list[str]]:
    market = SyntheticMarket(KEYS, seed=1, rate=50)
    with (
        LoopbackExchange("upbit", market.books()) as upbit,
        LoopbackExchange("binance", market.books()) as binance,
    ):
        yield ["--url", f"upbit={upbit.url}", "--url", f"binance={binance.url}"]


def test_it_shows_the_symbols_and_ends_with_a_report(
    urls: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["watch", *KEYS, *urls, "--seconds", "1.2"])

    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[:3]] == ["symbol", *KEYS]
    assert "upbit: 0 snapshots" not in out
    assert "Long run S1" in out


def test_it_writes_a_metrics_log_that_report_reads(
    urls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(tmp_path / "run.jsonl")
    main(["watch", *KEYS, *urls, "--seconds", "1.2", "--log", log])
    capsys.readouterr()

    assert main(["report", log, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] >= 1


def test_an_exchange_that_cannot_be_reached_is_seen_and_status_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["watch", KEYS[0], *NOWHERE, "--seconds", "1.2"])

    out, err = capsys.readouterr()
    row, reason = out.splitlines()[1:3]
    assert status == 1
    assert row.split()[-1] in {"backoff", "connecting"}
    assert "Connection refused" in reason
    assert "WARNING upbit: lost" in err
    assert err.endswith("ticklane: nothing was received\n")


def test_quiet_leaves_warnings_out_of_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main(["watch", KEYS[0], *NOWHERE, "--seconds", "0.3", "--quiet"])

    assert capsys.readouterr().err == "ticklane: nothing was received\n"
