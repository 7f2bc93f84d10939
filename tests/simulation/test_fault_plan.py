"""Plans of faults: TOML in and out, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane import Feed
from ticklane.messages import InvalidOption, UnknownKey
from ticklane.simulation import (
    Disconnect,
    HalfOpen,
    PoisonMessage,
    SlowHandler,
    World,
    WorldScene,
    parse_plan,
    play,
    random_plan,
    read_plan,
    write_plan,
)

KEYS = ("upbit:KRW-BTC", "bybit:BTCUSDT")


@given(st.integers(min_value=0))
def test_a_plan_written_is_the_plan_read(seed: int) -> None:
    plan = random_plan(seed, exchanges=["upbit", "bybit"], keys=KEYS, seconds=3600.0, per_hour=60)

    assert parse_plan(write_plan(plan)) == plan


def test_a_plan_is_a_file_in_toml(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[[fault]]\nname = "Disconnect"\nat_s = 60\ntarget = "upbit"\ntimes = 3\n'
        '[[fault]]\nname = "HalfOpen"\nat_s = 1.5\ntarget = "bybit"\n'
    )

    assert read_plan(file) == (Disconnect(60, "upbit", times=3), HalfOpen(1.5, "bybit"))


def test_an_empty_plan_is_a_plan() -> None:
    assert parse_plan(write_plan(())) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault", "plan must be TOML"),
        ("seed = 1", r"plan must be tables \[\[fault\]\] and nothing else, not \['seed'\]"),
        ("fault = 1", r"plan must be tables \[\[fault\]\]"),
        ("fault = [1]", r"plan must be tables \[\[fault\]\]"),
        ('[[fault]]\nname = "Halfopen"', "name must be one of Disconnect, HalfOpen, .*'Halfopen'"),
        ("[[fault]]\nat_s = 1", "name must be one of Disconnect"),
        ('[[fault]]\nname = ["HalfOpen"]', "name must be one of Disconnect"),
        (
            '[[fault]]\nname = "HalfOpen"\nat_s = 1\ntarget = "upbit"\nseconds = 1',
            "field of HalfOpen must be one of at_s, target, not 'seconds'",
        ),
        ('[[fault]]\nname = "HalfOpen"\nat_s = 1', "target of HalfOpen must be given"),
        ('[[fault]]\nname = "HalfOpen"\nat_s = "1"\ntarget = "upbit"', "at_s must be a number"),
    ],
)
def test_what_is_wrong_with_a_plan_is_told(text: str, said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        parse_plan(text)


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"plan must be a file that can be read .*gone\.toml"):
        read_plan(tmp_path / "gone.toml")


def test_faults_begin_at_their_time() -> None:
    scene = WorldScene.serving(World(), [Feed("upbit", ["KRW-BTC"])])
    play([Disconnect(5.0, "upbit"), Disconnect(10.0, "upbit", times=2, every_s=5.0)], scene)
    with scene.market:
        losses = []
        for _ in range(18):
            scene.run_for(1.0)
            losses.append(scene.market.metrics().feeds[0].reconnects)

    assert [losses[at] for at in (3, 5, 8, 10, 13, 15)] == [0, 1, 1, 2, 2, 3]


def test_a_target_that_is_not_there_is_told_before_anything_begins() -> None:
    scene = WorldScene.serving(World(), [Feed("upbit", ["KRW-BTC"])])

    with pytest.raises(InvalidOption, match="target must be of an exchange here: upbit"):
        play([HalfOpen(1.0, "bybit")], scene)
    with pytest.raises(UnknownKey, match="KRW-BTK"):
        play([PoisonMessage(1.0, "upbit:KRW-BTK")], scene)
    with pytest.raises(UnknownKey):
        play([SlowHandler(1.0, "upbit:KRW-X", cost_s=1.0, seconds=1.0)], scene)
