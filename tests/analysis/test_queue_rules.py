from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import QueueRules
from ticklane.messages import AnomalyState, InvalidOption, QueueTick, Severity

RAISED, CLEARED = AnomalyState.RAISED, AnomalyState.CLEARED


def tick(lag_ms: float = 0.0, depth: int = 0, oldest_ms: float = 0.0) -> QueueTick:
    return QueueTick(0.0, lag_ms, depth, 1, oldest_ms)


def told(rules: QueueRules, ticks: list[QueueTick]) -> list[tuple[int, str, AnomalyState]]:
    alerts = [
        (at, alert) for at, each in enumerate(ticks) for alert in rules.update(each, float(at))
    ]
    return [(at, alert.kind, alert.state) for at, alert in alerts]


def test_ten_late_ticks_in_a_row_are_allowed() -> None:
    assert told(QueueRules("upbit:KRW-BTC"), [tick(1001)] * 10) == []


def test_the_eleventh_late_tick_in_a_row_raises_once() -> None:
    rules = QueueRules("upbit:KRW-BTC")

    assert told(rules, [tick(1001)] * 30) == [(10, "WS_QUEUE_LAG", RAISED)]


def test_a_lag_of_exactly_a_second_is_not_late() -> None:
    assert told(QueueRules("upbit:KRW-BTC"), [tick(1000)] * 30) == []


def test_a_total_stall_is_late_by_its_oldest() -> None:
    rules = QueueRules("upbit:KRW-BTC")

    assert told(rules, [tick(oldest_ms=1500)] * 11) == [(10, "WS_QUEUE_LAG", RAISED)]


def test_one_good_tick_begins_the_count_again() -> None:
    assert told(QueueRules("upbit:KRW-BTC"), ([tick(1001)] * 10 + [tick()]) * 3) == []


def test_three_ticks_on_time_clear_the_lag_once() -> None:
    rules = QueueRules("upbit:KRW-BTC", ws_queue_lag_warn_max=0)

    assert told(rules, [tick(1001)] + [tick()] * 9) == [
        (0, "WS_QUEUE_LAG", RAISED),
        (3, "WS_QUEUE_LAG", CLEARED),
    ]


def test_a_late_tick_between_keeps_the_lag_open() -> None:
    rules = QueueRules("upbit:KRW-BTC")
    told(rules, [tick(1001)] * 11 + [tick(), tick(), tick(1001), tick(), tick()])

    assert [alert.kind for alert in rules.open] == ["WS_QUEUE_LAG"]


def test_a_hundred_waiting_are_allowed() -> None:
    assert told(QueueRules("upbit:KRW-BTC"), [tick(depth=100)]) == []


def test_a_depth_over_a_hundred_raises_and_clears_once() -> None:
    rules = QueueRules("upbit:KRW-BTC")

    assert told(rules, [tick(depth=101)] * 5 + [tick()] * 9) == [
        (0, "WS_QUEUE_DEPTH", RAISED),
        (7, "WS_QUEUE_DEPTH", CLEARED),
    ]


def test_an_alert_says_what_it_is_and_what_to_look_at() -> None:
    (alert,) = QueueRules("upbit:KRW-BTC").update(tick(depth=250), 17.0)

    assert alert.message == (
        "upbit:KRW-BTC had 250 snapshots waiting, over 100: "
        "look for a slow handler or a burst from the exchange"
    )
    assert (alert.key, alert.severity) == ("upbit:KRW-BTC", Severity.WARN)
    assert (alert.value, alert.threshold, alert.since_unix_s) == (250, 100, 17.0)


def test_the_alert_of_a_lag_says_how_late() -> None:
    rules = QueueRules("upbit:KRW-BTC", ws_queue_lag_warn_max=1)
    rules.update(tick(1500), 0.0)
    (alert,) = rules.update(tick(2500), 1.0)

    assert alert.message == (
        "upbit:KRW-BTC is 2500 ms late, over 1000 ms for 2 ticks in a row: "
        "look at what its handler waits for"
    )
    assert (alert.value, alert.threshold) == (2500, 1000)


def test_a_cleared_alert_remembers_since_when() -> None:
    rules = QueueRules("upbit:KRW-BTC")
    rules.update(tick(depth=101), 7.0)
    alerts = [alert for at in (8.0, 9.0, 10.0) for alert in rules.update(tick(depth=4), at)]

    assert [(alert.since_unix_s, alert.value) for alert in alerts] == [(7.0, 4)]
    assert alerts[0].message == "upbit:KRW-BTC has few snapshots waiting again: at most 4"


def test_open_holds_what_is_raised_and_not_cleared() -> None:
    rules = QueueRules("upbit:KRW-BTC", ws_queue_lag_warn_max=0)
    raised = rules.update(tick(lag_ms=1001, depth=101), 0.0)

    assert rules.open == raised
    told(rules, [tick()] * 3)
    assert rules.open == ()


@pytest.mark.parametrize("name", ["ws_queue_lag_warn_max", "ws_queue_depth_max"])
@pytest.mark.parametrize("bad", [-1, 1.5, True, None])
def test_thresholds_are_whole_numbers(name: str, bad: Any) -> None:
    with pytest.raises(InvalidOption, match=name):
        QueueRules("upbit:KRW-BTC", **{name: bad})


def model(bad: list[bool], needed: int) -> list[bool]:
    """Say, tick by tick, whether an alert is open, from the history of bad ticks."""
    is_open, states = False, []
    for at in range(len(bad)):
        past = bad[: at + 1]
        if not is_open:
            is_open = len(past) >= needed and all(past[-needed:])
        elif len(past) >= 3 and not any(past[-3:]):
            is_open = False
        states.append(is_open)
    return states


@given(
    ticks=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60), allowed=st.integers(0, 4)
)
def test_what_is_open_agrees_with_the_history(ticks: list[tuple[bool, bool]], allowed: int) -> None:
    rules = QueueRules("upbit:KRW-BTC", ws_queue_lag_warn_max=allowed)
    is_open = []
    for late, deep in ticks:
        rules.update(tick(1001 if late else 0, 101 if deep else 0), 0.0)
        is_open.append({alert.kind for alert in rules.open})

    expect_late = model([late for late, _ in ticks], allowed + 1)
    expect_deep = model([deep for _, deep in ticks], 1)
    assert ["WS_QUEUE_LAG" in kinds for kinds in is_open] == expect_late
    assert ["WS_QUEUE_DEPTH" in kinds for kinds in is_open] == expect_deep


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_raises_and_clears_alternate(ticks: list[tuple[bool, bool]]) -> None:
    rules = QueueRules("upbit:KRW-BTC", ws_queue_lag_warn_max=2)
    states = told(rules, [tick(1001 if late else 0, 101 if deep else 0) for late, deep in ticks])

    for kind in ("WS_QUEUE_LAG", "WS_QUEUE_DEPTH"):
        own = [state for _, each, state in states if each == kind]
        assert own == ([RAISED, CLEARED] * len(own))[: len(own)]
