"""The table's rows and lines, plain and on a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import Any

import attrs
import pytest

from ticklane.console.table import PlainTable, aligned, feed_lines, open_table, rows
from ticklane.messages import (
    AnomalyAlert,
    FeedMetrics,
    MetricsSample,
    QueueMetrics,
    QueueTick,
    Severity,
    Totals,
)

BTC = "upbit:KRW-BTC"
ETH = "upbit:KRW-ETH"


def queue(key: str, **differences: Any) -> QueueMetrics:
    plain = QueueMetrics(
        key=key,
        depth=0,
        depth_max=0,
        capacity=1000,
        lag_ms=0.0,
        lag_p50_ms=0.0,
        lag_p99_ms=0.0,
        lag_max_ms=0.0,
        oldest_age_ms=0.0,
        silence_s=0.1,
        offered=0,
        handled=0,
        failed=0,
        dropped=0,
        conflated=0,
        expired=0,
        rejected=0,
        restarts=0,
        status="running",
    )
    return attrs.evolve(plain, **differences)


def feed(state: str, last_error: str | None = None) -> FeedMetrics:
    return FeedMetrics(
        name="upbit",
        exchange="upbit",
        state=state,
        frames=0,
        snapshots=0,
        reconnects=0,
        bad_frames={},
        silence_s=None,
        last_error=last_error,
    )


def sample(*queues: QueueMetrics, feeds: tuple[FeedMetrics, ...] = ()) -> MetricsSample:
    return MetricsSample(
        at_unix_s=0.0,
        queues={each.key: each for each in queues},
        ticks={},
        feeds=feeds,
        totals=Totals(),
    )


def alert(key: str) -> AnomalyAlert:
    return AnomalyAlert(kind="WS_QUEUE_DEPTH", severity=Severity.WARN, message="", key=key)


def statuses(*queues: QueueMetrics, feeds: tuple[FeedMetrics, ...] = ()) -> list[str]:
    return [row[-1] for row in rows(sample(*queues, feeds=feeds), [alert(ETH)])]


def test_rate_and_lag_are_those_of_the_last_interval() -> None:
    tick = QueueTick(
        lag_min_ms=0.1,
        lag_max_ms=9.0,
        depth_max=7,
        handled=30,
        oldest_age_ms=0.0,
        interval_s=2.0,
        lag_p50_ms=0.5,
        lag_p99_ms=8.25,
    )
    now = attrs.evolve(sample(queue(BTC, depth=4, dropped=2, rejected=1)), ticks={BTC: tick})

    assert rows(now, ()) == [(BTC, "15.0", "4", "0.50 / 8.25", "3", "running")]


def test_without_an_interval_there_is_neither_rate_nor_lag() -> None:
    assert rows(sample(queue(BTC)), ()) == [(BTC, "-", "0", "-", "0", "running")]


def test_the_status_names_an_open_anomaly() -> None:
    assert statuses(queue(BTC), queue(ETH)) == ["running", "WS_QUEUE_DEPTH"]


def test_the_status_is_the_connections_while_it_brings_nothing() -> None:
    assert statuses(queue(ETH), feeds=(feed("backoff"),)) == ["backoff"]


def test_the_status_is_the_symbols_own_where_it_does_not_run() -> None:
    down = (feed("backoff"),)

    assert statuses(queue(ETH, status="quarantined"), feeds=down) == ["quarantined"]


def test_a_symbol_without_a_book_says_so() -> None:
    assert statuses(queue(BTC, silence_s=None), feeds=(feed("streaming"),)) == ["no book yet"]


def test_the_most_troubled_and_busy_symbols_stay_in_their_order() -> None:
    queues = (queue("a:1", handled=9), queue("a:2"), queue("a:3", depth=5), queue(ETH))

    chosen = [row[0] for row in rows(sample(*queues), [alert(ETH)], 3)]
    assert chosen == ["a:1", "a:3", ETH]


def test_a_connection_that_brings_nothing_has_a_line_with_the_reason() -> None:
    feeds = (feed("streaming", "reset by peer"), feed("backoff", "refused"), feed("connecting"))

    assert feed_lines(sample(feeds=feeds)) == ["upbit: backoff, refused", "upbit: connecting"]


def test_numbers_are_aligned_to_the_right() -> None:
    assert aligned([("key", "n", "status"), ("a:B", "12", "ok")]) == [
        "key   n  status",
        "a:B  12  ok",
    ]


def test_plain_lines_come_every_fifth_time(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainTable() as table:
        for _ in range(6):
            table.show(sample(queue(BTC)), ())

    assert capsys.readouterr().out.count(BTC) == 2


def test_what_is_no_terminal_gets_plain_lines() -> None:
    assert isinstance(open_table(), PlainTable)


def test_a_terminal_gets_a_live_table_with_the_log_above_it() -> None:
    pytest.importorskip("rich")
    arguments = ("watch", BTC, "--url", "upbit=ws://127.0.0.1:9", "--seconds", "1.2")
    output = on_terminal(sys.executable, "-m", "ticklane", *arguments)

    hide_cursor, above, table = "\x1b[?25l", "WARNING upbit: lost", "status"
    assert hide_cursor in output
    assert output.index(hide_cursor) < output.index(above) < output.rindex(table)


def on_terminal(*command: str) -> str:
    """Run a command on a terminal of 80 by 24, and return all that it wrote."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=its, stdout=its, stderr=its, env=environment
    ):
        os.close(its)
        output = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    return output.decode()


def read(terminal: int) -> bytes:
    # Linux tells the end of a terminal with an error.
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
