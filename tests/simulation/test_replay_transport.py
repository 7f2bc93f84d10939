"""Receiving a capture with the REST answers that are in it."""

from collections import Counter
from pathlib import Path

import pytest

from ticklane import Feed, MarketData
from ticklane.messages import InvalidOption
from ticklane.runtime import Dispatcher, WebSocketTransport
from ticklane.simulation import LoopbackExchange, ReplayTransport, World, WorldTransport

TIMEOUT_S = 10.0
SYMBOLS = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")


def merged(captures: Path, path: Path) -> Path:
    """Write the real frames and the real answers to one file, in order of time."""
    head, *frames = (captures / "binance-2021-10-12.ws.txt").read_text().splitlines()
    answers = (captures / "binance-2021-10-12.http.txt").read_text().splitlines()
    timed = [(float(line.partition(": ")[0]), line) for line in frames if line[:1].isdigit()]
    timed += [
        (float(line.partition(" -> ")[2].partition(": ")[0]), line)
        for line in answers
        if "/depth?" in line
    ]
    path.write_text("\n".join([head, *(line for _, line in sorted(timed))]) + "\n")
    return path


def test_real_differences_and_their_answers_come_to_176_books(
    captures: Path, tmp_path: Path
) -> None:
    path = merged(captures, tmp_path / "a")
    dispatcher = Dispatcher()
    dispatcher.start()
    with LoopbackExchange.replaying(path, speed=0) as exchange:
        feed = Feed("binance", SYMBOLS, stream="depth", url=exchange.url)
        transport = ReplayTransport(WebSocketTransport(dispatcher), path, {"": feed})
        market = MarketData([feed], dispatcher=dispatcher, transport=transport, rest=transport)
        with market:
            assert exchange.finished.wait(TIMEOUT_S)
    dispatcher.stop()
    sample = market.metrics()

    assert Counter(sample.feeds[0].bad_frames) == {}
    assert sample.totals.handled == 176
    assert set(market.latest_all()) == set(feed.keys)


def test_a_file_that_is_no_capture_is_an_error(tmp_path: Path) -> None:
    world, feed = World(), Feed("binance", SYMBOLS, stream="depth")

    with pytest.raises(InvalidOption, match="No such file"):
        ReplayTransport(WorldTransport(world, []), tmp_path / "none", {"": feed})
