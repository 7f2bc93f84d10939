"""Messages nobody could take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loguru import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticklane.tests.conftest import Stepped

SECOND = 1_000_000_000


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Yield what the library logs during the test."""
    lines: list[str] = []
    logger.enable("ticklane")
    sink = logger.add(lambda line: lines.append(line.record["message"]), format="{message}")
    yield lines
    logger.remove(sink)
    logger.disable("ticklane")


def test_they_are_counted_by_reason(stepped: Stepped) -> None:
    for reason in ("stopped", "unhandled", "stopped"):
        stepped.dead_letters.add(reason, "message")

    assert stepped.dead_letters.counts() == {"stopped": 2, "unhandled": 1}


def test_counts_given_out_do_not_change_later(stepped: Stepped) -> None:
    before = stepped.dead_letters.counts()
    stepped.dead_letters.add("stopped", "message")

    assert before == {}


def test_the_log_names_the_reason_and_the_message(stepped: Stepped, logged: list[str]) -> None:
    stepped.dead_letters.add("unhandled", {"what": 1})

    assert logged == ["dead letter (unhandled): {'what': 1}"]


def test_at_most_three_a_second_are_logged_and_all_are_counted(
    stepped: Stepped, logged: list[str]
) -> None:
    for _ in range(1000):
        stepped.dead_letters.add("stopped", "message")

    assert (len(logged), stepped.dead_letters.counts()) == (3, {"stopped": 1000})


def test_the_next_second_has_three_of_its_own(stepped: Stepped, logged: list[str]) -> None:
    for _ in range(2):
        for _ in range(10):
            stepped.dead_letters.add("stopped", "message")
        stepped.time.ns += SECOND

    assert len(logged) == 6
