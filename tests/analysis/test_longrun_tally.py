import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import LongrunReport, LongrunTally

MEASURES = {
    "loop_time_ms": "loop_time_stats",
    "trades_opened": "trades_opened_stats",
    "spread_bps": "spread_bps_stats",
    "ws_latency_ms": "ws_latency_stats",
    "ws_queue_lag_ms": "ws_queue_lag_stats",
}
COUNTS = (
    "snapshot_none",
    "guard_rejected",
    "guard_stop",
    "error_log",
    "warning_log",
    "ws_reconnect",
    "ws_message_gap",
)


def report_of(*entries: object) -> LongrunReport:
    tally = LongrunTally()
    for entry in entries:
        tally.add(entry)
    return tally.report("S1")


@pytest.mark.parametrize(("field", "stats"), MEASURES.items())
def test_a_measure_goes_to_its_statistics(field: str, stats: str) -> None:
    found = getattr(report_of({field: 10}, {field: 30}), stats)

    assert (found.count, found.mean, found.min, found.max, found.stddev) == (2, 20, 10, 30, 10)


@pytest.mark.parametrize("field", COUNTS)
def test_true_counts_as_one_and_a_number_as_itself(field: str) -> None:
    report = report_of({field: True}, {field: False}, {field: 3}, {field: 2.0})

    assert getattr(report, f"{field}_count") == 6


def test_trades_are_summed_over_the_run() -> None:
    assert report_of({"trades_opened": 2}, {"trades_opened": 0}, {}).trades_opened_total == 2


def test_trades_and_memory_that_no_entry_tells_of_are_unknown() -> None:
    report = report_of({"loop_time_ms": 1})

    assert (report.trades_opened_total, report.memory_increase_mb) == (None, None)


def test_memory_increase_is_from_the_first_to_the_greatest() -> None:
    report = report_of({"memory_mb": 50}, {"memory_mb": 40}, {"memory_mb": 75.5}, {"memory_mb": 60})

    assert report.memory_increase_mb == 25.5


@pytest.mark.parametrize(
    ("latency_ms", "warns", "errors"), [(500, 0, 0), (500.1, 1, 0), (2000, 1, 0), (2000.1, 0, 1)]
)
def test_a_latency_counts_as_a_warning_or_an_error(
    latency_ms: float, warns: int, errors: int
) -> None:
    report = report_of({"ws_latency_ms": latency_ms})

    assert (report.ws_latency_warn_count, report.ws_latency_error_count) == (warns, errors)


@pytest.mark.parametrize(("lag_ms", "warns"), [(1000, 0), (1000.5, 1)])
def test_a_queue_lag_over_a_second_counts_as_a_warning(lag_ms: float, warns: int) -> None:
    assert report_of({"ws_queue_lag_ms": lag_ms}).ws_queue_lag_warn_count == warns


def test_the_greatest_depth_and_lag_are_kept() -> None:
    report = report_of({"ws_queue_depth": 7, "ws_queue_lag_ms": 12.5}, {"ws_queue_depth": 3})

    assert (report.ws_queue_depth_max, report.ws_queue_lag_ms_max) == (7, 12.5)


@pytest.mark.parametrize("bad", [None, "12", math.nan, math.inf, -math.inf, [1], 10**400, 1e200])
@pytest.mark.parametrize("field", [*MEASURES, *COUNTS, "ws_queue_depth", "memory_mb", "timestamp"])
def test_a_value_that_is_no_number_is_ignored_and_counted(field: str, bad: object) -> None:
    report = report_of({field: bad})

    assert report.ignored_values == 1
    assert report == report_of({"timestamp": None})


@pytest.mark.parametrize("bad", [-1, 0.5])
def test_a_count_is_whole_and_not_negative(bad: object) -> None:
    assert report_of({"error_log": bad}).ignored_values == 1


def test_a_truth_value_is_no_measure() -> None:
    assert report_of({"loop_time_ms": True}).ignored_values == 1


@pytest.mark.parametrize("broken", [None, 3, "text", [("loop_time_ms", 1)]])
def test_an_entry_that_is_no_dict_is_skipped_and_counted(broken: object) -> None:
    report = report_of(broken, {"loop_time_ms": 1})

    assert (report.entries, report.broken_entries) == (1, 1)


def test_a_field_nobody_asked_for_is_not_looked_at() -> None:
    assert report_of({"mood": None}).ignored_values == 0


@pytest.mark.parametrize(
    "stamp",
    [
        1_700_000_000,
        1_700_000_000.0,
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20",
        "2023-11-15T07:13:20+09:00",
    ],
)
def test_a_time_stamp_is_unix_seconds_or_iso_8601(stamp: object) -> None:
    assert report_of({"timestamp": stamp}).start_time == 1_700_000_000


@pytest.mark.parametrize("stamp", ["yesterday", "", -1, 1_700_000_000_000, True, "0001-01-01"])
def test_what_is_no_time_of_this_age_is_ignored(stamp: object) -> None:
    report = report_of({"timestamp": stamp})

    assert (report.start_time, report.ignored_values) == (None, 1)


def test_the_run_lasts_from_the_earliest_to_the_latest_entry() -> None:
    report = report_of({"timestamp": 160}, {"timestamp": 100}, {"timestamp": 130})

    assert (report.start_time, report.end_time, report.duration_minutes) == (100, 160, 1)


def test_a_run_without_time_stamps_has_no_duration() -> None:
    report = report_of({"loop_time_ms": 1})

    assert (report.start_time, report.end_time, report.duration_minutes) == (None, None, 0)


def test_a_report_stays_as_it_was_when_more_is_added() -> None:
    tally = LongrunTally()
    tally.add({"loop_time_ms": 1})
    report = tally.report("S1")
    tally.add({"loop_time_ms": 3})

    assert (report.loop_time_stats.count, tally.report("S1").loop_time_stats.count) == (1, 2)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none())
)
fields = st.sampled_from([*MEASURES, *COUNTS, "ws_queue_depth", "memory_mb", "timestamp", "other"])


@given(st.lists(st.one_of(st.dictionaries(fields, anything), anything), max_size=20))
def test_whatever_an_entry_holds_it_is_counted_and_no_error(entries: list[Any]) -> None:
    report = report_of(*entries)

    assert report.entries + report.broken_entries == len(entries)
    assert math.isfinite(report.loop_time_stats.stddev)


@given(st.lists(st.fixed_dictionaries({name: st.integers(0, 9) for name in COUNTS}), max_size=20))
def test_counts_are_plain_sums(entries: list[Any]) -> None:
    report = report_of(*entries)

    for name in COUNTS:
        assert getattr(report, f"{name}_count") == sum(entry[name] for entry in entries)


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_iso_time_stamp_is_read_as_it_was_written(time: datetime) -> None:
    assert report_of({"timestamp": time.isoformat()}).start_time == time.timestamp()
