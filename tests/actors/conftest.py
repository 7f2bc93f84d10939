"""What the tests of actors listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loguru import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loguru import Message


@pytest.fixture
def logged() -> Iterator[list[Message]]:
    """Return what the library logs during the test, live."""
    messages: list[Message] = []
    sink = logger.add(messages.append, format="{level} {message}")
    logger.enable("ticklane")
    yield messages
    logger.disable("ticklane")
    logger.remove(sink)
