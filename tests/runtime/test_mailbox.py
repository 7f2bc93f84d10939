"""What becomes of an offered snapshot, and of what is posted and asked around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pykka
import pytest

from ticklane.actors import Audience, SymbolActor
from ticklane.messages import FeedConnected, InvalidOption, Outcome, SequenceReset, Snapshot
from ticklane.runtime import Mailbox, Reader
from ticklane.runtime.reader import Relieved

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.runtime import Actor
    from ticklane.tests.conftest import Stepped

KEY = "upbit:KRW-BTC"
MS = 1_000_000
EVENT = FeedConnected(key=KEY, url="wss://here")


def book(number: int, price: float = 100.0) -> Snapshot:
    return Snapshot("upbit", "KRW-BTC", ((price, 1.0),), ((price + 1, 1.0),), sequence=number)


def numbers(seen: list[Any]) -> list[Any]:
    return [each.sequence if isinstance(each, Snapshot) else each for each in seen]


def start(
    mailbox: Mailbox, stepped: Stepped, handler: Callable[[Snapshot], object] | None = None
) -> tuple[pykka.ActorRef[Any], list[Any]]:
    """Start an actor that notes what it sees; `handler` is called first."""
    seen: list[Any] = []
    audience = Audience()
    if handler is not None:
        audience.join(KEY, handler, None)
    audience.join(KEY, seen.append, seen.append)
    ref = SymbolActor.start(mailbox=mailbox, audience=audience, dispatcher=stepped)
    return ref, seen


# -- options


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "10", None])
def test_a_capacity_that_is_no_whole_number_from_1_is_an_error(
    stepped: Stepped, capacity: Any
) -> None:
    with pytest.raises(InvalidOption, match=r"capacity must be .*at least 1, not"):
        Mailbox(KEY, stepped, capacity=capacity)


def test_an_unknown_policy_is_an_error_that_names_those_there_are(stepped: Stepped) -> None:
    with pytest.raises(InvalidOption, match="drop_oldest, drop_newest, conflate, not 'block'"):
        Mailbox(KEY, stepped, overflow="block")


def test_the_default_is_to_drop_the_oldest_of_a_thousand(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    outcomes = [mailbox.offer(book(number)) for number in range(1001)]

    assert (outcomes[999], outcomes[1000], mailbox.depth) == (
        Outcome.ACCEPTED,
        Outcome.DISPLACED,
        1000,
    )


# -- overflow


def test_a_full_mailbox_drops_the_oldest(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=2)
    outcomes = [mailbox.offer(book(number)) for number in (1, 2, 3)]
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert (outcomes[2], numbers(seen), mailbox.dropped) == (Outcome.DISPLACED, [2, 3], 1)


def test_a_full_mailbox_drops_the_newest_where_asked_to(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=2, overflow="drop_newest")
    outcomes = [mailbox.offer(book(number)) for number in (1, 2, 3)]
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert (outcomes[2], numbers(seen), mailbox.dropped) == (Outcome.DROPPED, [1, 2], 1)


def test_a_copy_offered_to_a_full_mailbox_is_rejected_and_no_loss(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=1, overflow="drop_newest")
    outcomes = [mailbox.offer(book(number)) for number in (2, 2, 1, 3)]

    assert outcomes[1:] == [Outcome.REJECTED, Outcome.REJECTED, Outcome.DROPPED]
    assert (mailbox.rejected, mailbox.dropped) == (2, 1)


def test_what_was_dropped_as_the_newest_is_not_the_latest(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=1, overflow="drop_newest")
    mailbox.offer(book(1))
    mailbox.offer(book(2))

    assert mailbox.latest == book(1)


def test_conflating_keeps_only_the_newest(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, overflow="conflate")
    outcomes = [mailbox.offer(book(number)) for number in (1, 2, 3)]
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert outcomes == [Outcome.ACCEPTED, Outcome.CONFLATED, Outcome.CONFLATED]
    assert (numbers(seen), mailbox.conflated, mailbox.dropped) == ([3], 2, 0)


def test_the_greatest_depth_is_remembered(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    for number in range(5):
        mailbox.offer(book(number))
    start(mailbox, stepped)
    stepped.run()

    assert (mailbox.depth, mailbox.depth_max) == (0, 5)


def test_the_peak_is_that_of_the_time_since_it_was_last_asked_for(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    for number in range(5):
        mailbox.offer(book(number))
    start(mailbox, stepped)
    stepped.run(throughput=64)
    peaks = [mailbox.cut()[0], mailbox.cut()[0]]

    assert peaks == [5, 0]


def test_the_peak_does_not_sink_when_an_adaptive_bound_makes_an_offer_shed_many(
    stepped: Stepped,
) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=100, adaptive=True)
    start(mailbox, stepped, lambda _: stepped.advance(0.03))
    for number in range(100):
        mailbox.offer(book(number))
    for _ in range(6):
        stepped.line.popleft().run(1)
    mailbox.cut()
    waited = mailbox.depth
    mailbox.offer(book(1000))

    assert mailbox.depth < waited
    assert mailbox.cut()[0] == waited


# -- latest


def test_latest_is_set_when_a_snapshot_is_accepted(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    before = mailbox.latest
    mailbox.offer(book(1))

    assert (before, mailbox.latest, mailbox.handled) == (None, book(1), 0)


def test_an_older_snapshot_is_rejected_and_latest_stays(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    outcomes = [mailbox.offer(book(2)), mailbox.offer(book(1))]

    assert (outcomes[1], mailbox.latest, mailbox.rejected) == (Outcome.REJECTED, book(2), 1)


def test_a_copy_is_rejected_even_after_the_first_was_handled(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    mailbox.offer(book(1))
    stepped.run()
    mailbox.offer(book(1))
    stepped.run()

    assert (numbers(seen), mailbox.rejected) == ([1], 1)


def test_numbers_that_begin_again_are_told_before_the_snapshot(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    mailbox.offer(book(500))
    mailbox.offer(book(1))
    stepped.time.ns += 1000 * MS
    outcome = mailbox.offer(book(2))
    stepped.run()

    assert outcome is Outcome.ACCEPTED
    assert numbers(seen) == [500, SequenceReset(key=KEY), 2]


# -- lag


def test_lag_is_from_acceptance_to_the_start_of_handling(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, lambda _: stepped.advance(0.5))
    mailbox.offer(book(1))
    stepped.time.ns += 20 * MS
    stepped.run()

    assert mailbox.lag_ns == 20_000_000


def test_the_lag_of_what_was_handled_last_is_known_after_the_stop_behind_it(
    stepped: Stepped,
) -> None:
    mailbox, _ = begun(stepped)
    mailbox.offer(book(1))
    mailbox.stop(drain=True)
    stepped.time.ns += 20 * MS
    stepped.run()

    assert (mailbox.lag_ns, mailbox.actor) == (20_000_000, None)


def test_a_slow_handler_makes_those_behind_it_late(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, lambda _: stepped.advance(0.5))
    for number in (1, 2):
        mailbox.offer(book(number))
    stepped.run()

    assert mailbox.lag_ns == 500_000_000


def test_the_oldest_age_grows_while_nothing_is_handled(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    empty = mailbox.oldest_age_ns(stepped.time.ns)
    mailbox.offer(book(1))
    stepped.time.ns += 7 * MS

    assert (empty, mailbox.oldest_age_ns(stepped.time.ns)) == (0, 7 * MS)


# -- failures and restarts


def test_a_handler_that_raises_costs_the_message_it_raised_for(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, lambda _: 1 / 0)
    for number in (1, 2):
        mailbox.offer(book(number))
    stepped.run()

    assert (mailbox.failed, mailbox.handled, mailbox.depth) == (1, 0, 1)


def test_the_next_actor_goes_on_with_what_waits(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, lambda _: 1 / 0)
    for number in (1, 2, 3):
        mailbox.offer(book(number))
    stepped.run()
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert (numbers(seen), mailbox.failed, mailbox.handled) == ([2, 3], 1, 2)


def test_one_of_two_handlers_that_raises_does_not_keep_it_from_the_other(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped, lambda _: 1 / 0)
    mailbox.offer(book(1))
    stepped.run()

    assert (numbers(seen), mailbox.failed) == ([1], 1)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_no_exception_escapes_a_handler(stepped: Stepped, error: BaseException) -> None:
    def fail(_: Snapshot) -> None:
        raise error

    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, fail)
    mailbox.offer(book(1))
    stepped.run()

    assert (mailbox.failed, mailbox.actor) == (1, None)


def test_offers_between_two_actors_wait_for_the_next(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    mailbox.offer(book(1))

    assert not stepped.line

    _, seen = start(mailbox, stepped)
    stepped.run()

    assert numbers(seen) == [1]


# -- events


def test_an_event_is_told_in_its_place_among_the_snapshots(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    mailbox.offer(book(1))
    mailbox.post(EVENT)
    mailbox.offer(book(2))
    stepped.run()

    assert numbers(seen) == [1, EVENT, 2]


def test_an_event_keeps_its_place_when_snapshots_around_it_are_shed(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=1)
    mailbox.offer(book(1))
    mailbox.post(EVENT)
    mailbox.offer(book(2))
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert numbers(seen) == [EVENT, 2]


def test_an_event_is_no_snapshot_in_any_count(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    mailbox.post(EVENT)

    assert (mailbox.depth, mailbox.offered, mailbox.empty()) == (0, 0, False)


def test_an_event_handler_that_raises_fails_no_snapshot(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    audience = Audience()
    audience.join(KEY, lambda _: None, lambda _: 1 / 0)
    SymbolActor.start(mailbox=mailbox, audience=audience, dispatcher=stepped)
    mailbox.post(EVENT)
    mailbox.offer(book(1))
    stepped.run()

    assert (mailbox.actor, mailbox.failed, mailbox.depth) == (None, 0, 1)


def test_of_more_than_a_thousand_events_the_oldest_are_dead_letters(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    for _ in range(1002):
        mailbox.post(EVENT)

    assert stepped.dead_letters.counts() == {"overflow": 2}


def test_a_thousand_events_do_not_push_out_the_word_to_stop(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped)
    mailbox.stop(drain=True)
    for _ in range(1001):
        mailbox.post(EVENT)
    stepped.run()

    assert mailbox.actor is None


def test_a_subscription_cancelled_by_its_own_handler_is_not_called_again(stepped: Stepped) -> None:
    mailbox, audience, seen = Mailbox(KEY, stepped), Audience(), list[Snapshot]()

    def once(snapshot: Snapshot) -> None:
        seen.append(snapshot)
        subscription.cancel()

    subscription = audience.join(KEY, once, None)
    SymbolActor.start(mailbox=mailbox, audience=audience, dispatcher=stepped)
    for number in range(3):
        mailbox.offer(book(number))
    stepped.run()

    assert numbers(seen) == [0]


# -- stop


def test_stopping_at_once_leaves_what_waits(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    mailbox.offer(book(1))
    mailbox.stop(drain=False)
    stepped.run()

    assert (seen, mailbox.depth, mailbox.actor) == ([], 1, None)


def test_stopping_after_what_waits_handles_it_first(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    mailbox.offer(book(1))
    mailbox.stop(drain=True)
    mailbox.offer(book(2))
    stepped.run()

    assert (numbers(seen), mailbox.depth, mailbox.actor) == ([1], 1, None)


def test_stopping_without_an_actor_does_not_stop_the_next(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    mailbox.stop(drain=False)
    mailbox.stop(drain=True)
    start(mailbox, stepped)
    stepped.run()

    assert mailbox.actor is not None


@pytest.mark.parametrize("drain", [False, True])
def test_a_word_to_stop_does_not_outlive_the_actor_it_was_for(
    stepped: Stepped, drain: bool
) -> None:
    def fail(_: Snapshot) -> None:
        mailbox.stop(drain=drain)
        raise ValueError("no")

    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, fail)
    mailbox.offer(book(1))
    mailbox.offer(book(2))
    stepped.run()
    _, seen = start(mailbox, stepped)
    stepped.run()

    assert numbers(seen) == [2]
    assert mailbox.actor is not None


def test_an_offer_after_close_is_a_dead_letter(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    mailbox.close()
    outcome = mailbox.offer(book(1))

    assert (outcome, mailbox.offered, mailbox.latest) == (Outcome.STOPPED, 0, None)
    assert stepped.dead_letters.counts() == {"stopped": 1}


def test_an_event_after_close_is_a_dead_letter(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    mailbox.close()
    mailbox.post(EVENT)

    assert stepped.dead_letters.counts() == {"stopped": 1}


# -- Pykka's side


def test_a_told_snapshot_lands_under_the_same_rules(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    ref, seen = start(mailbox, stepped)
    for number in (2, 1, 2):
        ref.tell(book(number))
    stepped.run()

    assert (numbers(seen), mailbox.rejected) == ([2], 2)


def test_who_asks_with_a_snapshot_is_answered_its_outcome_at_once(stepped: Stepped) -> None:
    ref, seen = start(Mailbox(KEY, stepped), stepped)

    assert (ref.ask(book(1), block=False).get(timeout=0), seen) == (Outcome.ACCEPTED, [])


def test_who_asks_with_an_event_is_answered(stepped: Stepped) -> None:
    ref, seen = start(Mailbox(KEY, stepped), stepped)
    answer = ref.ask(EVENT, block=False)
    stepped.run()

    assert seen == [EVENT]
    assert answer.get(timeout=0) is None


def test_control_messages_go_first_and_are_never_shed(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, capacity=1)
    ref, seen = start(mailbox, stepped)
    mailbox.offer(book(1))
    mailbox.offer(book(2))
    handled = ref.proxy().inbox.map(lambda inbox: inbox.handled)
    stepped.line.popleft().run(1)

    assert (handled.get(), numbers(seen)) == (1, [2])


def test_a_control_message_does_not_wait_for_all_that_waits(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped, lambda _: mailbox.stop(drain=False))
    for number in range(10):
        mailbox.offer(book(number))
    stepped.run()

    assert numbers(seen) == [0]


# -- who runs it


@pytest.fixture
def reader() -> Reader:
    """Return the reader of the thread that runs the test."""
    return Reader("test", lambda: False)


def begun(
    stepped: Stepped, handler: Callable[[Snapshot], object] | None = None
) -> tuple[Mailbox, list[Any]]:
    """Return an idle mailbox, and what its handler sees."""
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped, handler)
    stepped.run()
    return mailbox, seen


def test_an_idle_mailbox_is_handled_by_who_reads(stepped: Stepped, reader: Reader) -> None:
    mailbox, seen = begun(stepped)
    mailbox.offer_here(book(1), reader)

    assert (numbers(seen), list(stepped.line)) == ([1], [])


def test_what_is_handled_on_the_spot_is_counted_like_all(stepped: Stepped, reader: Reader) -> None:
    mailbox, _ = begun(stepped)
    mailbox.offer_here(book(1), reader)
    mailbox.offer_here(book(1), reader)

    assert (mailbox.offered, mailbox.handled, mailbox.rejected) == (2, 1, 1)
    assert mailbox.lags.total == 1


def test_a_busy_mailbox_is_left_to_who_runs_it(stepped: Stepped, reader: Reader) -> None:
    mailbox, seen = begun(stepped)
    mailbox.offer(book(1))
    mailbox.offer_here(book(2), reader)

    assert (seen, list(stepped.line)) == ([], [mailbox])


def test_what_comes_while_one_is_handled_on_the_spot_stands_in_line(
    stepped: Stepped, reader: Reader
) -> None:
    mailbox, seen = begun(
        stepped, lambda snapshot: snapshot.sequence == 1 and mailbox.offer(book(2))
    )
    mailbox.offer_here(book(1), reader)

    assert (numbers(seen), mailbox.depth, list(stepped.line)) == ([1], 1, [mailbox])


def test_a_handler_that_fails_on_the_spot_ends_its_actor_only(
    stepped: Stepped, reader: Reader
) -> None:
    mailbox, _ = begun(stepped, lambda _: 1 / 0)
    outcome = mailbox.offer_here(book(1), reader)

    assert (outcome, mailbox.failed, mailbox.actor) == (Outcome.ACCEPTED, 1, None)


def test_who_reads_for_too_many_stuck_ones_handles_nothing(
    stepped: Stepped, reader: Reader
) -> None:
    mailbox, seen = begun(stepped)
    reader.crowded = True
    mailbox.offer_here(book(1), reader)

    assert (seen, list(stepped.line)) == ([], [mailbox])


def test_who_was_relieved_while_handling_reads_no_more(stepped: Stepped, reader: Reader) -> None:
    mailbox, seen = begun(stepped, lambda _: reader.baton.clear())

    with pytest.raises(Relieved):
        mailbox.offer_here(book(1), reader)
    assert numbers(seen) == [1]


def test_a_slow_one_is_not_run_by_who_offers_until_it_was_quick_64_times(stepped: Stepped) -> None:
    slow = {0}

    def handle(snapshot: Snapshot) -> None:
        stepped.time.ns += 2 * MS if snapshot.sequence in slow else 0

    mailbox = Mailbox(KEY, stepped)
    start(mailbox, stepped, handle)
    quick = []
    for number in range(66):
        mailbox.offer(book(number))
        stepped.run()
        quick.append(mailbox.quick)

    assert quick == [False] * 64 + [True] * 2


def test_at_most_throughput_are_handled_before_it_goes_back_in_line(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    _, seen = start(mailbox, stepped)
    for number in range(5):
        mailbox.offer(book(number))
    stepped.line.popleft().run(3)

    assert (numbers(seen), list(stepped.line)) == ([0, 1, 2], [mailbox])


def test_after_a_millisecond_it_goes_back_in_line(stepped: Stepped) -> None:
    mailbox, seen = begun(stepped, lambda _: stepped.advance(0.0004))
    for number in range(10):
        mailbox.offer(book(number))
    stepped.line.popleft().run(64)

    assert (numbers(seen), list(stepped.line), mailbox.quick) == ([0, 1, 2], [mailbox], True)


def test_adaptive_sheds_from_a_queue_that_stands(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped, adaptive=True)
    start(mailbox, stepped, lambda _: stepped.advance(0.01))
    for number in range(500):
        mailbox.offer(book(number))
    stepped.run()

    assert mailbox.expired > 0
    assert mailbox.handled + mailbox.expired == 500


def test_the_actor_is_known_to_its_mailbox(stepped: Stepped) -> None:
    mailbox = Mailbox(KEY, stepped)
    ref, _ = start(mailbox, stepped)
    actor: Actor | None = mailbox.actor

    assert actor is not None
    assert actor.actor_ref is ref
