"""What a host may not give: each an error that says what was given, and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from ticklane import Feed, MarketData, Snapshot
from ticklane.messages import InvalidOption
from ticklane.simulation import World

KEY = "bench:S0"


async def later(_: object) -> None:
    """Be called, and do nothing before somebody awaits it."""


def said(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidOption) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("option", "given", "allowed"),
    [
        ("feeds", "upbit", "a list of Feed(...)"),
        ("feeds", None, "a list of Feed(...)"),
        ("symbols", KEY, "a list of keys"),
        ("thresholds", 5, "a mapping of names to numbers"),
        ("adaptive", {KEY: True}, "True or False"),
        ("log", 5, "a str or a Path"),
        ("record", b"frames.txt", "a str or a Path"),
        ("alerts", 5, "several URLs or sinks: a tuple"),
        ("alerts", None, "several URLs or sinks: a tuple"),
        ("alert_settings", {}, "AlertSettings(...)"),
        ("restarts", 3, "RestartPolicy(...)"),
        ("interval_s", "1", "a number above 0"),
        ("interval_s", math.inf, "a number above 0"),
        ("max_symbols", 0, "a whole number, at least 1"),
        ("max_symbols", None, "a whole number, at least 1"),
        ("max_symbols", 1.5, "a whole number, at least 1"),
        (
            "auto_recover",
            None,
            "a bool, or names among restart_symbol, shed_symbol, reconnect_feed",
        ),
    ],
)
def test_an_option_that_is_not_allowed_is_named(option: str, given: object, allowed: str) -> None:
    options: dict[str, Any] = {option: given}

    assert said(lambda: MarketData(**options)) == f"{option} must be {allowed}, not {given!r}"


def test_what_is_no_feed_among_feeds_is_named() -> None:
    feeds: list[Any] = [Feed("upbit", ["KRW-BTC"]), "binance"]

    assert said(lambda: MarketData(feeds)) == "feeds must be a list of Feed(...), not 'binance'"


@pytest.mark.parametrize("given", [None, 5, later])
@pytest.mark.parametrize("name", ["handler", "on_event", "callback"])
def test_what_cannot_handle_anything_is_refused_when_it_is_given(name: str, given: Any) -> None:
    market = MarketData(symbols=[KEY])
    wrong: Any = given or "none"
    calls: dict[str, Callable[[], object]] = {
        "handler": lambda: market.subscribe(KEY, given),
        "on_event": lambda: market.subscribe(KEY, print, on_event=wrong),
        "callback": lambda: market.on_anomaly(given),
    }

    assert said(calls[name]).startswith(f"{name} must be a plain function")


@pytest.mark.parametrize("timeout", [math.nan, math.inf, None, "1"])
@pytest.mark.parametrize("call", ["wait_for", "stop"])
def test_a_timeout_that_never_comes_is_refused(call: str, timeout: Any) -> None:
    market = MarketData(symbols=[KEY], dispatcher=World())
    market.start()
    calls: dict[str, Callable[[], object]] = {
        "wait_for": lambda: market.wait_for(KEY, timeout),
        "stop": lambda: market.stop(timeout=timeout),
    }

    assert said(calls[call]) == f"timeout must be a finite number of seconds, not {timeout!r}"


def test_a_stop_that_was_refused_has_stopped_nothing() -> None:
    market = MarketData(symbols=[KEY], dispatcher=World())
    market.start()
    said(lambda: market.stop(timeout=math.nan))

    assert market.offer(Snapshot("bench", "S0", (), ())).taken


@pytest.mark.parametrize(
    ("exchange", "symbol", "given"),
    [
        ("", "S0", "key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not ':S0'"),
        ("bench", "", "key must be of the form exchange:SYMBOL, like upbit:KRW-BTC, not 'bench:'"),
        ("be:nch", "S0", "exchange must be a name without a colon, not 'be:nch'"),
    ],
)
def test_a_snapshot_that_makes_no_key_is_refused(exchange: str, symbol: str, given: str) -> None:
    market = MarketData(dispatcher=World())

    assert said(lambda: market.offer(Snapshot(exchange, symbol, (), ()))) == given


def test_a_symbol_with_a_colon_keeps_its_own_mailbox() -> None:
    market = MarketData(dispatcher=World())
    book = Snapshot("be", "nch:S0", (), ())
    market.offer(book)
    with pytest.raises(InvalidOption):
        market.offer(Snapshot("be:nch", "S0", (), ()))

    assert market.latest("be:nch:S0") is book
