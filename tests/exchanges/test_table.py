"""The rows of the exchanges there are, and the error for those there are not."""

import pytest

from ticklane.exchanges import EXCHANGES, Budget, DiffProtocol, exchange_named
from ticklane.messages import InvalidOption

every_exchange = pytest.mark.parametrize("name", EXCHANGES)


def test_an_exchange_is_found_by_its_name() -> None:
    assert exchange_named("upbit").endpoints == ("wss://api.upbit.com",)


@pytest.mark.parametrize("name", ["kraken", "", "Upbit", None, []])
def test_an_unknown_exchange_is_an_error_that_lists_the_known(name: object) -> None:
    with pytest.raises(InvalidOption) as caught:
        exchange_named(name)  # type: ignore[arg-type]

    assert str(caught.value) == f"exchange must be one of {', '.join(EXCHANGES)}, not {name!r}"


@every_exchange
def test_a_row_is_listed_under_its_own_name(name: str) -> None:
    assert EXCHANGES[name].name == name


@every_exchange
def test_every_stream_has_a_protocol(name: str) -> None:
    exchange = EXCHANGES[name]

    for stream in exchange.streams:
        protocol = exchange.protocol(("X",), stream)

        assert protocol.url("wss://host").startswith("wss://host/")


@every_exchange
def test_a_full_connection_asks_for_its_symbols_in_one_address_the_exchange_takes(
    name: str,
) -> None:
    exchange = EXCHANGES[name]
    symbols = tuple(f"SYMBOL{number:09}" for number in range(exchange.symbols_per_connection))

    for stream in exchange.streams:
        assert len(exchange.protocol(symbols, stream).url(exchange.endpoints[0])) <= 8004


@every_exchange
def test_budgets_are_tuples_of_at_least_one(name: str) -> None:
    exchange = EXCHANGES[name]

    assert all(isinstance(each, Budget) for each in (*exchange.connects, *exchange.messages))
    assert exchange.connects
    assert exchange.messages


@every_exchange
def test_streams_of_differences_have_a_rest_side_whose_budget_holds_a_book(name: str) -> None:
    exchange = EXCHANGES[name]
    protocols = [exchange.protocol(("X",), stream) for stream in exchange.streams]
    requests = [
        each for one in protocols if isinstance(one, DiffProtocol) for each in one.missing()
    ]

    assert bool(requests) == (exchange.rest is not None) == (exchange.rest_weight is not None)
    assert all(
        exchange.rest_weight is not None and each.weight < exchange.rest_weight.count / 10
        for each in requests
    )


def test_upbit_takes_five_messages_a_second_and_a_hundred_a_minute() -> None:
    assert EXCHANGES["upbit"].messages == (Budget(5, 1.0), Budget(100, 60.0))
