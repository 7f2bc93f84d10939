"""Fetching over HTTP: real servers, real TLS, and all that may go wrong."""

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ticklane.runtime import Answer, Dispatcher, HttpRest

TIMEOUT_S = 10.0


class Told:
    """Waits for the one answer."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._there = threading.Event()

    def __call__(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._there.set()

    def answer(self) -> Answer:
        assert self._there.wait(TIMEOUT_S)
        (answer,) = self.answers
        return answer


Handle = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def serving(handle: Handle, certificate: Path | None = None) -> Iterator[str]:
    """Run a server that answers each request by `handle`; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handle(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        # A client that hangs up in the handshake is what is tested.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        scheme = "https" if certificate else "http"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replying(
    status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None
) -> Handle:
    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return handle


@contextmanager
def silence() -> Iterator[tuple[str, threading.Event]]:
    """Accept connections and say nothing; yields the address, and whether somebody is there."""
    there = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        clients: list[socket.socket] = []

        def accept() -> None:
            try:
                clients.append(listening.accept()[0])
                there.set()
            except OSError:
                """The test is over."""

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", there
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for client in clients:
            client.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


def fetched(dispatcher: Dispatcher, url: str, timeout_s: float = TIMEOUT_S) -> Answer:
    told = Told()
    HttpRest(dispatcher).get(url, timeout_s, told)
    return told.answer()


def test_an_answer_has_its_status_and_content(dispatcher: Dispatcher) -> None:
    before_ns = dispatcher.clock.now_ns()
    with serving(replying(200, b"a book")) as url:
        answer = fetched(dispatcher, f"{url}/depth")

    assert (answer.status, answer.body, answer.error) == (200, b"a book", "")
    assert answer.received_ns > before_ns


def test_path_and_query_are_asked_for(dispatcher: Dispatcher) -> None:
    asked: list[str] = []

    def handle(request: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        replying(200, b"")(request)

    with serving(handle) as url:
        fetched(dispatcher, f"{url}/api/v3/depth?symbol=BTCUSDT&limit=1000")

    assert asked == ["/api/v3/depth?symbol=BTCUSDT&limit=1000"]


def test_an_error_is_an_answer_too(dispatcher: Dispatcher) -> None:
    with serving(replying(429, b"slow down", {"Retry-After": "7"})) as url:
        answer = fetched(dispatcher, url)

    assert (answer.status, answer.body, answer.retry_after_s) == (429, b"slow down", 7.0)


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "", "-1", "soon"])
def test_a_retry_after_that_is_no_number_of_seconds_is_none(
    dispatcher: Dispatcher, retry_after: str
) -> None:
    with serving(replying(429, b"", {"Retry-After": retry_after})) as url:
        assert fetched(dispatcher, url).retry_after_s is None


def test_a_redirection_is_not_followed(dispatcher: Dispatcher) -> None:
    with serving(replying(302, b"", {"Location": "http://127.0.0.1:1/"})) as url:
        assert fetched(dispatcher, url).status == 302


def test_nobody_there_is_told(dispatcher: Dispatcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    answer = fetched(dispatcher, f"http://127.0.0.1:{port}/")

    assert answer.status == 0
    assert "ConnectionRefusedError" in answer.error


def test_a_server_that_says_nothing_is_given_up_in_time(dispatcher: Dispatcher) -> None:
    with silence() as (url, _):
        answer = fetched(dispatcher, url, timeout_s=0.1)

    assert answer.status == 0
    assert "no answer within 0.1 s" in answer.error or "timed out" in answer.error


def test_a_server_that_says_one_byte_at_a_time_is_given_up_in_time(dispatcher: Dispatcher) -> None:
    enough = threading.Event()

    def drip(request: http.server.BaseHTTPRequestHandler) -> None:
        replying(200, b"", length=10**6)(request)
        while not enough.wait(0.02):
            try:
                request.wfile.write(b".")
            except OSError:
                return

    with serving(drip) as url:
        answer = fetched(dispatcher, url, timeout_s=0.2)
        enough.set()

    assert (answer.status, answer.error) == (0, "no answer within 0.2 s")


def test_an_answer_cut_off_is_told(dispatcher: Dispatcher) -> None:
    with serving(replying(200, b"half", length=8)) as url:
        answer = fetched(dispatcher, url)

    assert (answer.status, answer.body) == (0, b"")
    assert "cut off 4 bytes before its end" in answer.error


def test_an_answer_too_long_to_be_kept_is_told(dispatcher: Dispatcher) -> None:
    told = Told()
    with serving(replying(200, bytes(1001))) as url:
        HttpRest(dispatcher, max_body_bytes=1000).get(url, TIMEOUT_S, told)
        answer = told.answer()

    assert "more than 1000 bytes" in answer.error


def test_a_server_that_speaks_no_http_is_told(dispatcher: Dispatcher) -> None:
    def nonsense(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"nonsense\r\n\r\n")

    with serving(nonsense) as url:
        assert "BadStatusLine" in fetched(dispatcher, url).error


def test_what_is_cancelled_is_not_told_and_leaves_no_thread(dispatcher: Dispatcher) -> None:
    told = Told()
    with silence() as (url, there):
        fetch = HttpRest(dispatcher).get(url, TIMEOUT_S, told)
        assert there.wait(TIMEOUT_S)
        fetch.cancel()
        left = dispatcher.stop(timeout_s=5.0)

    assert (left, told.answers) == ([], [])


def test_a_certificate_that_nobody_vouches_for_is_refused(
    dispatcher: Dispatcher, certificate: Path
) -> None:
    with serving(replying(200, b"secret"), certificate) as url:
        answer = fetched(dispatcher, url)

    assert "CERTIFICATE_VERIFY_FAILED" in answer.error


def test_a_certificate_that_is_vouched_for_is_accepted(
    dispatcher: Dispatcher, certificate: Path
) -> None:
    told = Told()
    with serving(replying(200, b"secret"), certificate) as url:
        HttpRest(dispatcher, ca_file=str(certificate)).get(url, TIMEOUT_S, told)
        answer = told.answer()

    assert answer.body == b"secret"


@pytest.mark.parametrize(
    ("user", "authorization"), [("", None), ("me:p%40ss@", "Basic bWU6cEBzcw==")]
)
def test_the_proxy_of_the_environment_is_used(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch, user: str, authorization: str | None
) -> None:
    asked: list[tuple[str, str | None]] = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.handle_request)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://{user}127.0.0.1:{proxy.server_address[1]}")
        answer = fetched(dispatcher, "https://exchange.invalid/depth")
        thread.join()

    assert asked == [("exchange.invalid:443", authorization)]
    assert "403" in answer.error
