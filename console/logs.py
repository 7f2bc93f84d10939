"""Where the library's log goes while a command runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

__all__ = ["logging_to_stderr"]

_FORMAT = "{time:HH:mm:ss} {level:<7} {message}"


@contextmanager
def logging_to_stderr(level: str) -> Iterator[None]:
    """Enable the library's log on stderr, from `level` on, until left; the only sink meanwhile."""
    logger.configure(handlers=[{"sink": _write, "level": level, "format": _FORMAT, "filter": _new}])
    logger.enable("ticklane")
    try:
        yield
    finally:
        logger.disable("ticklane")
        logger.remove()


def _write(line: "Message") -> None:
    # Looked up for every line: a live table takes the place of sys.stderr to print above itself.
    sys.stderr.write(line)


def _new(record: "Record") -> bool:
    # Commands print anomalies themselves, raised and cleared, at every level.
    return (record["name"], record["function"]) != ("ticklane.actors.analyzer", "_tell")
