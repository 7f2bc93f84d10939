"""A metrics log on disk: JSON Lines, one entry a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages import InvalidOption
from .longrun import LongrunAnalyzer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from .longrun_report import LongrunReport

__all__ = ["analyze_longrun_log", "read_longrun_log"]


def analyze_longrun_log(path: str | os.PathLike[str], scenario: str = "S1") -> LongrunReport:
    """Return the report on a metrics log, read line by line.

    A line that is no JSON object, such as the last one of a writer that was killed, is skipped and
    counted in `broken_entries`; an empty one is nothing.

    Raises InvalidOption for an unknown scenario and for a log that cannot be read.
    """
    return LongrunAnalyzer(scenario).analyze_metrics_log(read_longrun_log(path))


def read_longrun_log(path: str | os.PathLike[str]) -> Iterator[object]:
    """Yield the entries of a metrics log; None for a line that is no JSON.

    Raises InvalidOption for a log that cannot be read.
    """
    try:
        with Path(path).open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield _entry(line)
    except OSError as error:
        allowed = f"a metrics log that can be read ({error.strerror})"
        raise InvalidOption("path", str(path), allowed) from error


def _entry(line: bytes) -> object:
    # The standard library reads the NaN that its own writer writes, so that one such value does
    # not cost the whole line.
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
