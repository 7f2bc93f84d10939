"""The budget of connection attempts that all feeds of an exchange share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import attrs
import pytest

from ticklane.actors import ConnectGate
from ticklane.exchanges import EXCHANGES

UPBIT = EXCHANGES["upbit"].connects
SECOND_NS = 1_000_000_000


@attrs.define
class SetClock:
    """A clock that stands where it is put."""

    at_ns: int = 5 * SECOND_NS

    def now_ns(self) -> int:
        return self.at_ns

    def unix_s(self) -> float:
        return 0.0


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def gate(clock: SetClock) -> ConnectGate:
    return ConnectGate(clock)


def let_in(gate: ConnectGate, exchange: str) -> Iterator[float]:
    """Enter until told to wait; yield what was told each time."""
    for _ in count():
        yield (wait_s := gate.enter(exchange))
        if wait_s:
            return


def test_as_many_may_connect_at_once_as_the_exchange_allows(gate: ConnectGate) -> None:
    told = list(let_in(gate, "upbit"))

    assert told == [0.0] * UPBIT.count + [UPBIT.seconds]


def test_waiting_as_long_as_told_is_enough(gate: ConnectGate, clock: SetClock) -> None:
    *_, wait_s = let_in(gate, "upbit")
    clock.at_ns += int(wait_s * SECOND_NS)

    assert gate.enter("upbit") == 0.0


def test_being_told_to_wait_spends_nothing(gate: ConnectGate, clock: SetClock) -> None:
    list(let_in(gate, "upbit"))
    clock.at_ns += SECOND_NS // 4
    waits = [gate.enter("upbit") for _ in range(3)]

    assert waits == [0.75, 0.75, 0.75]


def test_each_exchange_has_a_budget_of_its_own(gate: ConnectGate) -> None:
    list(let_in(gate, "upbit"))

    assert gate.enter("binance") == 0.0


def test_no_more_get_in_however_many_come_at_once(gate: ConnectGate) -> None:
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: gate.enter("upbit"), range(100)))

    assert told.count(0.0) == UPBIT.count
