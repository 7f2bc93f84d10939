"""Where alerts are sent: webhooks and Alertmanager, and which of all sinks a URL names."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from ..analysis.checks import is_number
from ..messages import AlertNotice, AlertNotTaken, InvalidOption
from ..runtime import HttpPost, Post
from .alert_payloads import alertmanager_payload, webhook_payload
from .apprise_sink import AppriseSink
from .endpoint import Endpoint

__all__ = ["AlertmanagerSink", "Sink", "WebhookSink", "sink_of"]

TIMEOUT_S = 5.0
HOLDS = 4
"""Alertmanager forgets an alert that was not sent again for so many intervals."""
_JSON = {"Content-Type": "application/json", "User-Agent": "ticklane"}
_TAKEN, _SERVERS_FAULT = 2, 5
_WORTH_ANOTHER_TRY = {408, 425, 429}


@runtime_checkable
class Sink(Protocol):
    """A receiver of alerts; a host may bring its own."""

    @property
    def name(self) -> str:
        """What it is called in logs and metrics, with nothing secret in it."""

    @property
    def resend_s(self) -> float | None:
        """How often it must be reminded of what fires; None if it remembers."""

    def send(self, notice: AlertNotice) -> None:
        """Deliver a notice; may block for some seconds, on a thread that may be blocked.

        Whatever it raises, the notice is tried again later, unless it is an AlertNotTaken that says
        otherwise.
        """


class WebhookSink:
    """Send to any web server that takes Alertmanager's webhooks, version 4."""

    resend_s: float | None = None

    def __init__(self, url: str, *, post: Post | None = None) -> None:
        self._endpoint = _web(url)
        self._post = post or HttpPost()

    @property
    def name(self) -> str:
        """Scheme and host."""
        return self._endpoint.shown

    def send(self, notice: AlertNotice) -> None:
        """Send it within 5 s; raises AlertNotTaken."""
        _post(self._post, self._endpoint, webhook_payload(notice))

    def __repr__(self) -> str:
        return f"WebhookSink({self.name})"


class AlertmanagerSink:
    """Send to a Prometheus Alertmanager, which groups, mutes and passes on by its own rules.

    `url`: its root, as in `http://host:9093`. What fires is sent again every `resend_s` (60); for
    four times as long Alertmanager takes it to fire.
    """

    def __init__(self, url: str, *, resend_s: float = 60.0, post: Post | None = None) -> None:
        if not is_number(resend_s) or resend_s <= 0:
            raise InvalidOption("resend_s", resend_s, "a number above 0")
        self.resend_s: float | None = resend_s
        self._holds_s = HOLDS * resend_s
        self._shown = _web(url).shown
        self._endpoint = Endpoint(f"{url.rstrip('/')}/api/v2/alerts")
        self._post = post or HttpPost()

    @property
    def name(self) -> str:
        """Scheme and host."""
        return f"alertmanager+{self._shown}"

    def send(self, notice: AlertNotice) -> None:
        """Send it within 5 s; raises AlertNotTaken."""
        _post(self._post, self._endpoint, alertmanager_payload(notice, holds_s=self._holds_s))

    def __repr__(self) -> str:
        return f"AlertmanagerSink({self.name})"


def sink_of(given: str | Sink) -> Sink:
    """Return what a URL names; a sink is returned as it is.

    `https://…` and `webhook+https://…` are webhooks, `alertmanager+http://…` is an Alertmanager
    (`http` and `https` each), anything else is apprise's. Raises InvalidOption, MissingExtra.
    """
    if isinstance(given, Sink):
        return given
    if not isinstance(given, str):
        raise InvalidOption("alerts", given, "URLs, or sinks with name, resend_s and send")
    scheme, plus, _ = given.partition("://")[0].partition("+")
    web = given[len(scheme) + 1 :] if plus else given
    if scheme == "alertmanager" and plus:
        return AlertmanagerSink(web)
    if (scheme == "webhook" and plus) or scheme in {"http", "https"}:
        return WebhookSink(web)
    return AppriseSink(given)


def _web(url: str) -> Endpoint:
    endpoint = Endpoint(url)
    if not endpoint.valid:
        raise InvalidOption("alerts", endpoint, "URLs as https://host/path")
    return endpoint


def _post(post: Post, endpoint: Endpoint, payload: object) -> None:
    headers = {**_JSON, **endpoint.headers}
    try:
        status = post(endpoint.url, msgspec.json.encode(payload), headers, timeout_s=TIMEOUT_S)
    except ConnectionError as error:
        raise AlertNotTaken(str(error)) from None
    kind = status // 100
    if kind != _TAKEN:
        retry = kind == _SERVERS_FAULT or status in _WORTH_ANOTHER_TRY
        raise AlertNotTaken(f"HTTP {status}", retry=retry)
