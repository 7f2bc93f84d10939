"""Market data that records what it receives."""

from pathlib import Path

import pytest

from ticklane import Feed, MarketData, Snapshot
from ticklane.messages import InvalidOption
from ticklane.simulation import (
    LoopbackExchange,
    SyntheticMarket,
    World,
    WorldTransport,
    read_capture,
)
from ticklane.simulation.upbit_venue import UpbitForm

TIMEOUT_S = 10.0
KEYS = ("upbit:KRW-BTC", "binance:BTCUSDT")


def frame(number: int) -> bytes:
    return UpbitForm().frame(Snapshot("upbit", "KRW-BTC", ((1.0, 1.0),), ((2.0, 1.0),), number))


def test_every_frame_is_recorded_as_it_came_good_or_bad(tmp_path: Path) -> None:
    sent: list[bytes | str] = [frame(1), "not JSON", b"\x00\xff", frame(2)]
    with LoopbackExchange("upbit", ()) as exchange:
        feed = Feed("upbit", ["KRW-BTC"], url=exchange.url)
        with MarketData([feed], record=tmp_path / "a") as market:
            assert exchange.connected.wait(TIMEOUT_S)
            for each in sent:
                exchange.send_raw(each)
            market.wait_for("upbit:KRW-BTC", TIMEOUT_S)
            while market.metrics().feeds[0].frames < len(sent):
                """They are on their way."""

    assert [each.payload for each in read_capture(tmp_path / "a")] == sent


def test_a_frames_receive_time_is_that_of_its_snapshot(tmp_path: Path) -> None:
    with LoopbackExchange("upbit", ()) as exchange:
        feed = Feed("upbit", ["KRW-BTC"], url=exchange.url)
        with MarketData([feed], record=tmp_path / "a") as market:
            assert exchange.connected.wait(TIMEOUT_S)
            exchange.send_raw(frame(1))
            book = market.wait_for("upbit:KRW-BTC", TIMEOUT_S)

    assert [each.received_ns for each in read_capture(tmp_path / "a")] == [book.received_ns]


def test_exchanges_are_recorded_side_by_side(tmp_path: Path) -> None:
    books = SyntheticMarket(KEYS, seed=1, rate=100)
    with (
        LoopbackExchange("upbit", books.books(), speed=10) as upbit,
        LoopbackExchange("binance", books.books(), speed=10) as binance,
    ):
        feeds = [
            Feed("upbit", ["KRW-BTC"], url=upbit.url),
            Feed("binance", ["BTCUSDT"], url=binance.url),
        ]
        with MarketData(feeds, record=tmp_path / "a") as market:
            for key in KEYS:
                market.wait_for(key, TIMEOUT_S)
        recording = market.recording()

    received = {feed.name: feed.frames for feed in market.metrics().feeds}
    names = [each.connection for each in read_capture(tmp_path / "a")]
    assert {name: names.count(name) for name in set(names)} == received
    assert recording is not None
    assert (recording.frames, recording.lost) == (sum(received.values()), 0)


def test_a_world_records_too_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        world, feeds = World(seed=1), [Feed("upbit", ["KRW-BTC"]), Feed("binance", ["BTCUSDT"])]
        market = MarketData(
            feeds,
            dispatcher=world,
            transport=WorldTransport.serving(world, feeds),
            record=tmp_path / name,
        )
        market.start()
        world.run_for(10.0)
        market.stop()
        received = sum(feed.frames for feed in market.metrics().feeds)

    assert len(list(read_capture(tmp_path / "a"))) == received > 10
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_that_cannot_be_written_is_an_error_at_the_start(tmp_path: Path) -> None:
    feed = Feed("upbit", ["KRW-BTC"], url="ws://127.0.0.1:9")
    market = MarketData([feed], record=tmp_path / "missing" / "a")

    with pytest.raises(InvalidOption, match="record must be a file that can be written"):
        market.start()
    market.stop()


def test_market_data_that_records_nothing_has_no_recording() -> None:
    assert MarketData().recording() is None
