"""What receivers of alerts hear of, when, and how often."""

from __future__ import annotations

from collections import deque

import attrs
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ticklane.analysis import AlertRules, AlertSettings, Outbox
from ticklane.messages import AlertNotice, AnomalyAlert, AnomalyState, Severity

UNIX_S = 1_700_000_000.0
KEY = "upbit:KRW-BTC"


def anomaly(
    kind: str = "QUEUE_STANDING", key: str = KEY, state: AnomalyState = AnomalyState.RAISED
) -> AnomalyAlert:
    return AnomalyAlert(
        kind=kind, severity=Severity.WARN, message=f"look at {key}", key=key, state=state
    )


class Told:
    """Rules asked once a second, and what they said: after how many seconds, of what, how."""

    def __init__(self, rules: AlertRules) -> None:
        self.rules = rules
        self.now_s = 0.0
        self.notices: list[AlertNotice] = []

    def note(self, *anomalies: AnomalyAlert) -> None:
        for each in anomalies:
            self.rules.note(each, self.now_s, UNIX_S + self.now_s)

    def clear(self, kind: str = "QUEUE_STANDING", key: str = KEY) -> None:
        self.note(anomaly(kind, key, AnomalyState.CLEARED))

    def wait(self, seconds: int) -> list[tuple[float, str, str]]:
        """Let time pass; return when what was said to whom in it: second, status, kind."""
        said = []
        for _ in range(seconds):
            self.now_s += 1
            for notice in self.rules.tick(self.now_s, UNIX_S + self.now_s):
                self.notices.append(notice)
                status = "resolved" if notice.resolved else "firing"
                said.append((self.now_s, status, notice.kind))
        return said


@pytest.fixture
def told() -> Told:
    return Told(AlertRules())


def test_an_anomaly_is_told_when_it_has_lasted_and_its_group_has_waited(told: Told) -> None:
    told.note(anomaly())

    assert told.wait(30) == [(8.0, "firing", "QUEUE_STANDING")]


def test_an_anomaly_that_passes_is_not_told(told: Told) -> None:
    told.note(anomaly())
    told.wait(2)
    told.clear()

    assert told.wait(600) == []


def test_a_stall_does_not_wait_to_last(told: Told) -> None:
    told.note(anomaly("QUEUE_STALL"))

    assert told.wait(30) == [(6.0, "firing", "QUEUE_STALL")]


def test_an_alert_goes_on_for_a_while_after_its_anomaly(told: Told) -> None:
    told.note(anomaly())
    told.wait(100)
    told.clear()

    assert told.wait(100) == [(165.0, "resolved", "QUEUE_STANDING")]


def test_an_anomaly_that_comes_back_in_that_while_never_went(told: Told) -> None:
    told.note(anomaly())
    told.wait(100)
    told.clear()
    told.wait(30)
    told.note(anomaly())

    assert told.wait(400) == []


def test_an_alert_that_goes_on_is_repeated(told: Told) -> None:
    told.note(anomaly())

    assert [at for at, _, _ in told.wait(1300)] == [8.0, 608.0, 1208.0]


def test_alerts_of_a_kind_and_an_exchange_share_a_notice(told: Told) -> None:
    told.note(*(anomaly(key=f"upbit:{symbol}") for symbol in "ABC"), anomaly(key="binance:A"))
    told.wait(30)

    assert [(notice.exchange, len(notice.alerts)) for notice in told.notices] == [
        ("upbit", 3),
        ("binance", 1),
    ]


def test_news_of_a_group_waits_for_its_interval(told: Told) -> None:
    told.note(anomaly(key="upbit:A"))
    told.wait(10)
    told.note(anomaly(key="upbit:B"))

    assert told.wait(100) == [(68.0, "firing", "QUEUE_STANDING")]
    assert len(told.notices[-1].alerts) == 2


def test_who_resolves_is_named_beside_those_who_fire(told: Told) -> None:
    told.note(anomaly(key="upbit:A"), anomaly(key="upbit:B"))
    told.wait(30)
    told.clear(key="upbit:A")
    told.wait(120)

    assert [
        (alert.anomaly.key, alert.starts_unix_s, alert.ends_unix_s)
        for alert in told.notices[-1].alerts
    ] == [("upbit:B", UNIX_S, None), ("upbit:A", UNIX_S, UNIX_S + 90)]


@pytest.mark.parametrize("kind", ["FEED_LOST", "FEED_SILENT"])
def test_a_lost_feed_mutes_the_symbols_of_its_exchange(told: Told, kind: str) -> None:
    told.note(anomaly(kind, "upbit"), anomaly(), anomaly("QUEUE_SPIKES"))
    told.wait(300)

    assert [notice.kind for notice in told.notices] == [kind]


def test_a_lost_feed_mutes_its_own_silence(told: Told) -> None:
    told.note(anomaly("FEED_SILENT", "upbit#2"), anomaly("FEED_LOST", "upbit#2"))
    told.wait(300)

    assert [notice.kind for notice in told.notices] == ["FEED_LOST"]


def test_a_lost_feed_mutes_no_other_exchange_and_no_stall(told: Told) -> None:
    told.note(anomaly("FEED_LOST", "upbit"), anomaly("QUEUE_STALL"), anomaly(key="binance:A"))
    told.wait(30)

    assert {notice.kind for notice in told.notices} == {
        "FEED_LOST",
        "QUEUE_STALL",
        "QUEUE_STANDING",
    }


def test_what_was_muted_is_told_if_it_outlasts_the_reason(told: Told) -> None:
    told.note(anomaly("FEED_LOST", "upbit"), anomaly())
    told.wait(100)
    told.clear("FEED_LOST", "upbit")

    assert (165.0, "firing", "QUEUE_STANDING") in told.wait(300)


def test_the_end_of_what_was_told_is_told_although_it_is_muted(told: Told) -> None:
    told.note(anomaly())
    told.wait(30)
    told.note(anomaly("FEED_LOST", "upbit"))
    told.clear()

    assert "resolved" in {status for _, status, kind in told.wait(300) if kind == "QUEUE_STANDING"}


def test_an_anomaly_of_the_whole_run_is_told_too(told: Told) -> None:
    whole = attrs.evolve(anomaly("RUN_LOG"), key=None)
    told.note(whole)
    told.wait(30)

    assert [alert.anomaly for alert in told.notices[0].alerts] == [whole]


def test_what_receivers_know_to_fire_is_there_to_remind_them_of(told: Told) -> None:
    told.note(anomaly())
    before = told.rules.firing(UNIX_S)
    told.wait(30)
    now = told.rules.firing(UNIX_S + 30)

    assert before is None
    assert now is not None
    assert [alert.anomaly for alert in now.alerts] == [anomaly()]


KINDS = ("FEED_LOST", "QUEUE_STANDING", "QUEUE_STALL")
EXCHANGES = ("upbit", "binance")
QUEUE_HOLDS = 6


class Receiving(RuleBasedStateMachine):
    """A receiver that is sometimes down, told by rules of anomalies that come and go."""

    @initialize(
        for_s=st.integers(0, 4),
        keep_firing_s=st.integers(0, 15),
        group_wait_s=st.integers(0, 5),
        group_interval_s=st.integers(5, 30),
        repeat_s=st.integers(40, 90),
    )
    def start(self, **options: int) -> None:
        self.options = AlertSettings(**options)  # type: ignore[arg-type]
        self.alerts = AlertRules(self.options)
        self.outbox: Outbox[AlertNotice] = Outbox(QUEUE_HOLDS)
        self.now_s = self.retry_s = 1000.0
        self.up = True
        self.there: dict[tuple[str, str], float] = {}
        """What is wrong, and since when."""
        self.gone: dict[tuple[str, str], float] = {}
        self.put = self.most_waiting = 0
        self.got: list[AlertNotice] = []
        self.told_at: dict[tuple[str, str], deque[float]] = {}

    @rule(kind=st.sampled_from(KINDS), exchange=st.sampled_from(EXCHANGES), n=st.integers(1, 2))
    def come_or_go(self, kind: str, exchange: str, n: int) -> None:
        key = exchange if kind == "FEED_LOST" else f"{exchange}:{n}"
        if (kind, key) in self.there:
            self._clear(kind, key)
        else:
            self.there[kind, key] = self.now_s
            self.alerts.note(anomaly(kind, key), self.now_s, UNIX_S + self.now_s)

    @rule(kind=st.sampled_from(KINDS), exchange=st.sampled_from(EXCHANGES))
    def say_again(self, kind: str, exchange: str) -> None:
        key = exchange if kind == "FEED_LOST" else f"{exchange}:1"
        state = AnomalyState.CHANGED if (kind, key) in self.there else AnomalyState.CLEARED
        self.alerts.note(anomaly(kind, key, state), self.now_s, UNIX_S + self.now_s)

    @rule(up=st.booleans())
    def go_up_or_down(self, up: bool) -> None:
        self.up = up

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1
            for notice in self.alerts.tick(self.now_s, UNIX_S + self.now_s):
                self._check_pace(notice)
                self._check_muted(notice)
                self.outbox.put(notice)
                self.put += 1
            self.most_waiting = max(self.most_waiting, len(self.outbox))
            self._deliver()
            self._check_told()

    @invariant()
    def nothing_is_lost_while_the_queue_holds_it(self) -> None:
        assert len(self.got) + len(self.outbox) + self.outbox.dropped == self.put
        if self.most_waiting <= QUEUE_HOLDS:
            assert self.outbox.dropped == 0

    @invariant()
    def nothing_begins_twice_without_an_end(self) -> None:
        if self.outbox.dropped:
            return
        for starts in self._starts():
            assert len(starts) <= 1

    def teardown(self) -> None:
        if not hasattr(self, "alerts"):
            return
        for kind, key in [*self.there]:
            self._clear(kind, key)
        self.up = True
        self.wait(200)
        if not self.outbox.dropped:
            assert all(not starts for starts in self._starts())
        assert self.alerts.firing(UNIX_S) is None

    def _clear(self, kind: str, key: str) -> None:
        del self.there[kind, key]
        self.gone[kind, key] = self.now_s
        cleared = anomaly(kind, key, AnomalyState.CLEARED)
        self.alerts.note(cleared, self.now_s, UNIX_S + self.now_s)

    def _deliver(self) -> None:
        if self.now_s >= self.retry_s:
            self.outbox.wake()
        while (notice := self.outbox.take()) is not None:
            if not self.up:
                self.retry_s = self.now_s + self.outbox.fail(self.now_s, 0.0)
                return
            self.got.append(notice)
            self.outbox.settle()

    def _starts(self) -> list[set[float]]:
        """Return for each alert the beginnings told since its last end."""
        starts: dict[tuple[str, str | None], set[float]] = {}
        for alert in (alert for notice in self.got for alert in notice.alerts):
            of = starts.setdefault((alert.anomaly.kind, alert.anomaly.key), set())
            if alert.resolved:
                assert of == {alert.starts_unix_s}
                of.clear()
            else:
                of.add(alert.starts_unix_s)
        return [*starts.values()]

    def _check_pace(self, notice: AlertNotice) -> None:
        """At most one notice an interval, whatever happens."""
        told = self.told_at.setdefault((notice.kind, notice.exchange), deque(maxlen=2))
        told.append(self.now_s)
        assert len(told) == 1 or told[1] - told[0] >= self.options.group_interval_s

    def _check_muted(self, notice: AlertNotice) -> None:
        since = self.there.get(("FEED_LOST", notice.exchange), self.now_s)
        if notice.kind == "QUEUE_STANDING" and self.now_s - since >= self.options.for_s + 1:
            assert notice.resolved

    def _check_told(self) -> None:
        """What lasts long enough is told, unless a feed was lost lately."""
        s = self.options
        patience_s = s.for_s + s.group_wait_s + s.group_interval_s + 2
        fires = self.alerts.firing(UNIX_S)
        firing = {(a.anomaly.kind, a.anomaly.key) for a in fires.alerts} if fires else set()
        for (kind, key), since in self.there.items():
            lost = ("FEED_LOST", key.partition(":")[0])
            quiet_s = self.now_s - self.gone.get(lost, -1000.0) - s.keep_firing_s
            muted = kind == "QUEUE_STANDING" and (lost in self.there or quiet_s < patience_s)
            if self.now_s - since >= patience_s and not muted:
                assert (kind, key) in firing


TestReceiving = Receiving.TestCase
TestReceiving.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
