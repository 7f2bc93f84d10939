from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ticklane.analysis import QueueDetector, QueueTick
from ticklane.messages import InvalidOption

IDLE = QueueTick(0.0, 0.0, 0, 0, 0.0)
AT_EASE = QueueTick(0.0, 0.0, 0, 50, 0.0)


def tick(
    least_ms: float = 1.0, most_ms: float = 2.0, depth: int = 3, handled: int = 50
) -> QueueTick:
    return QueueTick(least_ms, most_ms, depth, handled, 0.0)


def stuck(after_s: int) -> QueueTick:
    """Return the tick of a mailbox whose handler hangs."""
    return QueueTick(0.0, 0.0, 20 * after_s, 0, 1e3 * after_s)


def told(detector: QueueDetector, ticks: list[QueueTick]) -> list[str | None]:
    return [detector.update(each).kind for each in ticks]


def learnt(**thresholds: int) -> QueueDetector:
    """Return a detector that has seen two calm minutes."""
    detector = QueueDetector(thresholds=thresholds)
    assert told(detector, [tick()] * 120) == [None] * 120
    return detector


SPIKY = [tick(most_ms=400.0), *[tick()] * 4]


@pytest.mark.parametrize(
    ("kind", "ticks", "delay_s"),
    [
        ("stall", [stuck(1), stuck(2), stuck(3), stuck(4)], 2),
        ("lag", [tick(0.5, 1500.0)] * 11, 10),
        ("depth", [tick(depth=400, handled=50)], 0),
        ("standing", [tick(40.0, 60.0)] * 5, 4),
        ("spikes", SPIKY * 4, 15),
    ],
)
def test_a_fault_is_found_and_named(kind: str, ticks: list[QueueTick], delay_s: int) -> None:
    found = told(learnt(), ticks)

    assert found[: delay_s + 1] == [None] * delay_s + [kind]


@pytest.mark.parametrize("ticks", [[stuck(n) for n in range(1, 8)], [tick(40.0, 60.0)] * 8])
def test_it_ends_after_three_calm_ticks(ticks: list[QueueTick]) -> None:
    detector = learnt()
    told(detector, ticks)
    found = told(detector, [tick()] * 5)

    assert [kind is None for kind in found] == [False, False, True, True, True]
    assert detector.verdicts == ()


def test_a_verdict_says_what_was_measured_and_what_it_is_held_against() -> None:
    detector = learnt()
    calm = detector.update(tick())
    *_, standing = [detector.update(tick(40.0, 60.0)) for _ in range(5)]

    assert (calm.kind, calm.value) == (None, 1.0)
    assert (standing.kind, standing.value) == ("standing", 40.0)
    assert calm.threshold == standing.threshold == detector.threshold_ms
    assert 3.5 < detector.threshold_ms < 4.5


def test_all_that_is_anomalous_is_told_the_gravest_first() -> None:
    detector = learnt()
    for _ in range(11):
        verdict = detector.update(tick(1500.0, 1600.0, depth=900, handled=50))

    assert [each.kind for each in detector.verdicts] == ["lag", "depth", "standing"]
    assert verdict == detector.verdicts[0]


def test_a_stall_in_a_late_queue_does_not_end_its_lateness() -> None:
    detector = learnt()
    told(detector, [tick(40.0, 60.0)] * 5 + [stuck(n) for n in range(1, 5)])

    assert [each.kind for each in detector.verdicts] == ["stall", "standing"]


def test_nothing_is_learnt_while_it_fires() -> None:
    detector = learnt()
    before = detector.threshold_ms
    told(detector, [tick(40.0, 60.0)] * 1000)

    assert detector.threshold_ms == before
    assert detector.verdicts


def test_a_depth_that_drains_within_five_seconds_is_none() -> None:
    assert told(learnt(), [tick(depth=240, handled=50)]) == [None]


def test_a_depth_somebody_has_set_a_limit_to_is_judged_by_that() -> None:
    assert told(learnt(ws_queue_depth_max=100), [tick(depth=101, handled=500)]) == ["depth"]


def test_the_lag_rule_counts_as_told() -> None:
    assert told(learnt(ws_queue_lag_warn_max=2), [tick(0.5, 1500.0)] * 3) == [None, None, "lag"]


def test_a_mailbox_that_does_nothing_is_never_anomalous() -> None:
    assert told(QueueDetector(), [IDLE] * 500) == [None] * 500


def test_a_pause_ends_a_standing_queue() -> None:
    detector = learnt()
    found = told(detector, ([tick(40.0, 60.0)] * 4 + [IDLE]) * 5)

    assert found == [None] * 25


@pytest.mark.parametrize(
    ("ticks", "rests"),
    [
        ([], True),
        ([tick()], True),
        ([stuck(1)], False),
        ([tick(40.0)], False),
        ([tick(0, 1e4)], False),
    ],
)
def test_it_rests_where_a_tick_without_anything_would_change_nothing(
    ticks: list[QueueTick], rests: bool
) -> None:
    detector = learnt()
    told(detector, ticks)

    assert detector.resting is rests
    told(detector, [IDLE])
    assert detector.resting


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"lag": 1}, "named among ws_queue_lag_warn_max, ws_queue_depth_max, not 'lag'"),
        ({"ws_queue_depth_max": -1}, "ws_queue_depth_max must be a whole number, at least 0"),
    ],
)
def test_a_wrong_threshold_is_an_error(thresholds: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        QueueDetector(thresholds=thresholds)


calm_ticks = st.builds(
    lambda least_ms, more_ms, depth, handled, interval_s: QueueTick(
        least_ms, least_ms + more_ms, depth, handled, 0.0, interval_s
    ),
    st.floats(0.0, 500.0),
    st.floats(0.0, 500.0),
    st.integers(0, 100),
    st.integers(1, 10_000),
    st.floats(0.01, 60.0),
)


@settings(max_examples=40)
@given(calm_ticks, st.integers(1, 150))
def test_it_never_fires_on_ticks_that_are_all_the_same(each: QueueTick, ticks: int) -> None:
    detector = QueueDetector()

    assert not any(told(detector, [each] * ticks))


@given(
    st.lists(
        st.sampled_from(
            [tick(), tick(40.0, 60.0), tick(0.5, 400.0), IDLE, stuck(1), tick(depth=900, handled=9)]
        )
    )
)
def test_whatever_happened_a_calm_minute_ends_it(ticks: list[QueueTick]) -> None:
    detector = learnt()
    told(detector, ticks + [tick()] * 60)

    assert detector.verdicts == ()
    assert detector.resting


@given(
    st.lists(st.sampled_from([tick(), tick(40.0, 60.0), tick(0.5, 400.0), AT_EASE, stuck(1)])),
    st.integers(0, 100),
)
def test_being_at_ease_teaches_what_an_update_does(ticks: list[QueueTick], before: int) -> None:
    updated, eased = QueueDetector(), QueueDetector()
    for each in [tick()] * before + ticks:
        updated.update(each)
        if each is AT_EASE and eased.resting:
            eased.ease(each.interval_s)
        else:
            eased.update(each)

    assert eased == updated


@settings(max_examples=50)
@given(st.lists(calm_ticks, max_size=30), st.integers(1, 20))
def test_a_stall_is_found_in_four_ticks_whatever_came_before(
    ticks: list[QueueTick], depth: int
) -> None:
    detector = QueueDetector()
    told(detector, ticks)
    assume(not detector.verdicts)
    found = told(detector, [QueueTick(0.0, 0.0, depth, 0, 1e3 * n) for n in range(1, 5)])

    assert found[:2] == [None, None]
    assert found[3] == "stall"
