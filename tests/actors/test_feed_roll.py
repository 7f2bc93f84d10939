"""A connection is replaced before it ends, by one that streams already."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ticklane.exchanges import EXCHANGES
from ticklane.messages import Reconnect, Refusal

LIFETIME_S = EXCHANGES["binance"].lifetime_s or 0.0
SHUTDOWN = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1746601573804}}'


def book(number: int) -> bytes:
    return (
        b'{"stream":"btc@depth20@100ms","data":'
        b'{"lastUpdateId":%d,"bids":[["1","1"]],"asks":[["2","1"]]}}' % number
    )


def brings(playground: Any, wire: Any, number: int) -> None:
    wire.receiver.received(book(number), playground.world.clock.now_ns())
    playground.world.run_for(0.0)


def keeps_alive(playground: Any, seconds: float, step_s: float = 20.0) -> None:
    """Let time pass while every connection there is answers and streams."""
    number = int(playground.world.clock.now_ns() // 1_000_000)
    for _ in range(int(seconds / step_s)):
        playground.world.run_for(step_s)
        number += int(step_s * 1000)
        for wire in playground.wires.made:
            if wire.receiver in playground.part._open:
                brings(playground, wire, number)


@pytest.fixture
def binance(new_playground: Callable[..., Any]) -> Iterator[Any]:
    """Yield a streaming feed of an exchange that limits the life of connections."""
    playground = new_playground("binance", ("BTC",))
    playground.wires.obedient = True
    playground.start()
    playground.wire.answers = True
    playground.opens()
    brings(playground, playground.wire, 1)
    yield playground
    playground.end()


def is_rolling(playground: Any) -> Any:
    """Have the exchange announce its end; return the connection there was."""
    before = playground.wire
    before.receiver.received(SHUTDOWN, playground.world.clock.now_ns())
    playground.world.run_for(0.0)
    assert playground.status.state == "rolling"
    return before


def test_a_connection_is_rolled_over_before_its_lifetime_ends(binance: Any) -> None:
    first = binance.wire
    keeps_alive(binance, 0.79 * LIFETIME_S, step_s=50.0)
    before = len(binance.wires.made)
    keeps_alive(binance, 0.17 * LIFETIME_S, step_s=50.0)

    assert before == 1
    assert len(binance.wires.made) == 2
    assert not first.gone


def test_connections_opened_together_are_not_rolled_over_together(
    new_playground: Callable[..., Any],
) -> None:
    feeds = [new_playground("binance", ("BTC",))]
    feeds += [
        new_playground("binance", ("BTC",), world=feeds[0].world, gate=feeds[0].gate)
        for _ in range(20)
    ]
    for each in feeds:
        each.start()
        each.opens()
    rolls_s = sorted(each.inbox.actor._line.roll_at_ns / 1e9 for each in feeds)

    assert rolls_s[0] >= 0.8 * LIFETIME_S
    assert rolls_s[-1] <= 0.95 * LIFETIME_S + 10.0
    assert rolls_s[-1] - rolls_s[0] > 0.05 * LIFETIME_S


def test_an_announced_shutdown_makes_the_next_connection_at_once(binance: Any) -> None:
    before = is_rolling(binance)

    assert len(binance.wires.made) == 2
    assert before.closed_for is None


def test_the_old_connection_is_closed_when_the_new_one_streams(binance: Any) -> None:
    before = is_rolling(binance)
    binance.opens()
    open_only = before.closed_for
    brings(binance, binance.wire, 2)

    assert (open_only, before.closed_for) == (None, "rolled over")
    assert binance.status.state == "streaming"


def test_consumers_hear_nothing_of_it(binance: Any) -> None:
    is_rolling(binance)
    binance.opens()
    brings(binance, binance.wire, 2)
    binance.world.run_for(1.0)

    assert binance.told("BTC") == ["FeedConnected"]
    assert binance.status.reconnects == 0


def test_what_both_connections_counted_is_counted(binance: Any) -> None:
    is_rolling(binance)
    binance.opens()
    brings(binance, binance.wire, 2)
    during = binance.status.metrics(0).snapshots
    binance.world.run_for(1.0)

    assert (during, binance.status.metrics(0).snapshots) == (2, 2)


def test_a_successor_that_fails_is_tried_again_while_the_connection_streams(
    binance: Any,
) -> None:
    before = is_rolling(binance)
    binance.wire.is_lost()
    state = binance.status.state
    for _ in range(8):
        binance.world.run_for(0.5)
        brings(binance, before, 3)

    assert state == "streaming"
    assert binance.status.state == "rolling"
    assert len(binance.wires.made) == 3
    assert binance.told("BTC") == ["FeedConnected"]


def test_a_connection_that_has_not_every_book_yet_is_replaced_too(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground("binance", ("BTC",)).start()
    playground.opens()
    before = is_rolling(playground)
    playground.wire.is_lost()
    states = [playground.status.state]
    playground.world.run_for(2.0)
    states.append(playground.status.state)
    playground.opens()
    before.is_lost()
    states.append(playground.status.state)
    playground.end()

    assert states == ["subscribing", "rolling", "subscribing"]
    assert playground.told("BTC") == ["FeedConnected"]


def test_a_successor_takes_over_when_the_connection_is_lost_first(binance: Any) -> None:
    before = is_rolling(binance)
    before.is_lost()
    states = [binance.status.state]
    binance.opens()
    states.append(binance.status.state)
    brings(binance, binance.wire, 2)
    states.append(binance.status.state)

    assert states == ["connecting", "subscribing", "streaming"]
    assert len(binance.wires.made) == 2
    assert binance.told("BTC") == ["FeedConnected", "FeedLost", "FeedConnected"]


def test_an_open_successor_takes_over_without_a_word(binance: Any) -> None:
    before = is_rolling(binance)
    binance.opens()
    before.is_lost()

    assert binance.status.state == "subscribing"
    assert binance.told("BTC") == ["FeedConnected"]


def test_the_new_connection_lives_as_long_as_the_old_one_did(binance: Any) -> None:
    is_rolling(binance)
    binance.opens()
    brings(binance, binance.wire, 2)
    line = binance.inbox.actor._line
    opened_ns = binance.world.clock.now_ns()

    assert line.connection is binance.wire.receiver
    assert line.roll_at_ns - opened_ns >= 0.8 * LIFETIME_S * 1e9


def test_a_roll_over_that_waits_for_the_budget_is_forgotten_with_its_connection(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground("binance", ("BTC",), url="ws://a").start()
    playground.opens()
    brings(playground, playground.wire, 1)
    playground.gate.refused("binance", "ws://a", Refusal("ban", 10.0))
    is_rolling(playground)
    waiting = len(playground.wires.made)
    playground.is_lost()
    playground.world.run_for(60.0)
    playground.end()

    assert (waiting, len(playground.wires.made)) == (1, 2)


def test_stopping_while_rolling_closes_both(binance: Any) -> None:
    before = is_rolling(binance)
    binance.end()
    binance.world.run_for(1.0)

    assert (before.gone, binance.wire.gone) == (True, True)
    assert binance.status.state == "stopped"
    assert binance.inbox.actor is None


def test_somebody_may_want_it_made_anew(binance: Any) -> None:
    before = binance.wire
    binance.inbox.tell(Reconnect("by hand"))
    binance.world.run_for(1.0)

    assert before.closed_for == "by hand"
    assert len(binance.wires.made) == 2
