"""The mailbox against a plain list: every count, the order, exactly once, and `latest`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ticklane.actors import Audience, SymbolActor
from ticklane.analysis import AdaptiveCapacity
from ticklane.messages import FeedConnected, FeedEvent, Outcome, SequenceReset, Snapshot
from ticklane.runtime import OVERFLOW_POLICIES, Mailbox, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.tests.conftest import Stepped

KEY = "upbit:KRW-BTC"
SECOND = 1_000_000_000
PRODUCERS = 3
WAYS = ["offer", "tell", "here", "here, to a handler that fails"]


class Model:
    """What a mailbox is to do, as a list of what waits and a table of counts."""

    def __init__(self, overflow: str, capacity: int, adaptive: bool) -> None:
        self.overflow = overflow
        self.ceiling = 1 if overflow == "conflate" else capacity
        self.adaptive = AdaptiveCapacity(self.ceiling) if adaptive else None
        self.waiting: list[tuple[int, Snapshot] | FeedEvent] = []
        self.counts: Counter[str] = Counter()
        self.latest: Snapshot | None = None
        self.books: list[tuple[Any, Any]] = []
        """The books seen at the latest one's stamp."""
        self.older_since: int | None = None
        self.deepest = 0

    @property
    def depth(self) -> int:
        return sum(isinstance(each, tuple) for each in self.waiting)

    @property
    def bound(self) -> int:
        return self.adaptive.capacity if self.adaptive else self.ceiling

    def offer(self, snapshot: Snapshot, now: int) -> Outcome:
        self.counts["offered"] += 1
        if self.overflow == "drop_newest" and self.depth >= self.bound:
            known = self.knows(snapshot)
            self.counts["rejected" if known else "dropped"] += 1
            return Outcome.REJECTED if known else Outcome.DROPPED
        if not self.fresh(snapshot, now):
            self.counts["rejected"] += 1
            return Outcome.REJECTED
        outcome = Outcome.ACCEPTED
        while self.depth >= self.bound:
            outcome = self.displace()
        self.waiting.append((now, snapshot))
        self.deepest = max(self.deepest, self.depth)
        return outcome

    def displace(self) -> Outcome:
        self.waiting.remove(next(each for each in self.waiting if isinstance(each, tuple)))
        conflate = self.overflow == "conflate"
        self.counts["conflated" if conflate else "dropped"] += 1
        return Outcome.CONFLATED if conflate else Outcome.DISPLACED

    def fresh(self, snapshot: Snapshot, now: int) -> bool:
        ahead = self.ahead(snapshot)
        if ahead < 0:
            self.older_since = now if self.older_since is None else self.older_since
            if now - self.older_since < SECOND:
                return False
            self.waiting.append(SequenceReset(key=KEY))
        self.older_since = None
        book = (snapshot.bids, snapshot.asks)
        if ahead == 0 and book in self.books:
            return False
        self.books = [*self.books, book] if ahead == 0 else [book]
        self.latest = snapshot
        return True

    def knows(self, snapshot: Snapshot) -> bool:
        ahead = self.ahead(snapshot)
        return ahead < 0 or (ahead == 0 and (snapshot.bids, snapshot.asks) in self.books)

    def ahead(self, snapshot: Snapshot) -> int:
        assert snapshot.sequence is not None
        if self.latest is None or self.latest.sequence is None:
            return 1
        return snapshot.sequence - self.latest.sequence

    def run(self, taken: int, now: int, cost_ns: int, fatal: bool) -> list[Any]:
        """Return what the actor sees with so many taken; `fatal`: it fails at the first."""
        seen: list[Any] = []
        for _ in range(taken):
            seen += self.due_events()
            accepted, snapshot = self.waiting.pop(0)  # type: ignore[misc]
            if self.adaptive and self.adaptive.expires(now, now - accepted, self.depth):
                self.counts["expired"] += 1
                continue
            seen.append(snapshot)
            self.counts["failed" if fatal else "handled"] += 1
            now += cost_ns
        return seen

    def due_events(self) -> list[FeedEvent]:
        events: list[FeedEvent] = []
        while self.waiting and isinstance(self.waiting[0], FeedEvent):
            events.append(self.waiting.pop(0))  # type: ignore[arg-type]
        return events


class MailboxMachine(RuleBasedStateMachine):
    """Several producers, and one actor that may fail and be replaced."""

    def __init__(self, stepped: Stepped, overflow: str, adaptive: bool) -> None:
        super().__init__()
        self.stepped = stepped
        self.overflow = overflow
        self.adaptive = adaptive
        self.seen: list[Any] = []
        self.expected: list[Any] = []
        self.cost_ns = 30_000_000 if adaptive else 0
        self.fatal = False
        self.published: list[Snapshot] = []
        """What the exchange has sent so far, to all producers."""
        self.cursors = [0] * PRODUCERS
        self.events = 0

    @initialize(capacity=st.integers(1, 5))
    def make(self, capacity: int) -> None:
        capacity *= 10 if self.adaptive else 1
        options: dict[str, Any] = {"overflow": self.overflow, "adaptive": self.adaptive}
        self.mailbox = Mailbox(KEY, self.stepped, capacity=capacity, **options)
        self.model = Model(self.overflow, capacity, self.adaptive)
        self.reader = Reader("producer", lambda: False)
        self.audience = Audience()
        self.audience.join(KEY, self.handle, self.seen.append)
        self.start()

    def handle(self, snapshot: Snapshot) -> None:
        self.seen.append(snapshot)
        if self.fatal:
            raise ValueError("the handler's own fault")
        self.stepped.time.ns += self.cost_ns

    def start(self) -> None:
        self.actor = SymbolActor.start(
            mailbox=self.mailbox, audience=self.audience, dispatcher=self.stepped
        )

    @property
    def alive(self) -> bool:
        return self.mailbox.actor is not None

    # -- producers

    def publish(self, sequence: int, twin: int = 0) -> Snapshot:
        bids, asks = ((100.0, 1.0 + twin),), ((101.0, 1.0),)
        snapshot = Snapshot("upbit", "KRW-BTC", bids, asks, sequence=sequence)
        self.published.append(snapshot)
        return snapshot

    @rule(
        producer=st.integers(0, PRODUCERS - 1),
        step=st.sampled_from([1, 1, 1, 3, 0, -1, -50]),
        way=st.sampled_from(WAYS),
    )
    def bring_the_next(self, producer: int, step: int, way: str) -> None:
        """A producer that is behind brings what others may have brought; one in front, news."""
        if self.cursors[producer] == len(self.published):
            newest = self.published[-1].sequence if self.published else 0
            self.publish((newest or 0) + step, twin=len(self.published) if step == 0 else 0)
        snapshot = self.published[self.cursors[producer]]
        self.cursors[producer] += 1
        self.bring(snapshot, way)

    @rule(count=st.integers(2, 12))
    def bring_a_burst(self, count: int) -> None:
        for _ in range(count):
            newest = self.published[-1].sequence if self.published else 0
            self.bring(self.publish((newest or 0) + 1), "offer")

    @precondition(lambda self: self.published)
    @rule(data=st.data(), way=st.sampled_from(WAYS))
    def bring_a_copy_of_any(self, data: st.DataObject, way: str) -> None:
        self.bring(data.draw(st.sampled_from(self.published)), way)

    def bring(self, snapshot: Snapshot, way: str) -> None:
        now, deepest = self.stepped.time.ns, self.model.deepest
        idle = not self.model.waiting and self.alive and self.mailbox not in self.stepped.line
        expected = self.model.offer(snapshot, now)
        if way == "tell" and self.alive:
            self.actor.tell(snapshot)
            return
        if not way.startswith("here"):
            assert self.mailbox.offer(snapshot) is expected
            return
        taken, self.fatal = self.taken, way != "here"

        assert self.mailbox.offer_here(snapshot, self.reader) is expected
        if self.taken > taken:
            assert idle
            self.model.deepest = deepest
            self.follow(1, now)
        self.fatal = False

    # -- the actor

    @precondition(lambda self: self.stepped.line)
    @rule(throughput=st.integers(1, 8), fatal=st.sampled_from([False, False, True]))
    def handle_some(self, throughput: int, fatal: bool) -> None:
        self.fatal = fatal
        assert self.stepped.line.popleft() is self.mailbox
        self.run_it(throughput)
        self.fatal = False

    def run_it(self, throughput: int) -> None:
        """How many are taken in one run is the mailbox's own affair, within bounds."""
        now, waited, taken = self.stepped.time.ns, self.model.depth, self.taken
        failed = self.mailbox.failed
        self.mailbox.run(throughput)
        taken = self.taken - taken
        self.follow(taken, now)

        assert min(waited, 1) <= taken <= throughput
        assert self.alive == (self.mailbox.failed == failed)

    @property
    def taken(self) -> int:
        return self.mailbox.handled + self.mailbox.failed + self.mailbox.expired

    def follow(self, taken: int, now: int) -> None:
        self.expected += self.model.run(taken, now, self.cost_ns, self.fatal)
        # Whether events behind the last snapshot are told now or in the next run is all the same.
        for event in self.seen[len(self.expected) :]:
            assert event == self.model.waiting.pop(0)
            self.expected.append(event)

    @precondition(lambda self: not self.alive)
    @rule()
    def restart(self) -> None:
        self.start()

    @precondition(lambda self: self.alive)
    @rule()
    def stop_at_once(self) -> None:
        self.mailbox.stop(drain=False)
        self.stepped.run()

        assert not self.alive

    @precondition(lambda self: self.alive)
    @rule()
    def stop_after_what_waits(self) -> None:
        self.mailbox.stop(drain=True)
        now, waited = self.stepped.time.ns, self.model.depth
        self.stepped.run()
        self.follow(waited, now)

        assert (self.alive, self.mailbox.depth) == (False, 0)

    # -- everything else

    @rule()
    def post(self) -> None:
        self.events += 1
        event = FeedConnected(key=KEY, url=f"wss://{self.events}")
        self.mailbox.post(event)
        self.model.waiting.append(event)

    @rule(cost_ms=st.sampled_from([0, 0, 2, 30]))
    def change_the_handlers_pace(self, cost_ms: int) -> None:
        self.cost_ns = cost_ms * 1_000_000

    @rule(ms=st.sampled_from([1, 20, 400, 1000]))
    def let_time_pass(self, ms: int) -> None:
        self.stepped.time.ns += ms * 1_000_000

    @rule()
    def take_the_peak(self) -> None:
        peak, _ = self.mailbox.cut()

        assert self.model.depth <= peak <= self.mailbox.depth_max

    @invariant()
    def counts_are_the_models(self) -> None:
        box, counts = self.mailbox, self.model.counts
        names = ("offered", "handled", "failed", "dropped", "conflated", "expired", "rejected")

        assert {name: getattr(box, name) for name in names} == {
            name: counts[name] for name in names
        }

    @invariant()
    def counts_add_up(self) -> None:
        box = self.mailbox
        shed = box.dropped + box.conflated + box.expired + box.rejected

        assert box.offered == box.handled + box.failed + shed + box.depth

    @invariant()
    def depth_is_the_models_and_within_capacity(self) -> None:
        assert self.mailbox.depth == self.model.depth <= self.mailbox.capacity

    @invariant()
    def greatest_depth_is_the_models(self) -> None:
        assert self.mailbox.depth_max == self.model.deepest

    @invariant()
    def latest_is_the_models(self) -> None:
        assert self.mailbox.latest == self.model.latest

    @invariant()
    def everything_is_seen_once_and_in_order(self) -> None:
        assert self.seen == self.expected

    @invariant()
    def what_waits_stands_in_line_once(self) -> None:
        times = self.stepped.line.count(self.mailbox)

        assert times <= 1
        assert not (self.alive and self.model.waiting) or times == 1

    @invariant()
    def the_head_is_as_old_as_the_models(self) -> None:
        accepted = next((each[0] for each in self.model.waiting if isinstance(each, tuple)), None)
        now = self.stepped.time.ns

        assert self.mailbox.oldest_age_ns(now) == (0 if accepted is None else now - accepted)

    def teardown(self) -> None:
        if not self.alive:
            self.start()
        now, waited = self.stepped.time.ns, self.model.depth
        self.stepped.run()
        self.follow(waited, now)

        assert (self.seen, self.mailbox.depth) == (self.expected, 0)
        self.actor.stop()


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("overflow", OVERFLOW_POLICIES)
def test_a_mailbox_does_what_a_plain_list_does(
    new_stepped: Callable[[], Stepped], overflow: str, adaptive: bool
) -> None:
    run_state_machine_as_test(
        lambda: MailboxMachine(new_stepped(), overflow, adaptive)  # type: ignore[arg-type]
    )
