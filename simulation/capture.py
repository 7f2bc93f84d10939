"""Reading captures: recorded frames, one a line, with the time each was received."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import msgspec

from ..exchanges import EXCHANGES
from ..messages import InvalidOption
from .venue import BookForm
from .venues import venue_named

__all__ = ["CapturedFrame", "capture_exchange", "capture_subscriptions", "read_capture"]

_CONNECTION = (b"ws://", b"wss://")
"""How lines that tell of the connection begin."""


@attrs.frozen
class CapturedFrame:
    """One frame as an exchange sent it."""

    at_unix_s: float
    """When the recorder received it."""
    payload: bytes | str
    """Bytes of a binary frame, text of a text frame."""


def read_capture(path: str | Path) -> Iterator[CapturedFrame]:
    """Yield the frames of a capture, in the file's order.

    A line is `seconds: frame`, where a binary frame is written as a Python bytes literal. Lines
    that tell of the connection are passed over, and so is a last line that was cut off when the
    recorder was killed.

    Raises InvalidOption, naming file and line, for a file of another form.
    """
    for number, line in _lines(path):
        if not line.strip() or line.startswith(_CONNECTION):
            continue
        try:
            frame = _frame(line)
        except ValueError:
            if line.endswith(b"\n"):
                raise _malformed(path, number, line, "'receive time in seconds: frame'") from None
        else:
            if line.endswith(b"\n") or _is_whole(frame):
                yield frame


def capture_exchange(path: str | Path) -> tuple[str, str]:
    """Return the name of the exchange that a capture was recorded from, and the address used.

    Raises InvalidOption, naming the file, where its first line tells of no exchange we know.
    """
    number, line = next(_lines(path), (1, b""))
    if not line.startswith(_CONNECTION):
        raise _malformed(path, number, line, "the address the capture was recorded from")
    url = line.decode(errors="replace").split()[0]
    for exchange in EXCHANGES.values():
        if _domain(url) in map(_domain, exchange.endpoints):
            return exchange.name, url
    raise _malformed(path, number, line, f"an address of {' or '.join(EXCHANGES)}")


def capture_subscriptions(path: str | Path) -> tuple[tuple[str, BookForm], ...]:
    """Return the books that the recorder was subscribed to: symbols, each with a form.

    Raises InvalidOption like `capture_exchange`.
    """
    exchange, url = capture_exchange(path)
    address = urlsplit(url)
    session = venue_named(exchange)(f"{address.path}?{address.query}")
    for _, line in _lines(path):
        if line.startswith(_CONNECTION):
            _, sent, request = line.decode(errors="replace").partition(" <- ")
            if sent:
                session.receive(request.partition(": ")[2].strip())
    return tuple(session.subscriptions())


def _lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    try:
        with Path(path).open("rb") as file:
            yield from enumerate(file, 1)
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror})"
        raise InvalidOption("capture", str(path), allowed) from error


def _frame(line: bytes) -> CapturedFrame:
    time, colon, content = line.decode().partition(": ")
    at_unix_s = float(time)
    if not colon or not math.isfinite(at_unix_s):
        raise ValueError(time)
    return CapturedFrame(at_unix_s, _payload(content.rstrip("\r\n")))


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
