"""What an error of a handshake means for the next one."""

import ssl
import threading
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import WebSocketBadStatusException
from websockets.sync.server import serve

from ticklane.messages import Refusal
from ticklane.runtime import Dispatcher, WebSocketTransport
from ticklane.runtime.refusal import refusal_of, told

NOW_S = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT
TIMEOUT_S = 10.0


def answered(status: int, headers: dict[str, str] | None = None) -> WebSocketBadStatusException:
    return WebSocketBadStatusException("Handshake status %d %s", status, "no", headers)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (answered(429), Refusal("rate limit")),
        (answered(429, {}), Refusal("rate limit")),
        (answered(429, {"retry-after": "120"}), Refusal("rate limit", 120.0)),
        (answered(418, {"retry-after": "0"}), Refusal("ban", 0.0)),
        (
            answered(418, {"retry-after": "Wed, 21 Oct 2015 07:29:00 GMT"}),
            Refusal("ban", 60.0),
        ),
        (
            answered(418, {"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT"}),
            Refusal("ban", 0.0),
        ),
        (answered(429, {"retry-after": "soon"}), Refusal("rate limit")),
        (answered(429, {"retry-after": "-5"}), Refusal("rate limit")),
        (answered(503, {"retry-after": "120"}), None),
        (answered(404), None),
        (ssl.SSLCertVerificationError("no"), Refusal("certificate")),
        (ssl.SSLError("no"), None),
        (ConnectionRefusedError("no"), None),
    ],
)
def test_what_an_error_means(error: Exception, refusal: Refusal | None) -> None:
    assert refusal_of(error, NOW_S) == refusal


@given(st.text())
def test_whatever_is_asked_for_is_a_time_or_nothing(asked: str) -> None:
    refusal = refusal_of(answered(429, {"retry-after": asked}), NOW_S)

    assert refusal is not None
    assert refusal.retry_after_s is None or refusal.retry_after_s >= 0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answered(429), "handshake refused with HTTP status 429"),
        (ConnectionResetError("by the peer"), "ConnectionResetError: by the peer"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, said: str) -> None:
    assert told(error) == said


class Ear:
    """A receiver that waits for the end."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.end: tuple[str, Refusal | None] = ("", None)

    def opened(self, link: Any) -> None:
        raise AssertionError(link)

    def received(self, payload: bytes, received_ns: int) -> None:
        raise AssertionError(payload, received_ns)

    def oversized(self, length: int, received_ns: int) -> None:
        raise AssertionError(length, received_ns)

    def heard(self, received_ns: int) -> None:
        raise AssertionError(received_ns)

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        self.end = (reason, refusal)
        self.ended.set()


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(429, Refusal("rate limit", 7.0)), (418, Refusal("ban", 7.0)), (403, None)],
)
def test_a_real_server_that_refuses_is_understood(
    dispatcher: Dispatcher, status: int, refusal: Refusal | None
) -> None:
    def refuse(connection: Any, _: Any) -> Any:
        response = connection.respond(HTTPStatus(status), "no")
        response.headers["Retry-After"] = "7"
        return response

    ear = Ear()
    with serve(lambda _: None, "127.0.0.1", 0, process_request=refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        WebSocketTransport(dispatcher).open("upbit", f"ws://127.0.0.1:{port}", ear)
        assert ear.ended.wait(TIMEOUT_S)
        server.shutdown()
        thread.join(TIMEOUT_S)

    assert ear.end == (f"handshake refused with HTTP status {status}", refusal)
