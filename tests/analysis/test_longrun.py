import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LongrunAnalyzer, LongrunTally
from ticklane.messages import InvalidOption, Severity

HEALTHY = {
    "loop_time_ms": 1000,
    "trades_opened": 1,
    "spread_bps": 12.5,
    "snapshot_none": False,
    "guard_rejected": False,
    "guard_stop": False,
    "error_log": False,
    "warning_log": False,
    "ws_latency_ms": 40,
    "ws_reconnect": False,
    "ws_message_gap": False,
    "ws_queue_depth": 3,
    "ws_queue_lag_ms": 2.5,
    "memory_mb": 100,
}


def found(
    entries: Iterable[object], scenario: str = "S1", **thresholds: int
) -> tuple[list[tuple[str, Severity]], str]:
    report = LongrunAnalyzer(scenario, **thresholds).analyze_metrics_log(entries)
    return [(each.kind, each.severity) for each in report.anomalies], report.overall_status


def times(count: int, **entry: object) -> list[dict[str, object]]:
    return [entry] * count


def test_a_healthy_run_is_ok() -> None:
    assert found([HEALTHY] * 60) == ([], "OK")


def test_an_empty_log_is_ok() -> None:
    assert found([]) == ([], "OK")


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([*times(99, loop_time_ms=10), {"loop_time_ms": 1501}], "LOOP_TIME"),
        (times(3, loop_time_ms=1201), "LOOP_TIME"),
        (times(6, snapshot_none=True), "SNAPSHOT"),
        (times(11, warning_log=True), "WARNING_LOG"),
        (times(5, trades_opened=0), "TRADES"),
        (times(11, guard_rejected=True), "GUARD"),
        (times(11, ws_latency_ms=501), "WS_LATENCY"),
        (times(11, ws_reconnect=True), "WS_RECONNECT"),
        (times(6, ws_message_gap=True), "WS_MESSAGE_GAP"),
        (times(11, ws_queue_lag_ms=1001), "WS_QUEUE_LAG"),
        (times(1, ws_queue_depth=101), "WS_QUEUE_DEPTH"),
    ],
)
def test_one_over_the_limit_is_a_warning(entries: list[object], kind: str) -> None:
    assert found(entries) == ([(kind, Severity.WARN)], "WARN")


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        (times(11, error_log=True), "ERROR_LOG"),
        (times(1, guard_stop=True), "GUARD"),
        (times(1, ws_latency_ms=2001), "WS_LATENCY"),
        ([{"memory_mb": 50}, {"memory_mb": 151}], "MEMORY"),
    ],
)
def test_what_is_an_error_fails_the_run(entries: list[object], kind: str) -> None:
    assert found(entries) == ([(kind, Severity.ERROR)], "FAIL")


@pytest.mark.parametrize(
    "entries",
    [
        times(1, loop_time_ms=1200),
        times(5, snapshot_none=True),
        times(10, error_log=True),
        times(10, warning_log=True),
        times(1, trades_opened=1),
        times(10, guard_rejected=True),
        times(10, ws_latency_ms=2000),
        times(10, ws_reconnect=True),
        times(5, ws_message_gap=True),
        times(10, ws_queue_lag_ms=1001),
        times(1, ws_queue_depth=100),
        [{"memory_mb": 50}, {"memory_mb": 150}],
    ],
)
def test_a_value_at_its_limit_is_allowed(entries: list[object]) -> None:
    assert found(entries) == ([], "OK")


def test_a_log_without_trades_has_not_too_few() -> None:
    assert found(times(60, loop_time_ms=1000)) == ([], "OK")


def test_a_warning_beside_an_error_still_fails_the_run() -> None:
    anomalies, status = found([*times(11, error_log=True), {"ws_queue_depth": 101}])

    assert (len(anomalies), status) == (2, "FAIL")


def test_a_longer_scenario_allows_more() -> None:
    assert found(times(11, error_log=True), "S2") == ([], "OK")


def test_the_queue_thresholds_can_be_set() -> None:
    late, deep = times(1, ws_queue_lag_ms=1001), times(1, ws_queue_depth=1)
    anomalies, _ = found([*late, *deep], ws_queue_lag_warn_max=0, ws_queue_depth_max=0)

    assert [kind for kind, _ in anomalies] == ["WS_QUEUE_LAG", "WS_QUEUE_DEPTH"]


def test_an_anomaly_says_what_was_measured_and_what_it_was_held_against() -> None:
    report = LongrunAnalyzer().analyze_metrics_log([{"ws_queue_depth": 250, "timestamp": 5}])
    anomaly = report.anomalies[0]

    assert (anomaly.value, anomaly.threshold, anomaly.since_unix_s) == (250, 100, 5)
    assert anomaly.message == (
        "250 snapshots waited at one time, over 100: "
        "look for a slow handler or a burst from the exchange"
    )


def test_an_unknown_scenario_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="one of S1, S2, S3, not 'S4'"):
        LongrunAnalyzer("S4")


@pytest.mark.parametrize("name", ["ws_queue_lag_warn_max", "ws_queue_depth_max"])
def test_a_threshold_is_a_whole_number(name: str) -> None:
    with pytest.raises(InvalidOption, match=f"{name} must be a whole number, at least 0, not -1"):
        LongrunAnalyzer(**{name: -1})  # type: ignore[arg-type]


def test_a_run_that_goes_on_can_be_judged_so_far() -> None:
    analyzer, tally = LongrunAnalyzer(), LongrunTally()
    before = analyzer.judge(tally)
    tally.add({"guard_stop": True})

    assert (before.overall_status, analyzer.judge(tally).overall_status) == ("OK", "FAIL")


def test_a_stream_of_any_length_is_analyzed_in_constant_memory() -> None:
    analyzer = LongrunAnalyzer()
    analyzer.analyze_metrics_log([HEALTHY])
    tracemalloc.start()
    report = analyzer.analyze_metrics_log({**HEALTHY, "timestamp": n} for n in range(5_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert report.entries == 5_000
    assert peak < 100_000


@given(
    errors=st.integers(0, 30),
    late=st.integers(0, 30),
    depths=st.lists(st.integers(0, 200), max_size=5),
)
def test_the_verdict_is_the_worst_of_what_is_over_its_limit(
    errors: int, late: int, depths: list[int]
) -> None:
    entries = [
        *times(errors, error_log=1),
        *times(late, ws_queue_lag_ms=1500),
        *({"ws_queue_depth": depth} for depth in depths),
    ]
    anomalies, status = found(entries)
    expected = {
        "ERROR_LOG": errors > 10,
        "WS_QUEUE_LAG": late > 10,
        "WS_QUEUE_DEPTH": max(depths, default=0) > 100,
    }

    assert {kind for kind, _ in anomalies} == {kind for kind, over in expected.items() if over}
    assert status == ("FAIL" if errors > 10 else "WARN" if any(expected.values()) else "OK")
