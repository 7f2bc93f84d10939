"""The machine a host subclasses: it finds races, and says them in few steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from ticklane import Feed, Snapshot
from ticklane.analysis import Freshness
from ticklane.messages import FeedConnected
from ticklane.simulation.market_machine import MarketMachine

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.messages import FeedEvent

UPBIT, BINANCE = "upbit:KRW-BTC", "binance:BTCUSDT"


def run(machine: type[MarketMachine], examples: int = 10, *, shrinks: bool = False) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            derandomize=True,
            suppress_health_check=[*HealthCheck],
            phases=[Phase.generate, *[Phase.shrink] * shrinks],
        ),
    )


def test_handlers_that_are_right_pass() -> None:
    seen: list[Any] = []

    class Right(MarketMachine):
        def on_snapshot(self, snapshot: Snapshot) -> None:
            seen.append(snapshot)

        def on_event(self, event: FeedEvent) -> None:
            seen.append(event)

    run(Right)

    assert {type(each) for each in seen} >= {Snapshot, FeedConnected}
    assert {each.key for each in seen} == {UPBIT, BINANCE}


class Racing(MarketMachine):
    """Takes it for granted that what is said first is heard first, on two exchanges."""

    # So many rules less: they would only make it slow to shrink.
    books_burst = something_fails = host_restarts = None  # type: ignore[assignment]
    rate = 0.0
    steps: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.pairs = 0
        self.heard: list[str] = []
        type(self).steps = ()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self.heard.append(snapshot.exchange)
        assert self.heard.count("upbit") >= self.heard.count("binance")

    @rule()
    def a_pair_comes(self) -> None:
        type(self).steps += ("a pair comes",)
        self.pairs += 1
        for name, symbol in (("upbit", "KRW-BTC"), ("binance", "BTCUSDT")):
            exchange = self.exchanges[name]
            book = Snapshot(name, symbol, ((1.0, 1.0),), ((2.0, 1.0),), self.pairs, self.pairs)
            exchange.model.publish(book, exchange.now_s)

    @rule(seconds=st.just(0.01))
    def time_passes(self, seconds: float) -> None:
        type(self).steps += ("time passes",)
        super().time_passes(seconds)


def test_a_race_in_a_host_s_handler_is_found_and_told_in_few_steps() -> None:
    with pytest.raises(AssertionError):
        run(Racing, examples=100, shrinks=True)

    assert Racing.steps == ("a pair comes", "time passes")


def test_what_a_handler_raises_fails_the_test_as_it_is() -> None:
    class Raising(MarketMachine):
        feeds = (Feed("binance", ["BTCUSDT"]),)

        def on_snapshot(self, snapshot: Snapshot) -> None:
            raise KeyError(snapshot.key)

    with pytest.raises(KeyError, match=BINANCE):
        run(Raising)


def test_every_key_has_a_handler_of_its_own_and_a_new_one_after_a_restart() -> None:
    made: list[list[str]] = []

    class Made(MarketMachine):
        options = {"overflow": "conflate"}  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            self.made: list[str] = []
            made.append(self.made)

        def make_handler(self, key: str) -> Callable[[Snapshot], object]:
            self.made.append(key)
            return super().make_handler(key)

    run(Made)

    assert all(each[:2] == [UPBIT, BINANCE] for each in made)
    assert max(map(len, made)) >= 4


def test_a_mistake_of_ours_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "_has_seen", lambda *_: False)

    with pytest.raises(AssertionError, match="snapshots_come_in_order"):
        run(MarketMachine, examples=50)
