"""Every error Ticklane raises, named by whose fault it is.

TicklaneError
    UsageError             you asked for something that cannot be
        InvalidOption      an option's value is not allowed        (ValueError)
        UnknownKey         no such key                             (LookupError)
        WrongState         not now: start() after stop(), ...      (RuntimeError)
        TooManySymbols     max_symbols is reached                  (RuntimeError)
        MissingExtra       an optional dependency is not installed (ImportError)
    ExchangeFault          the exchange sent what it should not
        BadFrame           a frame that cannot be understood       (ValueError)
        ExchangeReplied    the exchange answered with an error
    AlertNotTaken          a receiver did not take an alert
    WaitTimeout            what was waited for did not come        (TimeoutError)
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from typing import Any

__all__ = [
    "AlertNotTaken",
    "BadFrame",
    "Deadlock",
    "ExchangeFault",
    "ExchangeReplied",
    "InvalidOption",
    "MissingExtra",
    "TicklaneError",
    "TooManySymbols",
    "UnknownKey",
    "UsageError",
    "WaitTimeout",
    "WrongState",
]


class TicklaneError(Exception):
    """Base of all errors of this library."""


class UsageError(TicklaneError):
    """The caller asked for something that cannot be."""


class InvalidOption(UsageError, ValueError):
    """An option's value is not allowed; says what was given and what is allowed."""

    def __init__(self, name: str, given: object, allowed: str) -> None:
        super().__init__(name, given, allowed)
        self.name = name
        self.given = given
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.name} must be {self.allowed}, not {self.given!r}"


class UnknownKey(UsageError, LookupError):
    """No feed declares this key and no snapshot has brought it; names near ones."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        super().__init__(key)
        self.key = key
        self._known = [*known]

    @cached_property
    def near(self) -> list[str]:
        """Known keys that look like it; looked for when asked, which takes 50 µs for each key."""
        return get_close_matches(self.key, self._known, n=3, cutoff=0.5)

    def __reduce__(self) -> tuple[type[UnknownKey], tuple[str, list[str]]]:
        return UnknownKey, (self.key, self.near)

    def __str__(self) -> str:
        near = f"; did you mean {', '.join(self.near)}?" if self.near else ""
        return f"unknown key {self.key!r}: no feed declares it and no snapshot has brought it{near}"


class WrongState(UsageError, RuntimeError):
    """The call does not fit the state the object is in."""


class TooManySymbols(UsageError, RuntimeError):
    """One more symbol than `max_symbols` allows."""

    def __init__(self, key: str, max_symbols: int) -> None:
        super().__init__(key, max_symbols)
        self.key = key
        self.max_symbols = max_symbols

    def __str__(self) -> str:
        return f"no room for {self.key!r}: max_symbols is {self.max_symbols}"


class MissingExtra(UsageError, ImportError):
    """An optional dependency is not installed; says how to install it."""

    def __init__(self, needed_for: str, extra: str) -> None:
        super().__init__(needed_for, extra)
        self.needed_for = needed_for
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.needed_for} needs an extra: pip install 'ticklane[{self.extra}]'"


class Deadlock(UsageError, RuntimeError):
    """In virtual time, an answer is waited for that will never come; says who waits for whom."""

    def __init__(self, waits: Iterable[tuple[str, str]]) -> None:
        super().__init__(waits := tuple(waits))
        self.waits = waits

    def __str__(self) -> str:
        chain = ", and ".join(f"{who} waits for {whom}" for who, whom in self.waits)
        return f"deadlock: {chain}"


class ExchangeFault(TicklaneError):
    """The exchange sent what it should not."""


class BadFrame(ExchangeFault, ValueError):
    """A frame that cannot be understood.

    `reason` is one of few fixed words, so that it can be counted; `detail` is for the log.
    """

    def __init__(self, reason: str, detail: Any = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class ExchangeReplied(ExchangeFault):
    """The exchange answered with an error of its own, a rejected subscription above all."""

    def __init__(self, exchange: str, code: str, message: str, symbols: Iterable[str] = ()) -> None:
        super().__init__(exchange, code, message)
        self.exchange = exchange
        self.code = code
        self.message = message
        self.symbols = tuple(symbols)

    @property
    def of_rest(self) -> bool:
        """Whether its REST side said it, not the connection."""
        return self.code.startswith("HTTP ")

    def __str__(self) -> str:
        about = f" (subscription of {', '.join(self.symbols)})" if self.symbols else ""
        return f"{self.exchange} replied {self.code}: {self.message}{about}"


class AlertNotTaken(TicklaneError):
    """A receiver did not take an alert; `reason` holds nothing secret, it goes to the log.

    `retry`: whether to try again; not where the receiver will never take it.
    """

    def __init__(self, reason: str, *, retry: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


class WaitTimeout(TicklaneError, TimeoutError):
    """What was waited for did not come in time."""

    def __init__(self, what: str, timeout: float) -> None:
        super().__init__(what, timeout)
        self.what = what
        self.timeout = timeout

    def __str__(self) -> str:
        return f"no {self.what} within {self.timeout:g} s"
