"""Errors as they are raised, told, and sent to another process."""

from __future__ import annotations

import pickle

import pytest

from ticklane.messages import (
    AlertNotTaken,
    BadFrame,
    Deadlock,
    ExchangeReplied,
    InvalidOption,
    MissingExtra,
    TicklaneError,
    TooManySymbols,
    UnknownKey,
    WaitTimeout,
    WrongState,
)

ERRORS = [
    InvalidOption("capacity", 0, "at least 1"),
    UnknownKey("upbit:KRW-BTD", ["upbit:KRW-BTC", "upbit:KRW-ETH"]),
    WrongState("not now"),
    TooManySymbols("upbit:KRW-BTC", 1),
    MissingExtra("a dashboard", "dashboard"),
    Deadlock([("one", "two")]),
    BadFrame("type", "not a number"),
    ExchangeReplied("upbit", "400", "no such market", ["KRW-BTD"]),
    AlertNotTaken("not found", retry=False),
    WaitTimeout("snapshot", 5.0),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_says_the_same_in_another_process(error: TicklaneError) -> None:
    there = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own

    assert type(there) is type(error)
    assert str(there) == str(error)


def test_near_ones_are_looked_for_when_they_are_asked_for() -> None:
    error = UnknownKey("upbit:KRW-BTD", ["upbit:KRW-BTC"])
    before = "near" in vars(error)

    assert not before
    assert str(error).endswith("; did you mean upbit:KRW-BTC?")


def test_near_ones_are_those_known_when_it_was_raised() -> None:
    known = ["upbit:KRW-BTC"]
    error = UnknownKey("upbit:KRW-BTD", known)
    known.clear()

    assert error.near == ["upbit:KRW-BTC"]
