"""A scene watched as it runs: what is broken on purpose is found, and what works is not."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ticklane import Feed, Snapshot
from ticklane.runtime import Mailbox
from ticklane.simulation import (
    Burst,
    Fault,
    HandlerCrash,
    Inspection,
    PoisonMessage,
    RateLimit,
    SlowHandler,
    Stall,
    World,
    WorldScene,
    play,
)

KEY = "upbit:KRW-BTC"


@pytest.fixture
def scene() -> WorldScene:
    return WorldScene.serving(World(1), [Feed("upbit", ["KRW-BTC", "KRW-ETH"])], rate=5.0)


def inspected(scene: WorldScene, *plan: Fault, seconds: float = 20.0) -> list[str]:
    """Run it with all invariants checked; return the names of those that did not hold."""
    inspection = Inspection(scene, plan)
    with scene.market:
        play(plan, scene)
        inspection.begin()
        scene.run_for(seconds)
        inspection.finish()
    inspection.check_stopped()
    return [broken.invariant for broken in inspection.broken]


def test_nothing_is_broken_where_all_works(scene: WorldScene) -> None:
    assert inspected(scene, HandlerCrash(5.0, KEY, seconds=5.0)) == []


def test_a_feed_that_is_stopped_while_it_is_banned_leaves_nothing(scene: WorldScene) -> None:
    assert inspected(scene, RateLimit(1.0, "upbit", seconds=600.0, status=418), seconds=70.0) == []


def test_an_exchange_that_stalls_at_the_end_keeps_no_connection_of_ours(scene: WorldScene) -> None:
    assert inspected(scene, Stall(5.0, "upbit", seconds=120.0)) == []


def test_a_fault_that_nobody_notices_is_found(
    scene: WorldScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stall, "begin", lambda *_: None)

    assert inspected(scene, Stall(5.0, "upbit", seconds=30.0), seconds=40.0) == [
        "faults_are_noticed"
    ]


def lose_one(box: Mailbox) -> None:
    box._data.popleft()


def turn_round(box: Mailbox) -> None:
    box._data.extendleft([*box._data])


@pytest.mark.parametrize(
    ("harm", "found"), [(lose_one, "counts_add_up"), (turn_round, "snapshots_come_in_order")]
)
def test_harm_done_to_a_mailbox_is_found_with_the_next_step(
    scene: WorldScene, harm: Callable[[Mailbox], None], found: str
) -> None:
    box = scene.market.vitals().mailboxes[KEY]
    scene.slow(KEY, 2.0, 8.0)

    def do_harm() -> None:
        assert box.depth > 2
        harm(box)

    scene.later(6.0, do_harm)

    assert found in inspected(scene)


def test_a_mailbox_that_nobody_will_ever_look_into_is_found(scene: WorldScene) -> None:
    box = scene.market.vitals().mailboxes[KEY]
    # It stands in no line, and whoever puts something into it believes that it does.
    scene.later(5.0, lambda: setattr(box, "_claimed", True))

    assert inspected(scene)[0] == "what_waits_is_handled"


def test_a_mailbox_whose_handler_takes_long_is_not(scene: WorldScene) -> None:
    assert inspected(scene, SlowHandler(5.0, KEY, cost_s=30.0, seconds=60.0), seconds=70.0) == []


def test_a_burst_is_handled_though_nothing_comes_after_it(scene: WorldScene) -> None:
    plan = Burst(5.0, "upbit", books=100), Stall(5.1, "upbit", seconds=30.0)

    assert inspected(scene, *plan, seconds=40.0) == []


def test_what_waits_while_its_actor_is_restarted_is_handled(scene: WorldScene) -> None:
    assert inspected(scene, PoisonMessage(5.0, KEY)) == []


def test_what_is_broken_is_told_with_its_time(scene: WorldScene) -> None:
    inspection = Inspection(scene)
    with scene.market:
        inspection.begin()
        scene.run_for(5.0)
        scene.market.vitals().mailboxes[KEY].failed += 1
        inspection.finish()

    assert [str(each) for each in inspection.broken] == [
        f"counts_add_up at 5.000 s: {inspection.broken[0].what}"
    ]


def test_a_thread_left_behind_is_found(scene: WorldScene) -> None:
    over = threading.Event()
    left = threading.Thread(target=over.wait, name="left")

    def leave(_: Snapshot) -> None:
        if not left.is_alive():
            left.start()

    scene.market.subscribe(KEY, leave)
    found = inspected(scene)
    over.set()
    left.join()

    assert found == ["no_thread_is_left"]


def test_a_timer_left_behind_is_found(scene: WorldScene) -> None:
    scene.world.call_later(1000.0, list)

    assert inspected(scene) == ["no_timer_is_left"]
