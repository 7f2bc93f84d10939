"""When and where a lost connection is made again: budgets, bans, certificates, endpoints."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ticklane.exchanges import EXCHANGES
from ticklane.messages import ConnectionAsks, Refusal, SymbolsChanged
from ticklane.runtime import Mailbox

if TYPE_CHECKING:
    from loguru import Message

FEEDS = 300
A, B, C = "ws://a", "ws://b", "ws://c"


def bases(playground: Any) -> list[str]:
    return [wire.url.removesuffix("/websocket/v1") for wire in playground.wires.made]


## Budgets


def attempts(playground: Any, seconds: float, react: Callable[[Any], None]) -> list[float]:
    """Let so many seconds pass; return when each connection was made, having reacted to it."""
    made: list[float] = []
    start_s = playground.world.clock.now_ns() / 1e9
    seen = len(playground.wires.made)
    for _ in range(int(seconds * 20)):
        playground.world.run_for(0.05)
        for wire in playground.wires.made[seen:]:
            made.append(playground.world.clock.now_ns() / 1e9 - start_s)
            react(wire)
        seen = len(playground.wires.made)
    return made


@pytest.fixture
def crowd(new_playground: Callable[..., Any]) -> Any:
    """Return the first of 300 feeds of one process, all of which have connected."""
    first = new_playground()
    others = [
        new_playground(world=first.world, wires=first.wires, gate=first.gate)
        for _ in range(FEEDS - 1)
    ]
    for each in (first, *others):
        each.start()
    first.world.run_for(FEEDS / 5 + 1)
    assert len(first.wires.made) == FEEDS
    return first


def test_a_mass_disconnect_becomes_no_storm(crowd: Any) -> None:
    for wire in crowd.wires.made[:]:
        wire.opens()
        wire.brings("BTC")
    for wire in crowd.wires.made[:]:
        wire.is_lost()
    made = attempts(crowd, 61.0, lambda wire: wire.opens())

    (allowed,) = EXCHANGES["upbit"].connects
    seconds = [sum(second <= at < second + 1 for at in made) for second in range(61)]
    assert max(seconds) <= 2 * allowed.count  # a look every 50 ms sees some a window late
    assert all(
        later - at >= allowed.seconds - 0.06 for at, later in zip(made, made[5:], strict=False)
    )
    assert len(made) == FEEDS


def test_an_exchange_that_hangs_up_on_everybody_at_once_is_not_hammered(crowd: Any) -> None:
    for wire in crowd.wires.made[:]:
        wire.is_lost()
    made = attempts(crowd, 60.0, lambda wire: (wire.opens(), wire.is_lost()))

    assert 0 < len(made) <= 60 * 5
    assert all(later - at >= 1.0 - 0.06 for at, later in zip(made, made[5:], strict=False))


def test_a_wait_for_the_budget_is_a_backoff(new_playground: Callable[..., Any]) -> None:
    first = new_playground()
    feeds = [
        new_playground(world=first.world, wires=first.wires, gate=first.gate).start()
        for _ in range(6)
    ]
    states = [feed.status.state for feed in feeds]

    assert states == ["connecting"] * 5 + ["backoff"]


def test_a_long_subscription_is_said_no_faster_than_the_exchange_allows(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground("upbit").start()
    playground.opens()
    for number in range(240):
        playground.part.add(f"KRW-{number}", playground.mailboxes["BTC"])
        playground.inbox.tell(SymbolsChanged())
        playground.world.run_for(0.1)
    playground.streams(45)
    said_s = [at for at, _ in playground.wire.sent]

    assert '"KRW-239"' in playground.wire.sent[-1][1]
    assert len(said_s) > 100
    assert all(later - at >= 60.0 - 1e-6 for at, later in zip(said_s, said_s[100:], strict=False))
    assert all(later - at >= 1.0 - 1e-6 for at, later in zip(said_s, said_s[5:], strict=False))


def test_what_a_protocol_wants_said_is_within_the_budget_too(playground: Any) -> None:
    playground.opens()
    for number in range(20):
        playground.inbox.tell(ConnectionAsks(playground.wire.receiver, str(number)))
    playground.world.run_for(0.0)
    at_once = len(playground.wire.sent)
    playground.streams(10)

    assert at_once == 5
    assert [text for _, text in playground.wire.sent[1:]] == [str(each) for each in range(20)]


def test_many_symbols_added_at_once_are_asked_for_in_few_messages(playground: Any) -> None:
    playground.opens()
    for number in range(100):
        playground.part.add(f"KRW-{number}", playground.mailboxes["BTC"])
        playground.inbox.tell(SymbolsChanged())
    playground.world.run_for(1.1)
    sent = playground.wire.sent

    assert len(sent) <= 6
    assert '"KRW-99"' in sent[-1][1]


def test_a_symbol_that_is_removed_and_added_at_once_gets_a_first_book_again(
    playground: Any,
) -> None:
    playground.opens()
    playground.part.remove("ETH")
    playground.part.add("ETH", Mailbox("upbit:ETH", playground.world))
    playground.inbox.tell(SymbolsChanged())
    playground.world.run_for(0.0)

    asked = [text.partition('"codes":')[2].partition("}")[0] for _, text in playground.wire.sent]
    assert asked == ['["BTC","ETH"]', '["BTC"]', '["BTC","ETH"]']


## Refusals


@pytest.mark.parametrize(
    ("refusal", "away_s"),
    [
        (Refusal("rate limit"), 10.0),
        (Refusal("rate limit", 120.0), 120.0),
        (Refusal("ban"), 60.0),
        (Refusal("ban", 600.0), 600.0),
    ],
)
def test_a_refusal_keeps_all_feeds_of_the_exchange_away(
    refusal: Refusal, away_s: float, new_playground: Callable[..., Any]
) -> None:
    first = new_playground().start()
    first.wire.is_lost("handshake refused", refusal)
    second = new_playground(world=first.world, wires=first.wires, gate=first.gate).start()
    first.world.run_for(away_s - 0.1)
    before = len(first.wires.made)
    first.world.run_for(31.0)

    assert before == 1
    assert len(first.wires.made) == 3
    assert second.status.state == "connecting"


def test_a_ban_of_one_exchange_keeps_nobody_from_another(
    new_playground: Callable[..., Any],
) -> None:
    first = new_playground().start()
    first.wire.is_lost("handshake refused", Refusal("ban"))
    other = new_playground("binance", world=first.world, wires=first.wires, gate=first.gate)
    other.start()

    assert other.status.state == "connecting"
    assert len(first.wires.made) == 2


def test_a_certificate_refused_is_retried_at_the_cap_and_logged_at_most_once_a_minute(
    playground: Any, logged: "list[Message]"
) -> None:
    for _ in range(10):
        playground.wire.is_lost("certificate refused: self-signed", Refusal("certificate"))
        playground.world.run_for(29.9)
        before = len(playground.wires.made)
        playground.world.run_for(0.2)
        assert len(playground.wires.made) == before + 1

    said = [each for each in logged if "certificate refused: self-signed" in each]
    assert len(said) == 5
    assert playground.status.last_error == "certificate refused: self-signed"
    assert playground.told() == ["FeedLost"]


## Endpoints


@pytest.fixture
def three(new_playground: Callable[..., Any]) -> Any:
    """Return a feed with three endpoints."""
    playground = new_playground(url=(A, B, C)).start()
    yield playground
    playground.end()


def test_an_endpoint_that_brings_nothing_is_followed_by_the_next(three: Any) -> None:
    for _ in range(4):
        three.is_lost()
        three.world.run_for(30.0)

    assert bases(three) == [A, B, C, A, B]


def test_an_open_connection_that_is_lost_before_a_snapshot_counts_as_nothing(three: Any) -> None:
    three.opens()
    three.is_lost()
    three.world.run_for(30.0)

    assert bases(three) == [A, B]


def test_after_success_the_first_endpoint_is_tried_again_at_the_next_loss(three: Any) -> None:
    three.is_lost()
    three.world.run_for(30.0)
    three.opens()
    three.brings_a_book()
    three.is_lost()
    three.world.run_for(30.0)

    assert bases(three) == [A, B, A]


def test_a_standby_begins_with_the_endpoint_of_its_number(
    new_playground: Callable[..., Any],
) -> None:
    playground = new_playground(url=(A, B), standby=3).start()
    playground.is_lost()
    playground.world.run_for(30.0)
    playground.end()

    assert bases(playground) == [B, A]
