"""Handshakes and requests are rationed, as the exchanges do."""

from ticklane.exchanges import Budget
from ticklane.simulation.door import Door, Ration
from ticklane.simulation.venue_rules import VenueRules

RULES = VenueRules(connects=(Budget(2, 1.0),), ban_s=60.0)


def test_handshakes_within_the_limit_are_let_in() -> None:
    door = Door(RULES)

    assert [door.knock(0.0), door.knock(0.5), door.knock(1.0)] == [None, None, None]


def test_handshakes_beyond_the_limit_are_refused_until_there_is_room() -> None:
    door = Door(RULES)

    assert [door.knock(at_s) for at_s in (0.0, 0.1, 0.2, 1.0)] == [None, None, 429, None]


def test_who_goes_on_knocking_is_banned_and_longer_the_next_time() -> None:
    door = Door(RULES)
    refused = [door.knock(0.0) for _ in range(13)]
    door.knock(60.0)
    door.knock(60.0)
    again = [door.knock(60.0) for _ in range(11)]

    assert refused == [None, None, *[429] * 10, 418]
    assert again == [*[429] * 10, 418]
    assert [door.knock(60.0 + 119.0), door.knock(60.0 + 120.0)] == [418, None]


def test_an_exchange_without_limits_lets_everybody_in() -> None:
    door = Door(VenueRules())

    assert {door.knock(0.0) for _ in range(1000)} == {None}


def test_a_shut_door_refuses_everybody_for_so_long() -> None:
    door = Door(VenueRules())
    door.shut(10.0, 5.0, 503)

    assert [door.knock(14.9), door.knock(15.0)] == [503, None]


def test_all_budgets_of_a_ration_hold() -> None:
    ration = Ration([Budget(2, 1.0), Budget(3, 10.0)])

    assert [ration.take(at_s) for at_s in (0.0, 0.0, 0.0, 2.0, 4.0, 10.0)] == [
        True, True, False, True, False, True,
    ]  # fmt: skip
