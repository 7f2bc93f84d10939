"""Metrics over HTTP."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ticklane.dashboard import metrics_app, serve_metrics, serving
from ticklane.messages import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from ticklane import MarketData


def page_of(app: WSGIApplication) -> str:
    environ: dict[str, object] = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    told: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        told.extend((status, dict(headers)["Content-Type"]))

    body = validator(app)(environ, start_response)
    page = b"".join(body).decode()
    body.close()  # type: ignore[attr-defined]
    assert told == ["200 OK", "text/plain; version=0.0.4; charset=utf-8"]
    return page


def test_the_application_keeps_to_wsgi_and_serves_the_page(market: MarketData) -> None:
    families = [*text_string_to_metric_families(page_of(metrics_app(market)))]

    assert "ticklane_build_info" in {family.name for family in families}


def test_a_page_is_made_once_a_second_however_many_ask(
    market: MarketData, offer: Callable[..., None]
) -> None:
    cached, fresh = metrics_app(market, cache_s=60.0), metrics_app(market, cache_s=0.0)
    first = page_of(cached), page_of(fresh)
    offer("BTCUSDT", 1)

    assert page_of(cached) == first[0]
    assert page_of(fresh) != first[1]


def test_a_server_serves_and_leaves_its_port_free(market: MarketData) -> None:
    with serve_metrics(market, port=0) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
    with serve_metrics(market, port=server.port) as again:
        assert again.port == server.port

    assert answer.status == 200
    assert "ticklane_mailbox_depth{" in body


def test_a_client_that_asks_for_nothing_is_not_worth_a_traceback(
    market: MarketData, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving._Quiet, "timeout", 0.05)
    with (
        serve_metrics(market, port=0) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle,
    ):
        closed = idle.recv(1)

    assert (closed, capfd.readouterr().err) == (b"", "")


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_a_clear_error(market: MarketData, port: int) -> None:
    with pytest.raises(InvalidOption, match=f"port must be from 0 to 65535, not {port}"):
        serve_metrics(market, port=port)


def test_a_port_that_is_taken_is_an_error(market: MarketData) -> None:
    with serve_metrics(market, port=0) as server, pytest.raises(OSError, match="in use"):
        serve_metrics(market, port=server.port)
