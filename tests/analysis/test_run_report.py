"""What a run log comes to."""

import json
import math
import random

import pytest

from ticklane.analysis import LagHistogram, RunTally, pack_lags, unpack_lags
from ticklane.messages import Rollup, RunEvent, RunSecond


def row(at_unix_s: float, key: str, *lags_ms: float, depth_max: int = 1, **counts: int) -> Rollup:
    lags = LagHistogram()
    for each in lags_ms:
        lags.record(int(each * 1e6))
    counts = {"offered": len(lags_ms), "handled": len(lags_ms), **counts}
    names = ("offered", "handled", "failed", "dropped", "conflated", "expired", "rejected")
    numbers = (counts.get(name, 0) for name in (*names, "restarts"))
    quantiles = (each / 1e6 for each in lags.quantiles(0.0, 0.5, 0.99, 1.0))
    return Rollup._make(
        (at_unix_s, 10.0, key, *numbers, depth_max, 0.0, *quantiles, pack_lags(lags))
    )


def anomaly(at_unix_s: float, state: str, severity: str = "WARN") -> RunEvent:
    detail = {"kind": "QUEUE_STALL", "severity": severity, "message": "look", "state": state}
    return RunEvent(at_unix_s, "anomaly", "x:A", json.dumps(detail))


def happened(at_unix_s: float, kind: str, key: str | None = None, **detail: object) -> RunEvent:
    return RunEvent(at_unix_s, kind, key, json.dumps(detail))


def test_symbols_add_up_over_their_rows_the_latest_first() -> None:
    tally = RunTally()
    tally.add_rollup(row(110.0, "x:A", 1.0, 1.0))
    tally.add_rollup(row(110.0, "x:B", 50.0, dropped=3, depth_max=9))
    tally.add_rollup(row(120.0, "x:A", 1.0, restarts=2, depth_max=4))
    first, second = tally.report().symbols

    assert (first.key, first.dropped, first.shed, first.depth_max) == ("x:B", 3, 3, 9)
    assert (second.key, second.handled, second.restarts, second.depth_max) == ("x:A", 3, 2, 4)


def test_quantiles_are_those_of_the_merged_lags() -> None:
    tally = RunTally()
    tally.add_rollup(row(110.0, "x:A", *[1.0] * 99))
    tally.add_rollup(row(120.0, "x:A", *[100.0] * 2))
    (symbol,) = tally.report().symbols

    assert 0.98 < symbol.lag_p50_ms < 1.02
    assert 98 < symbol.lag_p99_ms < 102
    assert 98 < symbol.lag_max_ms < 102


def test_totals_and_what_was_shed_are_the_sum_over_symbols() -> None:
    tally = RunTally()
    tally.add_rollup(row(110.0, "x:A", 1.0, expired=2))
    tally.add_rollup(row(110.0, "x:B", 1.0, 2.0, conflated=5))
    report = tally.report()

    assert report.totals["handled"] == 3
    assert report.shed == {"dropped": 0, "conflated": 5, "expired": 2, "rejected": 0}


def test_an_anomaly_raised_in_the_run_makes_the_verdict() -> None:
    tally = RunTally()
    tally.add_event(anomaly(105.0, "raised"))
    tally.add_event(anomaly(120.0, "cleared"))
    warned = tally.report()
    tally.add_event(anomaly(130.0, "raised", severity="ERROR"))

    assert warned.longrun.overall_status == "WARN"
    assert tally.report().longrun.overall_status == "FAIL"
    assert [each.message for each in warned.longrun.anomalies] == ["raised once: look"]


def test_entries_are_held_against_the_scenario() -> None:
    tally = RunTally()
    for number in range(11):
        tally.add_entry({"timestamp": 100.0 + number, "error_log": 1})

    assert tally.report("S1").longrun.overall_status == "FAIL"
    assert tally.report("S2").longrun.overall_status == "OK"


def test_peaks_of_an_anomaly_come_from_seconds_and_rollups() -> None:
    tally = RunTally()
    tally.add_event(anomaly(105.0, "raised"))
    tally.add_rollup(row(110.0, "x:A", 30.0, depth_max=3))
    tally.add_second(RunSecond(107.0, "x:A", 1, 0, 0, 2, 0.0, 0.0, 0.0, 0.0, 45.0))
    (span,) = tally.report().anomalies

    assert (span.lag_peak_ms, span.depth_peak) == (45.0, 3)


def test_connections_are_counted_by_feed() -> None:
    tally = RunTally()
    tally.add_event(happened(100.0, "feed_connected", "upbit", exchange="upbit"))
    tally.add_event(happened(110.0, "feed_lost", "upbit", times=2, reason="reset"))
    tally.add_event(happened(111.0, "feed_connected", "upbit", exchange="upbit"))
    tally.add_event(happened(112.0, "feed_gap", "upbit", times=3))

    assert tally.report().feeds == (
        ("upbit", {"feed_connected": 2, "feed_lost": 2, "feed_gap": 3}),
    )


def test_it_knows_whether_the_writer_stopped() -> None:
    tally = RunTally()
    unknown = tally.report().stopped
    tally.add_event(happened(100.0, "started"))
    running = tally.report().stopped
    tally.add_event(happened(200.0, "stopped"))

    assert (unknown, running, tally.report().stopped) == (None, False, True)


def test_over_time_comes_from_entries_where_there_are_no_rollups() -> None:
    tally = RunTally()
    tally.add_entry({"timestamp": "2026-11-22T10:00:01", "ws_queue_depth": 7, "ws_queue_lag_ms": 2})
    tally.add_entry({"timestamp": None, "ws_queue_depth": 7, "ws_queue_lag_ms": 2})
    tally.add_entry("no entry")
    (point,) = tally.report().over_time

    assert (point.depth_max, point.lag_max_ms) == (7, 2)


NAMES = ("offered", "handled", "failed", "dropped", "conflated", "expired", "rejected", "restarts")


@pytest.mark.parametrize("value", [1.7e308, 10**400, -5, "7", None])
def test_what_the_verdict_ignores_is_ignored_over_time(value: object) -> None:
    tally = RunTally()
    tally.add_entry({"timestamp": 5, "ws_queue_depth": value, "ws_queue_lag_ms": 1})
    report = tally.report()

    assert report.longrun.ignored_values == 1
    assert report.over_time == ()


def random_lags(draw: random.Random, middle_ms: float) -> list[float]:
    number, spread = draw.choice(((0, 0.0), (10, 1.5), (100, 1.5), (300, 0.0)))
    return [middle_ms * draw.lognormvariate(0.0, spread) for _ in range(number)]


def random_log(seed: int, span_s: int) -> list[Rollup]:
    draw = random.Random(seed)
    middles = {f"x:{name}": draw.uniform(0.001, 100.0) for name in "ABCDE"}
    return [
        row(
            1e9 + draw.uniform(0.0, span_s),
            key,
            *random_lags(draw, middles[key]),
            depth_max=draw.randrange(100),
            **{name: draw.randrange(10**6) for name in NAMES},
        )._replace(seconds=draw.uniform(1.0, 10.0), oldest_age_ms=draw.expovariate(1.0))
        for key in draw.choices([*middles], k=800)
    ]


def merged(rows: list[Rollup]) -> LagHistogram:
    lags = LagHistogram()
    for each in rows:
        lags.add(unpack_lags(each.lags))
    return lags


def quantiles_ms(rows: list[Rollup]) -> list[float]:
    return [ns / 1e6 for ns in merged(rows).quantiles(0.5, 0.99)]


def by_time(rows: list[Rollup], seconds: int) -> tuple[int, dict[int, list[Rollup]]]:
    stretches: dict[int, list[Rollup]] = {}
    for each in rows:
        number = math.ceil((each.at_unix_s - each.seconds / 2) / seconds) - 1
        stretches.setdefault(number * seconds, []).append(each)
    return (seconds, stretches) if len(stretches) <= 360 else by_time(rows, 2 * seconds)


@pytest.mark.parametrize("seed", range(3))
def test_symbols_are_what_their_rows_come_to_one_by_one(seed: int) -> None:
    tally, rows = RunTally(), random_log(seed, 3600)
    for each in rows:
        tally.add_rollup(each)

    for symbol in tally.report().symbols:
        own = [each for each in rows if each.key == symbol.key]
        assert [symbol.lag_p50_ms, symbol.lag_p99_ms] == quantiles_ms(own)
        assert symbol.lag_max_ms == merged(own).greatest / 1e6
        assert symbol.depth_max == max(each.depth_max for each in own)
        for name in NAMES:
            assert getattr(symbol, name) == sum(getattr(each, name) for each in own)


@pytest.mark.parametrize("span_s", [600, 3600, 10_000, 1_000_000])
def test_points_are_what_their_rows_come_to_one_by_one(span_s: int) -> None:
    tally, rows = RunTally(), random_log(span_s, span_s)
    for each in rows:
        tally.add_rollup(each)
    longest, stretches = by_time(rows, 10)

    assert [point.at_unix_s for point in tally.report().over_time] == sorted(stretches)
    for point in tally.report().over_time:
        own = stretches[int(point.at_unix_s)]
        begin = min(each.at_unix_s - each.seconds for each in own)
        lasted = max(each.at_unix_s for each in own) - begin
        seconds = max(1.0, min(lasted, longest))
        assert [point.lag_p50_ms, point.lag_p99_ms] == quantiles_ms(own)
        assert point.lag_max_ms == max(max(each.lag_max_ms, each.oldest_age_ms) for each in own)
        assert point.depth_max == max(each.depth_max for each in own)
        assert point.handled_per_s == sum(each.handled for each in own) / seconds
        shed = sum(each.dropped + each.conflated + each.expired for each in own)
        assert point.shed_per_s == shed / seconds
