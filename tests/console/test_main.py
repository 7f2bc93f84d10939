"""The command line as a whole: help, wrong usage, Ctrl-C, pipes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ticklane.console import main

WRONG = {
    "": "the following arguments are required: COMMAND (see 'ticklane --help')",
    "frob": "invalid choice: 'frob'",
    "demo --seconds 7": "--seconds must be at least 8",
    "demo --seconds nan": "--seconds must be at least 8",
    "demo --seconds soon": "argument --seconds: invalid float value: 'soon'",
    "demo --symbols 0": "--symbols must be at least 1, not 0",
    "demo --rate 0": "rate must be",
    "watch": "the following arguments are required: KEY (see 'ticklane watch --help')",
    "watch nyse:IBM": "upbit, not 'nyse'",
    "watch upbit": "key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not 'upbit'",
    "watch upbit:krw-btc": "symbols must be in upper case",
    "watch upbit:KRW-BTC upbit:KRW-BTC": "symbols must be each named once",
    "watch upbit:KRW-BTC --seconds 0": "--seconds must be above 0",
    "watch upbit:KRW-BTC --url upbit=http://x": "url must be an address that begins with ws://",
    "watch upbit:KRW-BTC --url binance=ws://x": "--url must be for the exchange of one of the keys",
    "watch upbit:KRW-BTC --log /nowhere/run.jsonl": "log must be a file that can be written",
    "replay": "the following arguments are required: FILE",
    "replay /nowhere.txt": "capture must be a file that can be read",
    "report /nowhere.jsonl": "path must be a metrics log that can be read",
    "report x --scenario S9": "invalid choice: 'S9'",
    "report x -v -q": "not allowed with argument",
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.items())
def test_wrong_usage_is_one_line_on_stderr_and_status_2(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(arguments.split())

    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("ticklane: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize("command", [[], ["demo"], ["watch"], ["replay"], ["report"]])
def test_help_shows_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])

    assert exit_.value.code == 0
    assert f"examples:\n  ticklane {' '.join(command)}" in capsys.readouterr().out


def test_ctrl_c_before_anything_ran_is_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    assert main(map(interrupt, ["demo"])) == 130
    assert capsys.readouterr().err == "ticklane: interrupted\n"


def test_ctrl_c_ends_a_run_with_its_report_and_status_0() -> None:
    arguments = ("upbit:KRW-BTC", "--url", "upbit=ws://127.0.0.1:9", "-q")
    with started("watch", *arguments) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (0, "")
    assert "Long run S1" in out
    assert "totals: 0 offered" in out


def test_a_reader_that_leaves_is_no_traceback(log: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with started("report", str(log), stdout=write) as process:
        os.close(write)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (1, "")


def test_a_full_disk_behind_stdout_is_one_line_and_status_1(log: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with started("report", str(log), stdout=full) as process:
        os.close(full)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (1, "ticklane: [Errno 28] No space left on device\n")


def test_what_a_terminal_cannot_write_is_escaped() -> None:
    arguments = ("watch", "binance:币USDT", "--url", "binance=ws://127.0.0.1:9", "--seconds", "1.2")
    with started(*arguments, "-q", env={**os.environ, "PYTHONIOENCODING": "ascii"}) as process:
        out, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (1, "ticklane: nothing was received\n")
    assert r"binance:\u5e01USDT" in out


def test_a_stdout_that_is_closed_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    assert main(["demo"]) == 2
    assert capsys.readouterr().err.startswith("ticklane: stdout is closed")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_text('{"ws_queue_depth": 1}\n')
    return path


def started(
    *arguments: str, stdout: int = subprocess.PIPE, env: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "ticklane", *arguments],
        stdout=stdout,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
