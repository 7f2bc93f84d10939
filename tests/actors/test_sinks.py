"""Where alerts are sent, over real HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from ticklane.actors import AlertmanagerSink, Sink, WebhookSink, sink_of
from ticklane.messages import (
    Alert,
    AlertNotice,
    AlertNotTaken,
    AnomalyAlert,
    InvalidOption,
    Severity,
)
from ticklane.runtime import HttpPost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ticklane.tests.actors.conftest import WebServer

PRIVATE = "hunter2"
ANOMALY = AnomalyAlert(
    kind="QUEUE_STALL",
    severity=Severity.ERROR,
    message="upbit:KRW-BTC stands still: look at what its handler waits for",
    key="upbit:KRW-BTC",
    value=12.5,
    threshold=3.0,
)
FIRING = Alert(anomaly=ANOMALY, starts_unix_s=1_700_000_000.0)
ENDED = Alert(
    anomaly=attrs.evolve(ANOMALY, key="upbit:KRW-ETH"),
    starts_unix_s=1_700_000_000.0,
    ends_unix_s=1_700_000_060.5,
)
NOTICE = AlertNotice(
    kind="QUEUE_STALL", exchange="upbit", alerts=(FIRING, ENDED), at_unix_s=1_700_000_100.0
)
LABELS = {
    "alertname": "QUEUE_STALL",
    "kind": "QUEUE_STALL",
    "severity": "critical",
    "exchange": "upbit",
    "symbol": "KRW-BTC",
}


def test_a_webhook_gets_alertmanagers_payload_version_4(server: WebServer) -> None:
    sink_of(f"webhook+{server.url}/hooks/{PRIVATE}").send(NOTICE)
    (posted,) = server.posts

    assert posted.path == f"/hooks/{PRIVATE}"
    assert posted.headers["Content-Type"] == "application/json"
    assert {name: value for name, value in posted.body.items() if name != "alerts"} == {
        "version": "4",
        "groupKey": '{}:{alertname="QUEUE_STALL", exchange="upbit"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ticklane",
        "groupLabels": {"alertname": "QUEUE_STALL", "exchange": "upbit"},
        "commonLabels": {name: text for name, text in LABELS.items() if name != "symbol"},
        "commonAnnotations": {
            "description": ANOMALY.message,
            "value": "12.5",
            "threshold": "3",
        },
        "externalURL": "",
    }


def test_each_alert_of_it_says_how_it_stands(server: WebServer) -> None:
    sink_of(server.url).send(NOTICE)
    firing, ended = server.posts[0].body["alerts"]

    assert {name: firing[name] for name in ("status", "labels", "startsAt", "endsAt")} == {
        "status": "firing",
        "labels": LABELS,
        "startsAt": "2023-11-14T22:13:20.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
    }
    assert (ended["status"], ended["endsAt"]) == ("resolved", "2023-11-14T22:14:20.500Z")
    assert len({firing["fingerprint"], ended["fingerprint"]}) == 2


def test_a_feeds_alert_names_the_feed_and_no_symbol(server: WebServer) -> None:
    feed = Alert(
        anomaly=AnomalyAlert(
            kind="FEED_LOST", severity=Severity.WARN, message="look", key="upbit#2"
        ),
        starts_unix_s=0.0,
    )
    sink_of(server.url).send(attrs.evolve(NOTICE, alerts=(feed,)))

    assert server.posts[0].body["alerts"][0]["labels"] == {
        "alertname": "FEED_LOST",
        "kind": "FEED_LOST",
        "severity": "warning",
        "exchange": "upbit",
        "feed": "upbit#2",
    }


def test_a_notice_of_ends_only_is_resolved(server: WebServer) -> None:
    sink_of(server.url).send(attrs.evolve(NOTICE, alerts=(ENDED,)))

    assert server.posts[0].body["status"] == "resolved"


def test_alertmanager_gets_what_its_api_takes(server: WebServer) -> None:
    sink_of(f"alertmanager+{server.url}/").send(NOTICE)
    (posted,) = server.posts

    assert posted.path == "/api/v2/alerts"
    assert [(alert["startsAt"], alert["endsAt"]) for alert in posted.body] == [
        ("2023-11-14T22:13:20.000Z", "2023-11-14T22:19:00.000Z"),
        ("2023-11-14T22:13:20.000Z", "2023-11-14T22:14:20.500Z"),
    ]
    assert posted.body[0]["labels"] == LABELS


ALERTMANAGER = shutil.which("prometheus-alertmanager")


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a real Alertmanager, as Debian has it, or skip."""
    if ALERTMANAGER is None:
        pytest.skip("prometheus-alertmanager is not installed")
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    options = {
        "config.file": config,
        "storage.path": tmp_path,
        "web.listen-address": address,
        "cluster.listen-address": "",
    }
    process = subprocess.Popen(  # noqa: S603 - it is Debian's
        [ALERTMANAGER, *(f"--{name}={value}" for name, value in options.items())],
        stderr=subprocess.DEVNULL,
    )
    yield f"http://{address}"
    process.terminate()
    process.wait()


def test_a_real_alertmanager_takes_it(alertmanager: str) -> None:
    now = datetime.now(UTC).timestamp()
    firing = attrs.evolve(FIRING, starts_unix_s=now - 60)
    notice = AlertNotice(kind="", exchange="", alerts=(firing,), at_unix_s=now)
    sink, deadline = AlertmanagerSink(alertmanager), time.monotonic() + 10.0
    while not taken(sink, notice):
        assert time.monotonic() < deadline
    url = f"{alertmanager}/api/v2/alerts"
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        (known,) = json.load(answer)

    assert known["labels"] == LABELS
    assert known["status"]["state"] in {"active", "unprocessed"}


def taken(sink: Sink, notice: AlertNotice) -> bool:
    try:
        sink.send(notice)
    except AlertNotTaken:
        threading.Event().wait(0.05)
        return False
    return True


@pytest.mark.parametrize(("status", "retry"), [(500, True), (429, True), (404, False)])
def test_a_refusal_says_whether_it_is_worth_another_try(
    server: WebServer, status: int, retry: bool
) -> None:
    server.status = status
    with pytest.raises(AlertNotTaken, match=f"^HTTP {status}$") as refusal:
        sink_of(server.url).send(NOTICE)

    assert refusal.value.retry is retry


def test_a_redirection_is_not_followed(server: WebServer) -> None:
    server.status = 302
    with pytest.raises(AlertNotTaken, match=r"^HTTP 302$"):
        sink_of(server.url).send(NOTICE)

    assert len(server.posts) == 1


def test_name_and_password_are_sent_as_a_header(server: WebServer) -> None:
    sink_of(server.url.replace("//", "//name:word@")).send(NOTICE)

    assert server.posts[0].headers["Authorization"] == "Basic bmFtZTp3b3Jk"


def test_a_receiver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticklane.actors.sinks.TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/{PRIVATE}"
        with pytest.raises(AlertNotTaken, match=r"^TimeoutError$"):
            sink_of(url).send(NOTICE)


def test_one_that_is_not_there_is_an_error_to_try_again(server: WebServer) -> None:
    server.server_close()
    with pytest.raises(AlertNotTaken, match=r"^Connection refused$") as error:
        sink_of(f"{server.url}/{PRIVATE}").send(NOTICE)

    assert error.value.retry


@pytest.fixture
def secure(
    certificate: Path, new_server: Callable[..., AbstractContextManager[WebServer]]
) -> Iterator[WebServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with new_server(tls) as running:
        yield running


def test_https_works_with_authorities_of_the_hosts_own(
    secure: WebServer, certificate: Path
) -> None:
    tls = ssl.create_default_context(cafile=str(certificate))
    WebhookSink(secure.url, post=HttpPost(tls)).send(NOTICE)

    assert len(secure.posts) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: WebServer) -> None:
    with pytest.raises(AlertNotTaken, match="CERTIFICATE_VERIFY_FAILED"):
        sink_of(f"{secure.url}/{PRIVATE}").send(NOTICE)

    assert secure.posts == []


@pytest.mark.parametrize(
    "url", [f"https:///{PRIVATE}", f"alertmanager+ftp://{PRIVATE}", f"webhook+http://h:{PRIVATE}/"]
)
def test_a_url_that_names_no_receiver_is_refused(url: str) -> None:
    with pytest.raises(InvalidOption, match="alerts must be URLs as") as error:
        sink_of(url)

    assert not [text for text in (str(error.value), repr(error.value)) if f"/{PRIVATE}" in text]


@pytest.mark.parametrize(
    "sink",
    [
        WebhookSink(f"https://name:{PRIVATE}@host/{PRIVATE}"),
        AlertmanagerSink(f"https://name:{PRIVATE}@host/{PRIVATE}"),
    ],
)
def test_a_sink_shows_no_secret(sink: Sink) -> None:
    assert sink.name.endswith("https://host/…")
    assert PRIVATE not in repr(sink)


def test_a_sink_of_the_hosts_own_is_taken_as_it_is() -> None:
    sink = WebhookSink("https://host/")

    assert sink_of(sink) is sink


def test_what_is_neither_a_url_nor_a_sink_is_refused() -> None:
    with pytest.raises(InvalidOption, match="alerts must be URLs, or sinks with name"):
        sink_of(print)  # type: ignore[arg-type]


def test_reminding_needs_a_time() -> None:
    with pytest.raises(InvalidOption, match="resend_s must be a number above 0, not 0"):
        AlertmanagerSink("http://host:9093", resend_s=0)
