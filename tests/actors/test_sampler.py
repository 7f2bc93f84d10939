"""Measuring all mailboxes and feeds."""

import pytest

from ticklane.actors import FeedStatus, Sampler
from ticklane.messages import Snapshot
from ticklane.runtime import Dispatcher, Mailbox

KEYS = ("upbit:KRW-BTC", "upbit:KRW-ETH")


def book(number: int) -> Snapshot:
    return Snapshot("upbit", "KRW-BTC", ((100.0, 1.0),), ((101.0, 1.0),), None, number)


@pytest.fixture
def mailboxes(dispatcher: Dispatcher) -> dict[str, Mailbox]:
    return {key: Mailbox(key, dispatcher, capacity=2) for key in KEYS}


@pytest.fixture
def sampler(dispatcher: Dispatcher, mailboxes: dict[str, Mailbox]) -> Sampler:
    return Sampler(mailboxes, [FeedStatus("upbit", "upbit")], dispatcher)


def test_a_sample_tells_of_every_mailbox_and_every_feed(sampler: Sampler) -> None:
    sample = sampler.sample()

    assert list(sample.queues) == list(KEYS)
    assert [feed.name for feed in sample.feeds] == ["upbit"]


def test_before_the_first_interval_is_over_there_are_no_ticks(sampler: Sampler) -> None:
    assert sampler.sample().ticks == {}


def test_a_tick_tells_of_its_own_interval_only(
    sampler: Sampler, mailboxes: dict[str, Mailbox]
) -> None:
    for number in (1, 2, 3):
        mailboxes[KEYS[0]].offer(book(number))
    ticks = [sampler.tick().ticks[KEYS[0]] for _ in range(2)]

    assert [tick.shed for tick in ticks] == [1, 0]
    assert [tick.depth_max for tick in ticks] == [2, 2]


def test_ticks_stay_until_the_next_interval_is_over(sampler: Sampler) -> None:
    ticks = sampler.tick().ticks

    assert sampler.sample().ticks == ticks


def test_mailboxes_that_come_later_are_measured_too(
    sampler: Sampler, mailboxes: dict[str, Mailbox], dispatcher: Dispatcher
) -> None:
    sampler.tick()
    mailboxes["binance:BTCUSDT"] = Mailbox("binance:BTCUSDT", dispatcher)
    sample = sampler.tick()

    assert "binance:BTCUSDT" in sample.ticks
    assert "binance:BTCUSDT" in sample.ticks


def test_totals_are_the_sums_over_all_mailboxes(
    sampler: Sampler, mailboxes: dict[str, Mailbox], dispatcher: Dispatcher
) -> None:
    for mailbox in mailboxes.values():
        for number in (1, 2, 3, 3):
            mailbox.offer(book(number))
    dispatcher.dead_letters.add("unhandled", "hello")
    totals = sampler.sample().totals

    assert (totals.offered, totals.dropped, totals.rejected, totals.depth) == (8, 2, 2, 4)
    assert totals.dead_letters == {"unhandled": 1}


def test_an_interval_is_as_long_as_it_was(sampler: Sampler, dispatcher: Dispatcher) -> None:
    begun_ns = dispatcher.clock.now_ns()
    sampler.tick()
    before_ns = dispatcher.clock.now_ns()
    interval_s = sampler.tick().ticks[KEYS[0]].interval_s

    assert 0 < interval_s <= (dispatcher.clock.now_ns() - begun_ns) / 1e9
    assert before_ns >= begun_ns
