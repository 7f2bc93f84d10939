"""What cryptofeed spends on a frame: its Upbit handler behind its `websockets` client."""

import asyncio
from collections.abc import Callable

from blast import SYMBOLS

try:
    from cryptofeed.connection import WSAsyncConn
    from cryptofeed.defines import L2_BOOK
    from cryptofeed.exchanges import Upbit
    from cryptofeed.symbols import Symbols
except ImportError:
    receive = None
else:

    def receive(url: str, on_book: Callable[[object], object], frames: int) -> None:
        """Take so many frames in, as cryptofeed's connection handler does, and hand on the books.

        With uvloop where it is installed, which cryptofeed uses by default.
        """
        Symbols.set(Upbit.id, {_normalized(symbol): symbol for symbol in SYMBOLS["upbit"]}, {})
        _run(_receive(url, on_book, frames))

    async def _receive(url: str, on_book: Callable[[object], object], frames: int) -> None:
        async def handle(book: object, _receipt_s: float) -> None:
            on_book(book)

        names = [_normalized(symbol) for symbol in SYMBOLS["upbit"]]
        feed = Upbit(symbols=names, channels=[L2_BOOK], callbacks={L2_BOOK: handle})
        connection = WSAsyncConn("wss://127.0.0.1", "bench", proxy=None)
        connection.address = f"{url}/websocket/v1"  # it takes an address with TLS only
        async with connection.connect() as opened:
            await feed.subscribe(opened)
            async for message in opened.read():
                await feed.message_handler(message, opened, opened.last_message)
                if opened.received == frames:
                    return

    def _run(task: object) -> None:
        try:
            import uvloop  # noqa: PLC0415
        except ImportError:
            asyncio.run(task)
        else:
            uvloop.run(task)

    def _normalized(symbol: str) -> str:
        quote, base = symbol.split("-")
        return f"{base}-{quote}"
