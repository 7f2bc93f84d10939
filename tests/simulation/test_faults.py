"""Every fault, by itself in a world: what it raises, how soon, and how soon that is over."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from ticklane import Feed
from ticklane.messages import AnomalyAlert, AnomalyState, InvalidOption, Totals
from ticklane.simulation import (
    FAULTS,
    Burst,
    ClockDrift,
    ClockJump,
    CorruptFrame,
    Disconnect,
    Duplicate,
    Fault,
    Gap,
    HalfOpen,
    HandlerCrash,
    PoisonMessage,
    RateLimit,
    RejectSubscription,
    Reorder,
    Shutdown,
    SlowDisk,
    SlowHandler,
    Stall,
    World,
    WorldScene,
    play,
)

AT = 70.0
WRONG: Any = 7
UPBIT, BYBIT = "upbit:KRW-BTC", "bybit:BTCUSDT"
FEEDS = (Feed("upbit", ["KRW-BTC", "KRW-ETH"]), Feed("bybit", ["BTCUSDT"]))


@attrs.define
class Seen:
    """What was told of a run with one fault, and when, in seconds from the fault on."""

    fault: Fault
    scene: WorldScene
    raised: dict[tuple[str, str | None], float] = attrs.field(factory=dict)
    cleared: dict[tuple[str, str | None], float] = attrs.field(factory=dict)
    totals: Totals = attrs.field(factory=Totals)

    def note(self, alert: AnomalyAlert) -> None:
        since_s = self.scene.now_s - self.fault.at_s
        if alert.state is AnomalyState.CLEARED:
            self.cleared[alert.kind, alert.key] = since_s
        elif alert.state is AnomalyState.RAISED:
            self.raised[alert.kind, alert.key] = since_s


def named(value: object) -> str:
    return type(value).__name__ if isinstance(value, Fault) else str(value)


def run(fault: Fault, *, rate: float = 2.0, after_s: float = 30.0) -> Seen:
    """Let a fault happen, and `after_s` pass after its end."""
    scene = WorldScene.serving(World(1), FEEDS, seed=1, rate=rate, depth=5)
    seen = Seen(fault, scene)
    scene.market.on_anomaly(seen.note)
    play([fault], scene)
    with scene.market:
        scene.run_for(fault.at_s + fault.lasts_s + after_s)
        seen.totals = scene.market.metrics().totals
    return seen


RAISE: list[tuple[Fault, float, str]] = [
    (Disconnect(AT, "upbit", times=5), 2.0, "upbit"),
    (Stall(AT, "upbit", seconds=30.0), 2.0, "upbit"),
    (SlowHandler(AT, UPBIT, cost_s=2.0, seconds=40.0), 2.0, UPBIT),
    (SlowHandler(AT, BYBIT, cost_s=8.0, seconds=40.0), 2.0, BYBIT),
    (HandlerCrash(AT, UPBIT, seconds=5.0), 10.0, UPBIT),
    (Gap(AT, BYBIT, times=5), 2.0, "bybit"),
    (ClockJump(AT, seconds=0.6), 2.0, "upbit"),
    (ClockDrift(AT, rate=0.01, seconds=60.0), 2.0, "upbit"),
    (RejectSubscription(AT, "bybit", seconds=60.0), 2.0, "bybit"),
    (RateLimit(AT, "upbit", seconds=30.0), 2.0, "upbit"),
    (RateLimit(AT, "upbit", seconds=30.0, status=418), 2.0, "upbit"),
    (Shutdown(AT, "bybit", down_s=30.0), 2.0, "bybit"),
]
RAISE_NOTHING: list[Fault] = [
    Disconnect(AT, "upbit", code=1006),
    HalfOpen(AT, "upbit"),
    Burst(AT, "upbit", books=500),
    PoisonMessage(AT, UPBIT),
    CorruptFrame(AT, "upbit", frames=20),
    Duplicate(AT, UPBIT, frames=20),
    Reorder(AT, UPBIT, frames=20),
    Gap(AT, "upbit", frames=20),
    SlowDisk(AT, cost_s=1.0, seconds=20.0),
]


@pytest.mark.parametrize(("fault", "rate", "key"), RAISE, ids=named)
def test_a_fault_raises_its_anomaly_in_time_and_it_clears(
    fault: Fault, rate: float, key: str
) -> None:
    symptom = fault.symptom(rate)
    assert symptom is not None
    for_ever = math.isinf(symptom.clears_s)
    seen = run(fault, rate=rate, after_s=10.0 if for_ever else symptom.clears_s)
    mine = {each: at_s for each, at_s in seen.raised.items() if each[0] in symptom.kinds}

    assert mine
    assert min(mine.values()) <= symptom.within_s
    assert {whose for _, whose in mine} >= {key}
    assert for_ever or all(each in seen.cleared for each in mine)


@pytest.mark.parametrize("fault", RAISE_NOTHING, ids=lambda each: type(each).__name__)
def test_what_is_normal_life_raises_nothing(fault: Fault) -> None:
    assert fault.symptom(2.0) is None
    assert run(fault).raised == {}


def test_every_fault_of_the_table_is_tried() -> None:
    tried = {type(fault).__name__ for fault in (*(row[0] for row in RAISE), *RAISE_NOTHING)}

    assert tried == FAULTS.keys()


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (PoisonMessage(AT, UPBIT), {"failed": 1, "restarts": 1}),
        (Duplicate(AT, UPBIT, frames=7), {"rejected": 7}),
        (Reorder(AT, UPBIT, frames=7), {"rejected": 7}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_fault_does_what_its_name_says(fault: Fault, counted: dict[str, int]) -> None:
    totals = run(fault).totals

    assert {name: getattr(totals, name) for name in counted} == counted


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HalfOpen(-1.0, "upbit"), "at_s must be a number, at least 0"),
        (lambda: HalfOpen(0.0, "nyse"), "exchange must be one of"),
        (lambda: HalfOpen(0.0, WRONG), "target must be an exchange"),
        (lambda: PoisonMessage(0.0, "upbit"), "key must be of the form"),
        (lambda: Gap(0.0, "nyse:IBM"), "exchange must be one of"),
        (lambda: Gap(0.0, "upbit", frames=0), "frames must be a whole number, at least 1"),
        (lambda: Gap(0.0, WRONG), "target must be an exchange, or a key"),
        (lambda: Stall(0.0, "upbit", seconds=0.0), "seconds must be a number above 0"),
        (lambda: Disconnect(0.0, "upbit", code=7), "code must be a WebSocket close code"),
        (lambda: Disconnect(0.0, "upbit", code=1005), "code must be a WebSocket close code"),
        (lambda: RateLimit(0.0, "upbit", seconds=1.0, status=200), "status must be 418, 429"),
        (lambda: ClockJump(0.0, seconds=math.nan), "seconds must be a number"),
        (lambda: ClockDrift(0.0, rate=2.0, seconds=1.0), "rate must be a number above -1"),
    ],
)
def test_what_is_not_allowed_is_told_at_once(make: Any, said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        make()


def test_the_documented_table_is_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text("utf-8")
    rows = {
        cells[1].strip("` "): [*re.findall(r"`(\w+)`", cells[3])]
        for line in page.splitlines()
        if len(cells := line.split("|")) == 7 and cells[1].startswith(" `")
    }

    assert rows == {
        name: [field for field in attrs.fields_dict(kind) if field not in {"at_s", "target"}]
        for name, kind in FAULTS.items()
    }
