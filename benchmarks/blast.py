"""A server that sends its frames as fast as a socket takes them, in a process of its own.

    python benchmarks/blast.py upbit 50000

prints its address as its first line, and sends so many frames to the first client that connects
once that has subscribed. The frames lie ready: an exchange that wrote them meanwhile, simulated or
not, would be slower than who reads them.
"""

import base64
import hashlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

from ticklane.simulation import SyntheticMarket, demo_keys, read_capture
from ticklane.simulation.binance_venue import BinanceForm
from ticklane.simulation.upbit_venue import UpbitForm

__all__ = ["SYMBOLS", "blasting", "payloads"]

SYMBOLS = {
    # Those that were captured.
    "upbit": ("KRW-LAMB", "KRW-WAVES", "BTC-XTZ", "BTC-ITAM", "BTC-PAX"),
    "binance": tuple(key.partition(":")[2] for key in demo_keys(10) if key.startswith("binance:")),
}
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "captures"
CAPTURES = Path(os.environ.get("TICKLANE_CAPTURES", BESIDE))
START_MS = 1_700_000_000_000
CLOSE = 0x8
_ACCEPT_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


@contextmanager
def blasting(exchange: str, frames: int) -> Iterator[str]:
    """Yield the address of a server that sends so many frames of this exchange."""
    command = [sys.executable, __file__, exchange, str(frames)]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own script
        command, stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def payloads(exchange: str, frames: int) -> Iterator[bytes]:
    """Yield so many different payloads, each newer than the one before."""
    return islice({"upbit": _upbit, "binance": _binance}[exchange](frames), frames)


def _upbit(frames: int) -> Iterator[bytes]:
    """Yield captured books, or where there are no captures books like them, stamped anew."""
    for number, payload in enumerate(cycle(_upbit_books(frames))):
        yield re.sub(rb'"tms":\d+', b'"tms":%d' % (START_MS + number), payload, count=1)


def _upbit_books(frames: int) -> Iterable[bytes]:
    path = CAPTURES / "upbit-2021-04-17.ws.txt"
    if path.is_file():
        captured = (frame.payload for frame in read_capture(path))
        return (each for each in captured if isinstance(each, bytes) and b'"orderbook"' in each)
    form, market = UpbitForm("SIMPLE", 15), SyntheticMarket(_keys("upbit"), depth=15)
    return [form.frame(book) for _, book in islice(market.books(), min(frames, 1000))]


def _binance(frames: int) -> Iterator[bytes]:
    form, market = BinanceForm("depth20@100ms", 20), SyntheticMarket(_keys("binance"), depth=20)
    books = [form.frame(book).encode() for _, book in islice(market.books(), min(frames, 1000))]
    for number, payload in enumerate(cycle(books)):
        stamp = b'"lastUpdateId":%d' % (10**9 + number)
        yield re.sub(rb'"lastUpdateId":\d+', stamp, payload, count=1)


def _keys(exchange: str) -> list[str]:
    return [f"{exchange}:{symbol}" for symbol in SYMBOLS[exchange]]


def _framed(payload: bytes, first: int) -> bytes:
    return bytes([0x80 | first, 126]) + len(payload).to_bytes(2, "big") + payload


def _serve(exchange: str, frames: int) -> None:
    opcode = 2 if exchange == "upbit" else 1
    blast = b"".join(_framed(payload, opcode) for payload in payloads(exchange, frames))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"ws://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        client, _ = listening.accept()
    with client, suppress(ConnectionError):
        _shake_hands(client)
        if exchange == "upbit":
            client.recv(65_536)  # the subscription; Binance's stands in the address
        client.sendall(blast)
        # A client that says good-bye may wait for an answer: that nobody is there any more.
        while (said := client.recv(65_536)) and said[0] & 0x0F != CLOSE:
            pass


def _shake_hands(client: socket.socket) -> None:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += client.recv(65_536)
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
    assert key is not None  # noqa: S101 - a WebSocket client connects
    digest = hashlib.sha1(key[1] + _ACCEPT_KEY).digest()  # noqa: S324 - RFC 6455 wants this one
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
