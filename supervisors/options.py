"""What a host's options and arguments may be, where nobody who gets them would say so."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from ..analysis.checks import check_positive, check_whole
from ..messages import InvalidOption

__all__ = ["a", "count", "handler", "mapping", "path", "positive", "settings", "several"]

_Option = TypeVar("_Option")


def a(kind: type[_Option], name: str, given: object, allowed: str) -> _Option:
    """Return what was given, if it is of that kind; raises InvalidOption."""
    if not isinstance(given, kind):
        raise InvalidOption(name, given, allowed)
    return given


def settings(kind: type[_Option], name: str, given: object) -> _Option:
    """Return the settings that were given, the default ones for None; raises InvalidOption."""
    return kind() if given is None else a(kind, name, given, f"{kind.__name__}(...)")


def several(kind: type[_Option], name: str, given: object, allowed: str) -> tuple[_Option, ...]:
    """Return what was given as a tuple, if each is of that kind; raises InvalidOption."""
    # A string is several strings, too, one a letter: never what was meant.
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidOption(name, given, allowed)
    return tuple(a(kind, name, each, allowed) for each in given)


def mapping(name: str, given: Mapping[str, int] | None) -> Mapping[str, int]:
    """Return what was given, if it is a mapping, an empty one for None; raises InvalidOption."""
    if given is not None and not isinstance(given, Mapping):
        raise InvalidOption(name, given, "a mapping of names to numbers")
    return given or {}


def path(name: str, given: str | Path | None) -> str | Path | None:
    """Return what was given, if it may name a file, or is None; raises InvalidOption."""
    if given is not None and not isinstance(given, str | Path):
        raise InvalidOption(name, given, "a str or a Path")
    return given


def positive(name: str, given: float) -> float:
    """Return what was given, if it is a number above 0; raises InvalidOption."""
    check_positive(name, given)
    return given


def count(name: str, given: int) -> int:
    """Return what was given, if it is a whole number from 1; raises InvalidOption."""
    check_whole(name, given, 1)
    return given


def handler(name: str, given: object) -> None:
    """Raise InvalidOption for what cannot be called, or would only be waiting for an `await`."""
    if not callable(given) or inspect.iscoroutinefunction(given):
        allowed = "a plain function (`stream(key)` is what asyncio programs read)"
        raise InvalidOption(name, given, allowed)
