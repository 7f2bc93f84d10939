"""The exchange's rules, with time as an argument: pings, idleness, lifetime, limits, REST."""

from collections.abc import Callable

import pytest

from ticklane.exchanges import EXCHANGES, Budget
from ticklane.messages import Snapshot
from ticklane.simulation import VENUE_RULES, ExchangeModel, Payload, VenueRules
from ticklane.simulation.binance_venue import BinanceSession

STREAM = "/ws/btcusdt@bookTicker"
BOOK = Snapshot("binance", "BTCUSDT", ((9.0, 1.0), (8.0, 1.0)), ((10.0, 2.0),), None, 7)


class Peer:
    """Writes down what the exchange says and does."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def send(self, payload: Payload) -> None:
        self.said.append(payload)

    def ping(self) -> None:
        self.said.append("ping")

    def close(self, code: int, reason: str) -> None:
        self.said.append((code, reason))

    def abort(self) -> None:
        self.said.append("reset")

    def mute(self, muted: bool) -> None:
        """Take note of nothing."""


def model(**rules: object) -> ExchangeModel:
    return ExchangeModel(BinanceSession, VenueRules(**rules))  # type: ignore[arg-type]


def check_each_second(exchange: ExchangeModel, until_s: int) -> None:
    for now_s in range(until_s + 1):
        exchange.check(float(now_s))


def test_every_exchange_has_rules_of_its_own() -> None:
    assert VENUE_RULES.keys() == EXCHANGES.keys()


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_feed_that_keeps_to_our_budgets_breaks_no_rule(name: str) -> None:
    row, rules = EXCHANGES[name], VENUE_RULES[name]

    assert keeps(row.connects, rules.connects)
    assert keeps(row.messages, rules.messages)
    assert rules.idle_limit_s is None or (row.ping_interval_s or 0.0) < rules.idle_limit_s


def keeps(ours: tuple[Budget, ...], theirs: tuple[Budget, ...]) -> bool:
    """Say whether each of their limits follows from one of ours."""
    return all(
        any(our.count <= their.count and our.seconds >= their.seconds for our in ours)
        for their in theirs
    )


def test_it_pings_in_its_rhythm() -> None:
    exchange, peer = model(ping_interval_s=20.0), Peer()
    client = exchange.join(STREAM, peer, 0.0)
    for now_s in range(61):
        exchange.check(float(now_s))
        exchange.answer_ping(client, float(now_s))

    assert peer.said == ["ping"] * 3


def test_who_does_not_answer_pings_is_closed() -> None:
    exchange, peer = model(ping_interval_s=20.0, pong_timeout_s=60.0), Peer()
    exchange.join(STREAM, peer, 0.0)
    check_each_second(exchange, 80)

    assert peer.said == [*["ping"] * 3, (1008, "Pong timeout")]
    assert exchange.clients == ()


@pytest.mark.parametrize(
    "speak",
    [
        lambda exchange, client, now_s: exchange.hear(client, now_s),
        lambda exchange, client, now_s: exchange.receive(client, "nonsense", now_s),
        lambda exchange, _, now_s: exchange.publish(BOOK, now_s),
    ],
)
def test_a_connection_on_which_nothing_is_said_is_closed(
    speak: Callable[[ExchangeModel, object, float], None],
) -> None:
    exchange, peer = model(idle_limit_s=120.0), Peer()
    client = exchange.join(STREAM, peer, 0.0)
    check_each_second(exchange, 119)
    speak(exchange, client, 119.0)
    check_each_second(exchange, 238)
    alive = exchange.clients
    exchange.check(239.0)

    assert alive == (client,)
    assert peer.said[-1] == (1001, "idle")


def test_a_connection_ends_with_its_lifetime() -> None:
    exchange, peer = model(lifetime_s=100.0), Peer()
    exchange.join(STREAM, peer, 0.0)
    check_each_second(exchange, 99)
    before = len(exchange.clients)
    exchange.check(100.0)

    assert (before, len(exchange.clients)) == (1, 0)


def test_who_sends_too_much_is_closed() -> None:
    exchange, peer = model(messages=(Budget(5, 1.0),)), Peer()
    client = exchange.join("/ws", peer, 0.0)
    for number in range(6):
        exchange.receive(client, f'{{"method":"LIST_SUBSCRIPTIONS","id":{number}}}', 0.1)

    assert len(peer.said) == 6
    assert peer.said[-1] == (1008, "Too many requests")


def test_who_has_left_gets_nothing_any_more() -> None:
    exchange, peer = model(), Peer()
    client = exchange.join(STREAM, peer, 0.0)
    exchange.leave(client)
    exchange.publish(BOOK, 1.0)
    exchange.check(2.0)

    assert peer.said == []


def test_a_stall_that_is_prolonged_ends_once() -> None:
    exchange, peer = model(), Peer()
    exchange.join(STREAM, peer, 0.0)
    exchange.stall(0.0, 2.0)
    exchange.stall(1.0, 2.0)
    exchange.publish(BOOK, 1.5)
    exchange.check(2.0)
    before = [*peer.said]
    exchange.check(3.0)

    assert (before, len(peer.said)) == ([], 1)


def test_in_a_stall_it_keeps_no_rules() -> None:
    exchange, peer = model(ping_interval_s=20.0, pong_timeout_s=60.0), Peer()
    exchange.join(STREAM, peer, 0.0)
    exchange.stall(1.0, 100.0)
    check_each_second(exchange, 100)

    assert peer.said == []


def test_a_client_that_is_half_open_gets_nothing_and_leaves_without_a_word() -> None:
    exchange, peer = model(ping_interval_s=20.0, pong_timeout_s=60.0), Peer()
    exchange.join(STREAM, peer, 0.0)
    exchange.half_open()
    exchange.publish(BOOK, 1.0)
    exchange.say("anything", 1.0)
    check_each_second(exchange, 80)

    assert peer.said == ["reset"]
