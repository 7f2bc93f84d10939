"""Where the log goes while a command runs."""

import pytest
from loguru import logger

from ticklane.console.logs import logging_to_stderr


def test_a_line_has_time_level_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("WARNING"):
        logger.warning("{} is late", "upbit:KRW-BTC")

    time, rest = capsys.readouterr().err.split(maxsplit=1)
    assert len(time) == len("12:34:56")
    assert rest == "WARNING upbit:KRW-BTC is late\n"


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("WARNING"):
        logger.info("nothing special")

    assert capsys.readouterr().err == ""


def test_nothing_is_logged_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("INFO"):
        pass
    logger.error("too late")

    assert capsys.readouterr().err == ""
