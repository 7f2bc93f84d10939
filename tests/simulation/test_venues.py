"""The table of simulated exchanges."""

import pytest

from ticklane.exchanges import EXCHANGES
from ticklane.messages import InvalidOption
from ticklane.simulation import VENUES, venue_named


def test_every_exchange_can_be_simulated() -> None:
    assert set(VENUES) == set(EXCHANGES)


def test_an_unknown_exchange_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(InvalidOption, match=r"one of upbit, binance.* not 'nyse'"):
        venue_named("nyse")
