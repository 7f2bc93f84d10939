"""The loopback exchange as a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from ticklane.exchanges import EXCHANGES
from ticklane.simulation.serve import main


def test_it_prints_its_address_serves_and_stops_at_the_end_of_input(tmp_path: Path) -> None:
    protocol = EXCHANGES["binance"].protocol(("BTCUSDT",), "depth20")
    arguments = ["--exchange", "binance", "--keys", "binance:BTCUSDT", "--rate", "100"]
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "ticklane.simulation.serve", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with connect(protocol.url(url), proxy=None) as client:
            frame = client.recv(timeout=10, decode=False)
        process.communicate(timeout=10)

    assert len(protocol.receive(frame, 0)) == 1
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--exchange nyse --keys nyse:IBM", "exchange must be one of"),
        ("--exchange upbit --keys binance:BTCUSDT", "keys must be of the exchange upbit"),
        ("--exchange upbit --keys upbit:KRW-BTC --rate 0", "rate must be"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_status_2(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments.split())

    assert exit_.value.code == 2
    assert said in capsys.readouterr().err
