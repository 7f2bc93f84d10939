"""The demo, run once as a user runs it in a pipe."""

import subprocess
import sys

import pytest

from ticklane.console.demo import _Plan, _Witness
from ticklane.messages import (
    AnomalyAlert,
    AnomalyState,
    FeedMetrics,
    MetricsSample,
    Severity,
    Totals,
)
from ticklane.simulation import demo_keys

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def done() -> Done:
    return subprocess.run(
        [sys.executable, "-m", "ticklane", "demo", "--seconds", "8", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_ends_with_status_0(done: Done) -> None:
    assert done.returncode == 0, done.stderr


def test_it_shows_every_symbol_as_running(done: Done) -> None:
    first_block = done.stdout.splitlines()[1:22]

    assert [line.split()[0] for line in first_block] == ["symbol", *sorted_by_exchange()]
    assert all(line.endswith("running") for line in first_block[1:])


def test_the_anomaly_is_raised_then_cleared_in_view_each_once(done: Done) -> None:
    both = done.stdout + done.stderr
    raised, cleared = (f"WS_QUEUE_DEPTH {state}: upbit:KRW-BTC" for state in ("raised", "cleared"))

    assert (both.count(raised), both.count(cleared)) == (1, 1)
    assert done.stdout.index(raised) < done.stdout.index(cleared)


def test_it_ends_with_the_report_and_totals_that_add_up(done: Done) -> None:
    last = done.stdout.splitlines()[-1]
    offered, *parts = [int(word) for word in last.split() if word.isdecimal()]

    assert "Long run S1: WARN" in done.stdout
    assert last.startswith("totals: ")
    assert offered == sum(parts) > 1000


@pytest.mark.parametrize("seconds", [8, 10, 20, 60])
def test_it_leaves_time_for_the_anomaly_to_clear(seconds: float) -> None:
    plan = _Plan(seconds)

    assert plan.slow_from_s >= 7.9 * plan.unit_s
    assert plan.seconds - plan.slow_until_s >= 8.9 * plan.unit_s


def test_an_anomaly_that_was_not_raised_is_missed() -> None:
    assert [*_Witness("upbit:KRW-BTC").missed(sample())] == [
        "WS_QUEUE_DEPTH of upbit:KRW-BTC was not raised"
    ]


def test_an_anomaly_that_was_not_cleared_is_missed() -> None:
    witness = _Witness("upbit:KRW-BTC")
    witness(alert("binance:BTCUSDT", AnomalyState.CLEARED))
    witness(alert("upbit:KRW-BTC", AnomalyState.RAISED))

    assert [*witness.missed(sample())] == [
        "WS_QUEUE_DEPTH of upbit:KRW-BTC was raised but not cleared"
    ]


def test_a_feed_that_brought_nothing_is_missed() -> None:
    witness = _Witness("upbit:KRW-BTC")
    witness(alert("upbit:KRW-BTC", AnomalyState.RAISED))
    witness(alert("upbit:KRW-BTC", AnomalyState.CLEARED))

    assert [*witness.missed(sample(upbit=3, binance=0))] == ["binance brought nothing"]


def sorted_by_exchange() -> list[str]:
    return sorted(demo_keys(20), key=lambda key: key.startswith("binance"))


def alert(key: str, state: AnomalyState) -> AnomalyAlert:
    return AnomalyAlert(
        kind="WS_QUEUE_DEPTH", severity=Severity.WARN, message="", key=key, state=state
    )


def sample(**snapshots: int) -> MetricsSample:
    feeds = tuple(
        FeedMetrics(
            name=name,
            exchange=name,
            state="streaming",
            frames=count,
            snapshots=count,
            reconnects=0,
            bad_frames={},
            silence_s=None,
        )
        for name, count in snapshots.items()
    )
    return MetricsSample(at_unix_s=0.0, queues={}, ticks={}, feeds=feeds, totals=Totals())
