"""What every fault is: when, where, for how long, and what is to be noticed of it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import attrs

from ..analysis.checks import not_negative, whole_number
from ..exchanges import exchange_named, parse_key
from ..messages import InvalidOption
from .scene import Scene

__all__ = ["ExchangeFault", "Fault", "StreamFault", "SymbolFault", "Symptom"]


@attrs.frozen
class Symptom:
    """The anomaly a fault should raise."""

    kinds: frozenset[str]
    """Any of these."""
    within_s: float
    """How long after the fault's beginning at most."""
    clears_s: float
    """How long after the fault's end at most it is cleared; infinite where it is for ever."""


@attrs.frozen
class Fault(ABC):
    """Something that goes wrong at `at_s` seconds after the beginning.

    Raises InvalidOption for a value that is not allowed.
    """

    at_s: float = attrs.field(validator=not_negative)

    @property
    def place(self) -> str:
        """What it touches: an exchange, a key, or nothing for the machine itself."""
        return ""

    @property
    def lasts_s(self) -> float:
        """How long it goes on; 0.0 where it is over at once."""
        return 0.0

    @property
    def settles_s(self) -> float:
        """How long after its end its place may still be out of order."""
        return 60.0

    def symptom(self, rate: float) -> Symptom | None:  # noqa: ARG002 - most do not depend on it
        """Return what is sure to be noticed where `rate` books a second come; None: nothing."""
        return None

    @abstractmethod
    def begin(self, scene: Scene) -> None:
        """Let it happen now, and end by itself."""


@attrs.frozen
class ExchangeFault(Fault):
    """Something an exchange does to all its clients."""

    target: str = attrs.field()

    @target.validator
    def _check_target(self, _: object, target: str) -> None:
        if not isinstance(target, str):
            raise InvalidOption("target", target, "an exchange")
        exchange_named(target)

    @property
    def place(self) -> str:
        """The exchange."""
        return self.target


@attrs.frozen
class SymbolFault(Fault):
    """Something that happens to the handlers of one symbol."""

    target: str = attrs.field()

    @target.validator
    def _check_target(self, _: object, target: str) -> None:
        parse_key(target)

    @property
    def place(self) -> str:
        """The key."""
        return self.target


@attrs.frozen
class StreamFault(Fault):
    """Something that happens to the next frames with books, of one symbol or of all."""

    target: str = attrs.field()
    frames: int = attrs.field(default=1, kw_only=True, validator=whole_number(1))

    @target.validator
    def _check_target(self, _: object, target: str) -> None:
        if not isinstance(target, str):
            raise InvalidOption("target", target, "an exchange, or a key like upbit:KRW-BTC")
        if ":" in target:
            parse_key(target)
        else:
            exchange_named(target)

    @property
    def place(self) -> str:
        """The exchange, or the key."""
        return self.target

    @property
    def symbol(self) -> str | None:
        """The symbol whose frames they are; None for all."""
        return self.target.partition(":")[2] or None
