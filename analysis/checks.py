"""What an option's value may be; whatever else raises InvalidOption."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeGuard

from ..messages import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

__all__ = [
    "check_finite",
    "check_positive",
    "check_whole",
    "is_number",
    "not_negative",
    "positive",
    "whole_number",
]


def is_number(value: object) -> TypeGuard[float]:
    """Say whether `value` is an int or a float with a finite value; a bool is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def positive(_: object, option: attrs.Attribute[Any], value: object) -> None:
    """Allow numbers above 0."""
    check_positive(option.name, value)


def not_negative(_: object, option: attrs.Attribute[Any], value: object) -> None:
    """Allow numbers from 0."""
    if not is_number(value) or value < 0:
        raise InvalidOption(option.name, value, "a number, at least 0")


def whole_number(least: int) -> Callable[[object, attrs.Attribute[Any], Any], None]:
    """Return a validator that allows ints from `least`."""

    def check(_: object, option: attrs.Attribute[Any], value: object) -> None:
        check_whole(option.name, value, least)

    return check


def check_positive(name: str, value: object) -> None:
    """Raise InvalidOption for what is no number above 0."""
    if not is_number(value) or value <= 0:
        raise InvalidOption(name, value, "a number above 0")


def check_finite(name: str, value: object) -> None:
    """Raise InvalidOption for what is no number of seconds, or has no end."""
    # Who waits until a time that is not a number waits for ever, at full speed.
    if not is_number(value):
        raise InvalidOption(name, value, "a finite number of seconds")


def check_whole(name: str, value: object, least: int) -> None:
    """Raise InvalidOption for what is no int from `least`; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidOption(name, value, f"a whole number, at least {least}")
