"""What a host is told of a handler that hangs, and of a queue that stands, in virtual time."""

from ticklane import MarketData
from ticklane.messages import AnomalyAlert, Snapshot
from ticklane.simulation import World

BTC, ETH = "upbit:KRW-BTC", "upbit:KRW-ETH"


class Host:
    """Offers each symbol ten books a second, whose handlers take as long as it says."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        self.cost_s = dict.fromkeys((BTC, ETH), 0.0001)
        self.told: list[tuple[str, str, str | None]] = []
        self.market = MarketData(symbols=[BTC, ETH], dispatcher=self.world)
        self.market.on_anomaly(self._note)
        for key in self.cost_s:
            self.market.subscribe(key, lambda _, key=key: self.world.spend(self.cost_s[key]))
        self.market.start()
        self._number = 0

    def run_for(self, seconds: int) -> None:
        for _ in range(10 * seconds):
            self._number += 1
            for key in self.cost_s:
                exchange, symbol = key.split(":")
                book = Snapshot(exchange, symbol, ((1.0, 1.0),), ((2.0, 1.0),), None, self._number)
                self.market.offer(book)
            self.world.run_for(0.1)

    def _note(self, alert: AnomalyAlert) -> None:
        self.told.append((alert.kind, str(alert.state), alert.key))


def test_a_handler_that_hangs_is_a_stall_of_its_own_symbol_until_it_goes_on() -> None:
    host = Host()
    host.run_for(5)
    host.cost_s[BTC] = 8.0
    host.run_for(1)
    host.cost_s[BTC] = 0.0001
    host.run_for(5)
    hanging = [*host.told]
    host.run_for(10)

    assert hanging == [("QUEUE_STALL", "raised", BTC)]
    assert host.told[1:] == [("QUEUE_STALL", "cleared", BTC)]


def test_a_handler_that_has_become_too_slow_makes_its_own_queue_stand() -> None:
    host = Host()
    host.run_for(70)
    host.cost_s[BTC] = 0.105
    host.run_for(15)
    slow = [*host.told]
    host.cost_s[BTC] = 0.0001
    host.run_for(10)

    assert slow == [("QUEUE_STANDING", "raised", BTC)]
    assert host.told[1:] == [("QUEUE_STANDING", "cleared", BTC)]
    assert host.market.anomalies() == ()
