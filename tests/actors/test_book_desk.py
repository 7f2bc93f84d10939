"""Fetching books: fast, but never faster than allowed, for as long as somebody wants them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from ticklane import Feed
from ticklane.actors import BookDesk, BookDesks, RestGate
from ticklane.exchanges import BookRequest, Budget
from ticklane.messages import InvalidOption
from ticklane.runtime import Answer, Dispatching, Timer
from ticklane.simulation import World

BASE = "https://rest.invalid"
ALLOWED = Budget(6000, 60.0)
LATENCY_S = 0.1

Reply = Callable[[str], Answer | None]


@attrs.define
class Reader:
    """A connection that remembers what it is told."""

    name: str = "binance"
    answers: list[tuple[str, int]] = attrs.field(factory=list)
    nudged: list[str] = attrs.field(factory=list)
    removed: set[str] = attrs.field(factory=set)

    def wants(self, request: BookRequest) -> bool:
        return request.symbol not in self.removed

    def answered(self, request: BookRequest, answer: Answer) -> None:
        self.answers.append((request.symbol, answer.status))

    def nudge(self, request: BookRequest) -> None:
        self.nudged.append(request.symbol)


@attrs.define
class Pending:
    timer: Timer
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True
        self.timer.cancel()


@attrs.define
class ScriptedRest:
    """Answers each request as `reply` says, or never; notes when each was made."""

    dispatcher: Dispatching
    reply: Reply = lambda _: Answer(status=200, received_ns=1)
    made: list[tuple[float, str]] = attrs.field(factory=list)
    pending: list[Pending] = attrs.field(factory=list)
    now_running: int = 0
    most_running: int = 0

    def get(self, url: str, timeout_s: float, on_answer: Callable[[Answer], object]) -> Pending:
        self.made.append((self.dispatcher.clock.now_ns() / 1e9, url))
        self.now_running += 1
        self.most_running = max(self.most_running, self.now_running)
        answer = self.reply(url)
        wait_s = LATENCY_S if answer else timeout_s

        def tell() -> None:
            self.now_running -= 1
            on_answer(answer or Answer(error="no answer", received_ns=1))

        self.pending.append(Pending(self.dispatcher.call_later(wait_s, tell)))
        return self.pending[-1]

    @property
    def symbols(self) -> list[str]:
        return [url.partition("symbol=")[2] for _, url in self.made]


def request(symbol: str, attempt: int = 0) -> BookRequest:
    return BookRequest(symbol, f"/depth?symbol={symbol}", 50, attempt)


def desk_of(rest: ScriptedRest) -> BookDesk:
    return BookDesk(BASE, rest, RestGate(ALLOWED), rest.dispatcher)


def refusing(status: int, times: int, retry_after_s: float | None = None) -> Reply:
    left = [status] * times

    def reply(_: str) -> Answer:
        if left:
            return Answer(status=left.pop(), retry_after_s=retry_after_s, received_ns=1)
        return Answer(status=200, received_ns=1)

    return reply


def test_a_book_is_fetched_and_its_reader_told(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(1.0)

    assert [url for _, url in rest.made] == ["https://rest.invalid/depth?symbol=A"]
    assert reader.answers == [("A", 200)]


def test_a_reader_is_nudged_a_moment_after_it_was_told(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(0.5)
    at_first = [*reader.nudged]
    stepped.advance(0.5)

    assert (at_first, reader.nudged) == ([], ["A"])


def test_four_are_fetched_at_once_and_the_next_when_one_is_there(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped), Reader()
    desk = desk_of(rest)
    for symbol in "ABCDEF":
        desk.ask(reader, request(symbol))
    stepped.advance(0.0)
    at_once = [*rest.symbols]
    stepped.advance(1.0)

    assert at_once == [*"ABCD"]
    assert rest.symbols == [*"ABCDEF"]


@pytest.mark.parametrize("status", [500, 503])
def test_what_fails_is_tried_again_and_its_reader_hears_of_the_good_one_only(
    stepped: Any, status: int
) -> None:
    rest, reader = ScriptedRest(stepped, refusing(status, 2)), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(30.0)

    assert rest.symbols == ["A"] * 3
    assert reader.answers == [("A", 200)]


def test_what_gets_no_answer_is_tried_again(stepped: Any) -> None:
    replies: list[Answer | None] = [Answer(status=200, received_ns=1), None]
    rest, reader = ScriptedRest(stepped, lambda _: replies.pop()), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(30.0)

    assert reader.answers == [("A", 200)]


def test_what_the_exchange_refuses_is_told_and_tried_again(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped, refusing(400, 1)), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(30.0)

    assert reader.answers == [("A", 400), ("A", 200)]


def test_what_failed_is_not_tried_again_when_nobody_wants_it(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped, refusing(400, 10**3)), Reader()
    desk_of(rest).ask(reader, request("A"))
    stepped.advance(0.0)
    reader.removed.add("A")
    stepped.advance(600.0)

    assert rest.symbols == ["A"]


def test_what_nobody_wants_any_more_keeps_nobody_waiting(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped), Reader()
    desk = desk_of(rest)
    for number in range(200):
        desk.ask(reader, request(f"S{number}"))
    desk.ask(reader, request("WANTED"))
    stepped.advance(0.0)
    reader.removed.update(f"S{number}" for number in range(200))
    desk.tidy()
    stepped.advance(1.0)

    assert rest.symbols == ["S0", "S1", "S2", "S3", "WANTED"]
    assert reader.answers == [(symbol, 200) for symbol in rest.symbols]


@pytest.mark.parametrize("status", [429, 418])
def test_after_too_many_requests_nobody_asks_before_the_time_named(
    stepped: Any, status: int
) -> None:
    rest, reader = ScriptedRest(stepped, refusing(status, 4, retry_after_s=17.0)), Reader()
    desk = desk_of(rest)
    for number in range(8):
        desk.ask(reader, request(f"S{number}"))
    refused_s = stepped.clock.now_ns() / 1e9 + LATENCY_S
    stepped.advance(60.0)

    later = [at_s for at_s, _ in rest.made[4:]]
    assert min(later) >= refused_s + 17.0
    assert sorted(reader.answers) == [(f"S{number}", 200) for number in range(8)]


def test_a_symbol_that_keeps_failing_does_not_keep_others_waiting(stepped: Any) -> None:
    rest = ScriptedRest(
        stepped,
        lambda url: Answer(status=500 if url.endswith("BAD") else 200, received_ns=1),
    )
    reader = Reader()
    desk = desk_of(rest)
    desk.ask(reader, request("BAD"))
    for number in range(300):
        desk.ask(reader, request(f"S{number}"))
    stepped.advance(300.0)

    assert len(reader.answers) == 300
    assert rest.symbols.count("BAD") < 30


def test_for_a_reader_that_is_gone_nothing_is_fetched_any_more(stepped: Any) -> None:
    rest, gone, other = ScriptedRest(stepped), Reader(), Reader()
    desk = desk_of(rest)
    for symbol in "ABCDEF":
        desk.ask(gone, request(symbol))
    desk.ask(other, request("X"))
    stepped.advance(0.0)
    desk.forget(gone)
    stepped.advance(10.0)

    assert [each.cancelled for each in rest.pending] == [True] * 4 + [False]
    assert (gone.answers, other.answers) == ([], [("X", 200)])


def test_who_is_told_in_place_of_a_reader_is_forgotten_with_it(stepped: Any) -> None:
    rest, reader, told = ScriptedRest(stepped), Reader("reader"), Reader("told")
    through: dict[str, Reader] = {"reader": told}
    desk = BookDesk(
        BASE,
        rest,
        RestGate(ALLOWED),
        stepped,
        through=lambda each, base: through[each.name] if base == BASE else each,
    )
    desk.ask(reader, request("A"))
    stepped.advance(1.0)
    desk.ask(reader, request("B"))
    stepped.advance(0.05)
    desk.forget(reader)
    stepped.advance(1.0)

    assert (told.answers, reader.answers) == ([("A", 200)], [])
    assert [pending.cancelled for pending in rest.pending] == [False, True]


def test_a_desk_that_nobody_asks_has_nothing_to_do(stepped: Any) -> None:
    rest, reader = ScriptedRest(stepped, refusing(500, 10**6)), Reader()
    desk = desk_of(rest)
    desk.ask(reader, request("A"))
    stepped.advance(5.0)
    desk.forget(reader)
    made = len(rest.made)
    stepped.advance(600.0)

    assert len(rest.made) == made


def test_500_books_are_fetched_within_the_budget_and_as_fast_as_it_allows() -> None:
    world = World(seed=3)
    rest, reader = ScriptedRest(world), Reader()
    desk = desk_of(rest)
    for number in range(500):
        desk.ask(reader, request(f"S{number}"))
    world.run_for(600.0)

    assert Counter(reader.answers) == Counter((f"S{number}", 200) for number in range(500))
    assert rest.most_running == 4
    assert heaviest_minute(rest) == 4800
    # 96 a minute: the sixth minute has the rest.
    assert rest.made[-1][0] - rest.made[0][0] < 5 * 60.0 + 3.0


def test_500_books_of_which_many_fail_keep_the_budget_too() -> None:
    world = World(seed=4)
    rest = ScriptedRest(
        world,
        lambda _: (
            None
            if world.random.random() < 0.1
            else Answer(status=200 if world.random.random() < 0.7 else 503, received_ns=1)
        ),
    )
    reader = Reader()
    desk = desk_of(rest)
    for number in range(500):
        desk.ask(reader, request(f"S{number}"))
    world.run_for(3600.0)

    assert {symbol for symbol, _ in reader.answers} == {f"S{number}" for number in range(500)}
    assert heaviest_minute(rest) <= 4800


def heaviest_minute(rest: ScriptedRest) -> int:
    times = [at_s for at_s, _ in rest.made]
    return max(50 * sum(since <= at_s < since + 60.0 for at_s in times) for since in times)


## Whose desk


def test_feeds_of_one_rest_side_share_a_desk(stepped: Any) -> None:
    desks = BookDesks(ScriptedRest(stepped), stepped)
    one = desks.of(Feed("binance", ["BTCUSDT"], stream="depth"))

    assert desks.of(Feed("binance", ["ETHUSDT"], stream="depth")) is one
    assert desks.of(Feed("binance-usdm", ["BTCUSDT"])) not in (one, None)
    assert desks.of(Feed("binance", ["BTCUSDT"], stream="depth", rest=BASE)) not in (one, None)


def test_exchanges_behind_one_address_have_each_its_own_budget(stepped: Any) -> None:
    rest = ScriptedRest(stepped)
    desks = BookDesks(rest, stepped)
    desks.of(Feed("binance", ["BTCUSDT"], stream="depth", rest=BASE))
    futures = desks.of(Feed("binance-usdm", ["BTCUSDT"], rest=BASE))
    assert futures is not None
    for number in range(200):
        futures.ask(Reader(), BookRequest(f"S{number}", "/fapi/v1/depth", 20))
    stepped.advance(59.0)

    assert len(rest.made) == 0.8 * 2400 / 20


def test_a_stream_of_whole_books_needs_none(stepped: Any) -> None:
    assert BookDesks(None, stepped).of(Feed("binance", ["BTCUSDT"])) is None


def test_where_nothing_can_be_fetched_differences_are_refused(stepped: Any) -> None:
    with pytest.raises(InvalidOption, match="rest must be given for binance's depth"):
        BookDesks(None, stepped).of(Feed("binance", ["BTCUSDT"], stream="depth"))
