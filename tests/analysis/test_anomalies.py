"""What is wrong now, as a host is told."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Anomalies
from ticklane.messages import AnomalyAlert, AnomalyState, Severity

KEY = "upbit:KRW-BTC"
RAISED = AnomalyAlert(
    kind="QUEUE_STALL", severity=Severity.WARN, message="look", key=KEY, value=1.0, since_unix_s=5.0
)
CLEARED = attrs.evolve(RAISED, state=AnomalyState.CLEARED)


def told(anomalies: Anomalies, *alerts: AnomalyAlert, now_s: float = 0.0) -> list[AnomalyAlert]:
    """Note all at one time; return what is told."""
    return [each for alert in alerts for each in anomalies.note(alert, now_s, 1000.0 + now_s)]


def test_an_anomaly_is_told_as_it_comes_and_goes() -> None:
    anomalies = Anomalies()

    assert told(anomalies, RAISED, CLEARED) == [RAISED, CLEARED]


def test_it_is_open_in_between() -> None:
    anomalies = Anomalies()
    told(anomalies, RAISED)
    between = anomalies.open
    told(anomalies, CLEARED)

    assert between == (RAISED,)
    assert anomalies.open == ()


def test_raised_again_with_another_value_it_has_changed_since_it_came() -> None:
    again = attrs.evolve(RAISED, value=2.0, since_unix_s=9.0)
    changed = attrs.evolve(RAISED, value=2.0, state=AnomalyState.CHANGED)

    assert told(Anomalies(), RAISED, again) == [RAISED, changed]


def test_raised_again_as_it_was_it_is_not_told() -> None:
    assert told(Anomalies(), RAISED, RAISED, RAISED) == [RAISED]


def test_what_is_not_open_does_not_clear() -> None:
    assert told(Anomalies(), CLEARED) == []


def test_one_that_comes_and_goes_too_often_becomes_one_that_flaps() -> None:
    anomalies = Anomalies()
    kinds = [alert.kind for alert in told(anomalies, *[RAISED, CLEARED] * 20)]

    assert kinds == ["QUEUE_STALL"] * 6 + ["FLAPPING"]
    assert [alert.kind for alert in anomalies.open] == ["FLAPPING"]


def test_flapping_names_the_kind_that_flaps_and_since_when() -> None:
    *_, flapping = told(Anomalies(), *[RAISED, CLEARED] * 3)

    assert flapping.key == KEY
    assert flapping.since_unix_s == 1000.0
    assert (flapping.value, flapping.threshold) == (6.0, 5.0)
    assert flapping.message.startswith("QUEUE_STALL of upbit:KRW-BTC came and went more than 5 ")


def test_when_it_has_calmed_down_flapping_clears_and_what_is_wrong_is_raised() -> None:
    anomalies = Anomalies()
    told(anomalies, *[RAISED, CLEARED] * 5, RAISED)
    before, after = anomalies.tick(599.0, 0.0), anomalies.tick(600.0, 0.0)

    assert before == ()
    assert [(alert.kind, alert.state) for alert in after] == [
        ("FLAPPING", AnomalyState.CLEARED),
        ("QUEUE_STALL", AnomalyState.RAISED),
    ]
    assert anomalies.open == (RAISED,)


def test_two_kinds_that_flap_on_one_key_are_one_anomaly() -> None:
    anomalies = Anomalies()
    other = [attrs.evolve(each, kind="QUEUE_SPIKES") for each in (RAISED, CLEARED)]
    alerts = told(anomalies, *[RAISED, CLEARED, *other] * 10)

    assert [alert.kind for alert in alerts].count("FLAPPING") == 1
    assert [alert.kind for alert in anomalies.open] == ["FLAPPING"]


def test_one_that_flaps_mutes_no_other_key() -> None:
    anomalies = Anomalies()
    told(anomalies, *[RAISED, CLEARED] * 10)
    elsewhere = attrs.evolve(RAISED, key="upbit:KRW-ETH")

    assert told(anomalies, elsewhere) == [elsewhere]


CLOSE = attrs.evolve(CLEARED, value=71.0, threshold=100.0)


def test_an_end_close_to_the_threshold_is_believed_after_a_while() -> None:
    anomalies = Anomalies()
    first = told(anomalies, RAISED, CLOSE)

    open_then, *ticks = anomalies.open, anomalies.tick(9.9, 0.0), anomalies.tick(10.0, 0.0)

    assert first == [RAISED]
    assert [open_then, *ticks, anomalies.open] == [(RAISED,), (), (CLOSE,), ()]


def test_one_that_comes_back_in_that_while_has_not_ended() -> None:
    anomalies = Anomalies()

    assert told(anomalies, RAISED, CLOSE, RAISED) == [RAISED]
    assert anomalies.tick(100.0, 0.0) == ()


def test_an_end_far_below_the_threshold_is_believed_at_once() -> None:
    end = attrs.evolve(CLOSE, value=70.0)

    assert told(Anomalies(), RAISED, CLOSE, end) == [RAISED, end]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.sampled_from([*AnomalyState]),
        st.floats(0.0, 300.0),
        st.sampled_from([0.0, 0.9, 2.0]),
    ),
    max_size=80,
)


@given(STEPS)
def test_whatever_happens_each_is_raised_then_cleared_and_few_times(
    steps: list[tuple[str, AnomalyState, float, float]],
) -> None:
    anomalies, now_s = Anomalies(), 0.0
    open_now: set[tuple[str, str | None]] = set()
    raised: dict[tuple[str, str | None], list[float]] = {}
    for kind, state, pause_s, value in steps:
        now_s += pause_s
        alert = attrs.evolve(RAISED, kind=kind, state=state, value=value, threshold=1.0)
        for each in (*anomalies.tick(now_s, now_s), *anomalies.note(alert, now_s, now_s)):
            identity = each.kind, each.key
            if each.state is AnomalyState.RAISED:
                assert identity not in open_now
                open_now.add(identity)
                raised.setdefault(identity, []).append(now_s)
            else:
                assert identity in open_now
                if each.state is AnomalyState.CLEARED:
                    open_now.remove(identity)

        assert {(each.kind, each.key) for each in anomalies.open} == open_now
    for times in raised.values():
        assert all(sum(at - 600.0 < each <= at for each in times) <= 7 for at in times)
