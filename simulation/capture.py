"""Reading captures: recorded frames, one a line, with the time each was received.

A line is `seconds: frame`, or `seconds connection nanoseconds: frame` as `ticklane record` writes
it, with the connection's name (`upbit`, `upbit#2`) and the monotonic receive time. A binary frame
is written as a Python bytes literal. Lines that begin with a `ws://` or `wss://` address tell of
the connection: `<->` opened, `<-` sent by the client, `>-<` closed, `---` not recorded. A line that
begins with an `http://` or `https://` address and `->` is what a REST side has answered, written
like a frame, in front of the frame that its connection read next.
"""

import ast
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import msgspec

from ..exchanges import EXCHANGES, Exchange
from ..messages import InvalidOption
from .venue import BookForm
from .venues import venue_named

__all__ = [
    "CapturedAnswer",
    "CapturedFrame",
    "capture_answers",
    "capture_connections",
    "capture_exchange",
    "capture_subscriptions",
    "frames_to_replay",
    "read_capture",
]

_CONNECTION = (b"ws://", b"wss://")
"""How lines that tell of the connection begin."""
_REST = (b"http://", b"https://")
"""How lines with an answer begin."""


@attrs.frozen
class CapturedFrame:
    """One frame as an exchange sent it."""

    at_unix_s: float
    """When the recorder received it."""
    payload: bytes | str
    """Bytes of a binary frame, text of a text frame."""
    connection: str = ""
    """The connection that received it; empty where the capture is of one and does not say."""
    received_ns: int | None = None
    """When it was received, monotonic; None where the capture does not say."""


@attrs.frozen
class CapturedAnswer:
    """What an exchange's REST side answered, and where its connection read it."""

    url: str
    body: bytes
    after: bytes | None
    """The connection's frame before it; None in front of the first."""


def read_capture(path: str | Path, connection: str | None = None) -> Iterator[CapturedFrame]:
    """Yield the frames of a capture, or of one of its connections, in the file's order.

    Lines that tell of the connection are passed over, and answers, and so is a last line that was
    cut off when the recorder was killed.

    Raises InvalidOption, naming file and line, for a file of another form.
    """
    return (frame for url, frame in _received(path, connection) if not url)


def capture_answers(path: str | Path, connection: str | None = None) -> Iterator[CapturedAnswer]:
    """Yield the answers that a capture's connections, or one of them, have read, in their order.

    Raises InvalidOption like `read_capture`.
    """
    before: dict[str, bytes] = {}
    for url, frame in _received(path, connection):
        if url:
            yield CapturedAnswer(url, _bytes(frame), before.get(frame.connection))
        else:
            before[frame.connection] = _bytes(frame)


def capture_connections(path: str | Path) -> tuple[str, ...]:
    """Return the names of the connections a capture is of, in the order they were first open.

    The one name is empty where the capture does not name it. Raises InvalidOption like
    `capture_exchange`.
    """
    _first_address(path)
    return tuple(dict.fromkeys(mark.connection for mark in _marks(path) if mark.arrow == "<->"))


def capture_exchange(path: str | Path, connection: str | None = None) -> tuple[str, str]:
    """Return the exchange that a connection, the first by default, was to, and its address.

    Raises InvalidOption, naming the file, where its first line tells of no exchange we know.
    """
    number, line = _first_address(path)
    for mark in _marks(path):
        if connection in {None, mark.connection}:
            for exchange in EXCHANGES.values():
                if mark.is_of(exchange):
                    return exchange.name, mark.url
            break
    raise _malformed(path, number, line, f"an address of {' or '.join(EXCHANGES)}")


def frames_to_replay(
    path: str | Path, connection: str | None = None
) -> tuple[str, tuple[CapturedFrame, ...]]:
    """Return the exchange that a connection, the first by default, was to, and what it has said.

    Where no connection is named, the frames are those of all to that exchange. Raises InvalidOption
    like `capture_exchange`, and for a connection that the capture is not of.
    """
    if connection is not None and connection not in (names := capture_connections(path)):
        raise InvalidOption("connection", connection, f"one of {', '.join(map(repr, names))}")
    exchange, _ = capture_exchange(path, connection)
    frames = (each for each in read_capture(path, connection) if _said_by(exchange, each))
    return exchange, tuple(frames)


def capture_subscriptions(
    path: str | Path, connection: str | None = None
) -> tuple[tuple[str, BookForm], ...]:
    """Return the books that the recorder was subscribed to: symbols, each with a form.

    Raises InvalidOption like `capture_exchange`.
    """
    exchange, url = capture_exchange(path, connection)
    address = urlsplit(url)
    session = venue_named(exchange)(f"{address.path}?{address.query}")
    for mark in _marks(path):
        if mark.arrow == "<-" and connection in {None, mark.connection}:
            session.receive(mark.said)
    return tuple(session.subscriptions())


@attrs.frozen
class _Mark:
    """What a line tells of the connection."""

    url: str
    arrow: str
    connection: str
    said: str

    def is_of(self, exchange: Exchange) -> bool:
        # Two exchanges may share a domain, and a proxy has its own: the name knows better.
        if self.connection:
            return _exchange_of(self.connection) == exchange.name
        return _domain(self.url) in map(_domain, exchange.endpoints)


def _marks(path: str | Path) -> Iterator[_Mark]:
    for _, line in _lines(path):
        if line.startswith(_CONNECTION):
            head, _, said = line.decode(errors="replace").strip().partition(": ")
            url, arrow, _, connection, *_ = (*head.split(), "", "", "")
            yield _Mark(url, arrow, connection, said.strip())


def _said_by(exchange: str, frame: CapturedFrame) -> bool:
    return not frame.connection or _exchange_of(frame.connection) == exchange


def _exchange_of(connection: str) -> str:
    return connection.partition("#")[0]


def _first_address(path: str | Path) -> tuple[int, bytes]:
    number, line = next(_lines(path), (1, b""))
    if not line.startswith(_CONNECTION):
        raise _malformed(path, number, line, "the address the capture was recorded from")
    return number, line


def _lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    try:
        with Path(path).open("rb") as file:
            yield from enumerate(file, 1)
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror})"
        raise InvalidOption("capture", str(path), allowed) from error


def _received(path: str | Path, connection: str | None) -> Iterator[tuple[str, CapturedFrame]]:
    """Yield frames, each with the address it was fetched from: none, but for an answer."""
    for number, line in _lines(path):
        if not line.strip() or line.startswith(_CONNECTION):
            continue
        url, _, content = line.partition(b" -> ") if line.startswith(_REST) else (b"", b"", line)
        try:
            frame = _frame(content)
        except ValueError:
            if line.endswith(b"\n"):
                raise _malformed(path, number, line, "'receive time in seconds: frame'") from None
        else:
            of_it = connection is None or frame.connection == connection
            if of_it and (line.endswith(b"\n") or _is_whole(frame)):
                yield url.decode(), frame


def _frame(line: bytes) -> CapturedFrame:
    head, colon, content = line.decode().partition(": ")
    time, *received = head.split(" ")
    at_unix_s = float(time)
    if not colon or not math.isfinite(at_unix_s):
        raise ValueError(head)
    payload = _payload(content.rstrip("\r\n"))
    if not received:
        return CapturedFrame(at_unix_s, payload)
    connection, received_ns = received
    return CapturedFrame(at_unix_s, payload, connection, int(received_ns))


def _payload(content: str) -> bytes | str:
    if not content.startswith(("b'", 'b"')):
        return content
    try:
        payload = ast.literal_eval(content)
    except SyntaxError:
        raise ValueError(content) from None
    if not isinstance(payload, bytes):
        raise ValueError(content)  # noqa: TRY004 - a fault of the file like the others
    return payload


def _bytes(frame: CapturedFrame) -> bytes:
    payload = frame.payload
    return payload if isinstance(payload, bytes) else payload.encode()


def _is_whole(frame: CapturedFrame) -> bool:
    # A bytes literal that could be read is whole; of text only JSON tells where it ends.
    if isinstance(frame.payload, bytes):
        return True
    try:
        msgspec.json.decode(frame.payload)
    except msgspec.DecodeError:
        return False
    return True


def _domain(url: str) -> str:
    return ".".join((urlsplit(url).hostname or "").split(".")[-2:])


def _malformed(path: str | Path, number: int, line: bytes, allowed: str) -> InvalidOption:
    given = line.decode(errors="replace").rstrip("\r\n")[:80]
    return InvalidOption(f"{path}, line {number},", given, allowed)
