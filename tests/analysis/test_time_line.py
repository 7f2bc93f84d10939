"""A run over time, in few points."""

from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LagHistogram, TimeLine, pack_lags, spread_lags
from ticklane.messages import Rollup


def row(at_unix_s: float, lag_ns: int = 1_000_000, key: str = "x:A", **counts: int) -> Rollup:
    lags = LagHistogram()
    for _ in range(counts.get("handled", 0)):
        lags.record(lag_ns)
    names = ("offered", "handled", "failed", "dropped", "conflated", "expired", "rejected")
    numbers = (counts.get(name, 0) for name in (*names, "restarts", "depth_max"))
    lag_ms = lags.greatest / 1e6
    return Rollup._make(
        (at_unix_s, 10.0, key, *numbers, 0.0, lag_ms, lag_ms, lag_ms, lag_ms, pack_lags(lags))
    )


def line(*rows: Rollup) -> TimeLine:
    result = TimeLine()
    for each in rows:
        result.add_rollup(each, spread_lags(each.lags))
    return result


def test_rows_of_the_same_ten_seconds_are_one_point() -> None:
    rows = (row(110.0, handled=20, depth_max=3), row(110.0, key="x:B", handled=30, depth_max=7))
    (point,) = line(*rows).points()

    assert (point.at_unix_s, point.depth_max, point.handled_per_s) == (100, 7, 5.0)


def test_shed_is_what_was_lost_and_not_what_was_rejected() -> None:
    (point,) = line(row(110.0, dropped=1, conflated=2, expired=3, rejected=50)).points()

    assert point.shed_per_s == 0.6


def test_lags_of_all_symbols_are_merged_before_quantiles_are_taken() -> None:
    (point,) = line(row(110.0, 10, handled=98), row(110.0, 10**13, handled=2)).points()

    assert point.lag_p50_ms == 10e-6
    assert point.lag_p99_ms is not None
    assert point.lag_p99_ms > 1000


def test_a_log_without_rollups_tells_depth_and_greatest_lag_only() -> None:
    entries = TimeLine()
    entries.add_entry(101.0, 5, 12.0)
    entries.add_entry(102.0, 3, 40.0)
    (point,) = entries.points()

    assert (point.depth_max, point.lag_max_ms) == (5, 40.0)
    assert (point.lag_p50_ms, point.handled_per_s) == (None, None)


def test_the_first_stretch_counts_for_as_long_as_it_was() -> None:
    short = row(102.0, handled=30)._replace(seconds=2.0)
    (point,) = line(short).points()

    assert point.handled_per_s == 15.0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 100)), min_size=1))
def test_however_long_the_run_points_are_few_and_nothing_is_lost(
    rows: list[tuple[int, int]],
) -> None:
    result = TimeLine()
    for second, depth in rows:
        result.add_entry(float(second), depth, float(depth))
    points = result.points()

    assert len(points) <= 360
    assert max(point.depth_max for point in points) == max(depth for _, depth in rows)
    assert [point.at_unix_s for point in points] == sorted(point.at_unix_s for point in points)
