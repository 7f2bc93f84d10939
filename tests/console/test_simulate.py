"""`ticklane simulate`: exchanges for whoever connects, as a process and its wrong usages."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

from ticklane.console import main
from ticklane.exchanges import EXCHANGES
from ticklane.simulation import LoopbackExchange, PoisonMessage, Shutdown, write_plan

COMMAND = [sys.executable, "-m", "ticklane", "simulate", "--port", "0", "--rate", "50"]


def test_each_exchange_has_an_address_and_serves_until_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own module
        [*COMMAND, "upbit:KRW-BTC", "binance"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        urls = dict(process.stdout.readline().split() for _ in range(2))
        for exchange, symbol in (("upbit", "KRW-BTC"), ("binance", "ETHUSDT")):
            protocol = EXCHANGES[exchange].protocol((symbol,), EXCHANGES[exchange].streams[0])
            with connect(protocol.url(urls[exchange]), proxy=None, max_queue=None) as client:
                for message in protocol.greeting():
                    client.send(message)
                frame = client.recv(timeout=10, decode=False)

            assert len(protocol.receive(frame, 0)) == 1
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nyse", "exchange must be one of"),
        ("upbit --symbols 0", "--symbols must be at least 1"),
        ("upbit --rate 0", "rate must be"),
        ("upbit --faults gone.toml", "plan must be a file that can be read"),
        ("upbit --port 65536", "--port must be from 0 to 65535"),
        ("upbit binance --port 65535", "--port must be from 0 to 65534"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_status_2(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *arguments.split()]) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with LoopbackExchange("upbit", ()) as taken:
        port = taken.url.rpartition(":")[2]

        assert main(["simulate", "upbit", "--port", port]) == 2
    assert "a port that is free" in capsys.readouterr().err


def test_a_plan_of_faults_is_played(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(write_plan([Shutdown(0.2, "upbit", notice_s=0.1, down_s=60.0)]))
    with subprocess.Popen(  # noqa: S603 - our own module
        [*COMMAND, "upbit", "--faults", str(plan)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[1]
        with connect(url, proxy=None) as client, pytest.raises(ConnectionClosedOK):
            client.recv(timeout=10)
        with pytest.raises(InvalidStatus, match="503"):
            connect(url, proxy=None)
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == 0


def test_a_plan_for_an_exchange_holds_faults_of_exchanges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(write_plan([PoisonMessage(1.0, "upbit:KRW-BTC")]))

    assert main(["simulate", "upbit", "--port", "0", "--faults", str(plan)]) == 2
    assert "--faults must be a plan of what exchanges do wrong" in capsys.readouterr().err
