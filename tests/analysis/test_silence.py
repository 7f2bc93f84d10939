"""Whether a silent connection is quiet, half-open or stalled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import Rhythm, Silence, SilenceLimits, SilenceVerdict
from ticklane.messages import InvalidOption

SECOND_NS = 1_000_000_000
FINE, PROBE = SilenceVerdict.FINE, SilenceVerdict.PROBE
HALF_OPEN, STALLED = SilenceVerdict.HALF_OPEN, SilenceVerdict.STALLED


class Watched:
    """A connection's silence, looked at once a second."""

    def __init__(self, *, limit_s: float = 60.0, patience: int = 1, learnt: bool = False) -> None:
        self.now_s = 100
        rhythm = Rhythm()
        if learnt:
            for second in range(100 - 99, 101):
                rhythm.note(second * SECOND_NS)
        self.silence = Silence(self.now_s * SECOND_NS, limit_s, rhythm, patience, SilenceLimits())
        self.heard_s: int | None = None
        self.snapshots = 0

    def look(self, *, data: bool = False, pong: bool = False) -> SilenceVerdict:
        """Let a second pass, at the end of which a frame may come; judge."""
        self.now_s += 1
        if data or pong:
            self.heard_s = self.now_s
        self.snapshots += data
        heard_ns = None if self.heard_s is None else self.heard_s * SECOND_NS
        verdict = self.silence.look(self.now_s * SECOND_NS, heard_ns, self.snapshots)
        if verdict is PROBE:
            self.silence.probed(self.now_s * SECOND_NS)
        return verdict

    def looks(self, times: int) -> list[SilenceVerdict]:
        return [self.look() for _ in range(times)]


def test_a_connection_that_streams_is_fine() -> None:
    watched = Watched()

    assert {watched.look(data=True) for _ in range(100)} == {FINE}


def test_two_silent_seconds_are_probed_and_four_more_are_the_end() -> None:
    watched = Watched()
    watched.look(data=True)

    assert watched.looks(6) == [FINE, PROBE, FINE, FINE, FINE, HALF_OPEN]


def test_an_answer_is_any_frame_and_doubles_the_wait_for_the_next_probe() -> None:
    watched = Watched()
    watched.look(data=True)
    watched.looks(2)
    watched.look(pong=True)

    assert watched.looks(4) == [FINE, FINE, FINE, PROBE]


def test_data_makes_the_wait_for_a_probe_short_again() -> None:
    watched = Watched()
    watched.look(data=True)
    watched.looks(2)
    watched.look(data=True)

    assert watched.looks(2) == [FINE, PROBE]


def test_a_connection_that_brought_nothing_yet_is_not_probed_and_stalls_at_the_limit() -> None:
    assert Watched().looks(61) == [FINE] * 60 + [STALLED]


def test_while_the_rhythm_is_not_known_data_is_late_after_the_exchanges_limit() -> None:
    watched = Watched()
    watched.look(data=True)
    verdicts = [watched.look(pong=True) for _ in range(61)]

    assert verdicts.index(STALLED) == 60


def test_where_it_is_known_data_is_late_after_what_is_plausible() -> None:
    watched = Watched(learnt=True)
    for _ in range(50):
        watched.look(data=True)
    limit_s = watched.silence.rhythm.limit_s
    verdicts = [watched.look(pong=True) for _ in range(30)]

    assert limit_s == 10.0
    assert verdicts.index(STALLED) == 10


def test_patience_multiplies_every_wait_but_the_first_probes() -> None:
    watched = Watched(patience=4)
    watched.look(data=True)

    assert watched.looks(18) == [FINE, PROBE, *[FINE] * 15, HALF_OPEN]


def test_data_flows_when_it_comes_later_than_what_a_subscription_is_answered_with() -> None:
    watched = Watched(patience=8)
    watched.look(data=True)
    watched.look(data=True)
    early = (watched.silence.flows, watched.silence.patience)
    watched.look(data=True)

    assert early == (False, 8)
    assert (watched.silence.flows, watched.silence.patience) == (True, 1)


@given(st.lists(st.sampled_from(["data", "pong", ""]), max_size=80))
def test_a_connection_that_speaks_every_other_second_is_never_given_up(said: list[str]) -> None:
    watched = Watched(limit_s=1000.0)
    for what in said:
        verdicts = {
            watched.look(data=what == "data", pong=what == "pong"),
            watched.look(pong=True),
        }
        assert not verdicts & {HALF_OPEN, STALLED}


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_connection_that_vanishes_is_given_up_within_eight_seconds(said: list[bool]) -> None:
    watched = Watched(limit_s=1000.0)
    watched.look(data=True)
    watched.look(data=True)
    for data in said:
        watched.look(data=data, pong=not data)
    watched.look(data=True)

    assert HALF_OPEN in watched.looks(8)


@pytest.mark.parametrize("name", ["probe_after_s", "answer_within_s", "check_s"])
def test_limits_are_above_nothing(name: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        SilenceLimits(**{name: 0.0})
