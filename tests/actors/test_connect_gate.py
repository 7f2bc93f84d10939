"""The budget of connection attempts that all feeds of an exchange share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import attrs
import pytest

from ticklane.actors import ConnectGate
from ticklane.exchanges import EXCHANGES
from ticklane.messages import Refusal
from ticklane.runtime import SystemClock

(UPBIT,) = EXCHANGES["upbit"].connects
BASES = {name: row.endpoints[0] for name, row in EXCHANGES.items()}
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
        yield (wait_s := gate.enter(exchange, BASES[exchange]))
        if wait_s:
            return


def test_as_many_may_connect_at_once_as_the_exchange_allows(gate: ConnectGate) -> None:
    told = list(let_in(gate, "upbit"))

    assert told == [0.0] * UPBIT.count + [UPBIT.seconds]


def test_waiting_as_long_as_told_is_enough(gate: ConnectGate, clock: SetClock) -> None:
    *_, wait_s = let_in(gate, "upbit")
    clock.at_ns += int(wait_s * SECOND_NS)

    assert gate.enter("upbit", BASES["upbit"]) == 0.0


def test_being_told_to_wait_spends_nothing(gate: ConnectGate, clock: SetClock) -> None:
    list(let_in(gate, "upbit"))
    clock.at_ns += SECOND_NS // 4
    waits = [gate.enter("upbit", BASES["upbit"]) for _ in range(3)]

    assert waits == [0.75, 0.75, 0.75]


def test_each_exchange_has_a_budget_of_its_own(gate: ConnectGate) -> None:
    list(let_in(gate, "upbit"))

    assert gate.enter("binance", BASES["binance"]) == 0.0


def test_no_more_get_in_however_many_come_at_once(gate: ConnectGate) -> None:
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: gate.enter("upbit", BASES["upbit"]), range(100)))

    assert told.count(0.0) == UPBIT.count


def test_an_exchanges_own_endpoints_share_a_budget(gate: ConnectGate) -> None:
    first, second, *_ = EXCHANGES["binance"].endpoints
    (allowed,) = EXCHANGES["binance"].connects
    told = [gate.enter("binance", first) for _ in range(allowed.count)]

    assert set(told) == {0.0}
    assert gate.enter("binance", second) > 0


def test_an_address_of_the_hosts_has_a_budget_of_its_own(gate: ConnectGate) -> None:
    list(let_in(gate, "upbit"))

    assert gate.enter("upbit", "ws://127.0.0.1:1") == 0.0


def test_a_ban_keeps_everybody_away_and_spends_nothing(gate: ConnectGate, clock: SetClock) -> None:
    gate.refused("upbit", BASES["upbit"], Refusal("ban", 30.0))
    banned = gate.enter("upbit", BASES["upbit"])
    clock.at_ns += 30 * SECOND_NS

    assert banned == 30.0
    assert [*let_in(gate, "upbit")].count(0.0) == UPBIT.count


def test_a_connection_made_ends_the_growth_of_bans(gate: ConnectGate, clock: SetClock) -> None:
    waits = []
    for admitted in (False, False, True):
        if admitted:
            gate.admitted("upbit", BASES["upbit"])
        gate.refused("upbit", BASES["upbit"], Refusal("ban"))
        waits.append(gate.enter("upbit", BASES["upbit"]))
        clock.at_ns += 1000 * SECOND_NS

    assert waits == [60.0, 120.0, 60.0]


def test_all_on_the_real_clock_share_the_gate_of_the_process() -> None:
    assert ConnectGate.of(SystemClock()) is ConnectGate.of(SystemClock())


def test_each_world_has_a_gate_of_its_own(clock: SetClock) -> None:
    first, second, other = ConnectGate.of(clock), ConnectGate.of(clock), ConnectGate.of(SetClock())

    assert first is second
    assert len({id(each) for each in (first, other, ConnectGate.of(SystemClock()))}) == 3
