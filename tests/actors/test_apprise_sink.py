"""Sending alerts by apprise, over real HTTP."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from ticklane.actors import AppriseSink, sink_of
from ticklane.messages import (
    Alert,
    AlertNotice,
    AlertNotTaken,
    AnomalyAlert,
    InvalidOption,
    MissingExtra,
    Severity,
)

if TYPE_CHECKING:
    from ticklane.tests.actors.conftest import WebServer

# What it imports when it is first used.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PRIVATE = "hunter2"
ANOMALY = AnomalyAlert(
    kind="QUEUE_STALL", severity=Severity.ERROR, message="it stands still", key="upbit:KRW-BTC"
)
FIRING = Alert(anomaly=ANOMALY, starts_unix_s=1_700_000_000.0)
ENDED = Alert(anomaly=ANOMALY, starts_unix_s=1_700_000_000.0, ends_unix_s=1_700_000_060.0)
NOTICE = AlertNotice(
    kind="QUEUE_STALL", exchange="upbit", alerts=(FIRING, ENDED), at_unix_s=1_700_000_100.0
)


@pytest.fixture(autouse=True)
def _apprise() -> None:
    pytest.importorskip("apprise")


def test_apprise_sends_words(server: WebServer) -> None:
    sink_of(server.url.replace("http", "json")).send(NOTICE)
    body = server.posts[0].body

    assert body["title"] == "[firing: 1] QUEUE_STALL upbit"
    assert body["message"].splitlines() == [
        f"ERROR: {ANOMALY.message}",
        "resolved: QUEUE_STALL of upbit:KRW-BTC",
    ]


def test_what_apprise_cannot_deliver_is_tried_again(server: WebServer) -> None:
    server.status = 500
    with pytest.raises(AlertNotTaken) as error:
        sink_of(server.url.replace("http", "json")).send(NOTICE)

    assert error.value.retry


def test_without_apprise_its_urls_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(MissingExtra, match=r"ticklane\[alerts\]") as error:
        sink_of(f"tgram://{PRIVATE}/chat")

    assert PRIVATE not in str(error.value)


def test_a_url_that_apprise_does_not_know_is_refused_unseen() -> None:
    with pytest.raises(InvalidOption, match="alerts must be URLs that apprise") as error:
        sink_of(f"nothing-like-it://{PRIVATE}/chat")

    assert PRIVATE not in f"{error.value}{error.value!r}"


def test_apprise_shows_no_secret() -> None:
    assert repr(AppriseSink(f"json://host/{PRIVATE}")) == "AppriseSink(json://…)"


@pytest.mark.parametrize("url", [f"json://name:{PRIVATE}@127.0.0.1:1/{PRIVATE}", "json://"])
def test_apprise_logs_nothing_of_ours(caplog: pytest.LogCaptureFixture, url: str) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises((AlertNotTaken, InvalidOption)):
        sink_of(url).send(NOTICE)

    assert [each for each in caplog.records if each.name != "asyncio"] == []


def test_apprise_logs_for_others_as_before(caplog: pytest.LogCaptureFixture) -> None:
    AppriseSink(f"json://host/{PRIVATE}")
    logging.getLogger("apprise").warning("of the host's own")

    assert "of the host's own" in caplog.messages
