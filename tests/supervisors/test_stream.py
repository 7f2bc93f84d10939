"""A symbol's snapshots in an asyncio program."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ticklane import MarketData, Snapshot
from ticklane.messages import UnknownKey

KEY = "bench:S0"


def book(number: int) -> Snapshot:
    return Snapshot("bench", "S0", ((1.0, 1.0),), ((2.0, 1.0),), sequence=number)


async def first(count: int, market: MarketData) -> list[int | None]:
    """Return the numbers of the first so many, after which nobody listens."""
    seen: list[int | None] = []
    stream = market.stream(KEY)
    async for snapshot in stream:
        seen.append(snapshot.sequence)
        if len(seen) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return seen


def test_a_stream_brings_every_snapshot_in_order() -> None:
    async def program() -> list[int | None]:
        async with MarketData(symbols=[KEY]) as market:
            reading = asyncio.create_task(first(500, market))
            await asyncio.sleep(0)
            for number in range(500):
                market.offer(book(number))
            return await asyncio.wait_for(reading, 5.0)

    assert asyncio.run(program()) == list(range(500))


def test_a_stream_ends_when_the_market_data_is_stopped() -> None:
    async def program() -> list[int | None]:
        market = MarketData(symbols=[KEY])
        market.start()
        reading = asyncio.create_task(first(500, market))
        await asyncio.sleep(0)
        market.offer(book(1))
        await asyncio.to_thread(market.stop)
        return await asyncio.wait_for(reading, 5.0)

    assert asyncio.run(program()) == [1]


def test_a_stream_asked_for_after_the_stop_is_empty() -> None:
    async def program() -> list[int | None]:
        market = MarketData(symbols=[KEY])
        async with market:
            pass
        return await asyncio.wait_for(first(1, market), 5.0)

    assert asyncio.run(program()) == []


def test_a_loop_that_is_busy_loses_the_oldest_beyond_the_capacity() -> None:
    async def program() -> list[int | None]:
        handled = threading.Event()
        market = MarketData(symbols=[KEY], capacity=10)
        async with market:
            reading = asyncio.create_task(first(10, market))
            await asyncio.sleep(0)
            market.subscribe(
                KEY, lambda snapshot: handled.set() if snapshot.sequence == 99 else None
            )
            for number in range(100):
                market.offer(book(number))
                while market.queue(KEY).depth:
                    pass
            # The loop is held up here on purpose: nothing is read meanwhile.
            assert handled.wait(5.0)
            return await asyncio.wait_for(reading, 5.0)

    assert asyncio.run(program()) == list(range(90, 100))


def test_who_stops_reading_is_not_told_any_more() -> None:
    async def program() -> int:
        async with MarketData(symbols=[KEY]) as market:
            reading = asyncio.create_task(first(1, market))
            await asyncio.sleep(0)
            market.offer(book(1))
            await asyncio.wait_for(reading, 5.0)
            return len(market._house.streams._open)

    assert asyncio.run(program()) == 0


def test_a_stream_ends_when_its_key_is_removed_and_no_other_does() -> None:
    other = "bench:S1"

    async def program() -> tuple[list[int | None], list[str]]:
        async with MarketData(symbols=[KEY, other]) as market:
            readings = [asyncio.create_task(first(500, market)) for _ in range(2)]
            aside = asyncio.ensure_future(anext(market.stream(other)))
            await asyncio.sleep(0)
            market.offer(book(1))
            market.wait_for(KEY, 5.0)
            market.remove(KEY)
            ended = await asyncio.wait_for(asyncio.gather(*readings), 5.0)
            left = [*market._house.streams._open.values()]
            aside.cancel()
            return ended[0], left

    numbers, left = asyncio.run(program())

    assert numbers in ([], [1])
    assert left == [other]


def test_a_key_removed_before_the_first_step_leaves_no_stream() -> None:
    async def program() -> int:
        async with MarketData(symbols=[KEY]) as market:
            stream = market.stream(KEY)
            market.remove(KEY)
            with pytest.raises(UnknownKey):
                await anext(stream)
            return len(market._house.streams._open)

    assert asyncio.run(program()) == 0


def test_an_unknown_key_is_told_at_once() -> None:
    with pytest.raises(UnknownKey):
        MarketData(symbols=[KEY]).stream("bench:S1")
