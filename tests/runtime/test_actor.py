"""What a Pykka user expects of an actor, held against Pykka's own and ours; then what differs.

Tests that take `runtime` run on `pykka.ThreadingActor`, too, so that the expectation is Pykka's.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import traceback
from typing import TYPE_CHECKING, Any

import attrs
import pykka
import pytest
from loguru import logger
from pykka import ActorDeadError, ActorRegistry

from ticklane.messages import ChildFailed, ChildStopped
from ticklane.runtime import Actor, Dispatcher, Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 5.0


@attrs.define
class Runtime:
    """A kind of actor, and what its constructor needs."""

    base: type[pykka.Actor]
    options: dict[str, Any]
    started: list[pykka.ActorRef[Any]] = attrs.field(factory=list)

    def start(self, behaviour: Any, *args: Any, **kwargs: Any) -> Any:
        actor_class: Any = type(behaviour.__name__, (behaviour, self.base), {})
        ref = actor_class.start(*args, **self.options, **kwargs)
        self.started.append(ref)
        return ref


@pytest.fixture(params=["pykka", "ticklane"])
def runtime(request: pytest.FixtureRequest, dispatcher: Dispatcher) -> Iterator[Runtime]:
    """Yield Pykka's own kind of actor, then ours; what still lives at the end is stopped."""
    if request.param == "pykka":
        kind = Runtime(pykka.ThreadingActor, {})
    else:
        kind = Runtime(Actor, {"dispatcher": dispatcher})
    yield kind
    for ref in kind.started:
        ref.stop(timeout=PATIENCE_S)


@pytest.fixture
def ours(dispatcher: Dispatcher) -> Iterator[Runtime]:
    """Yield our kind of actor only."""
    kind = Runtime(Actor, {"dispatcher": dispatcher})
    yield kind
    for ref in kind.started:
        ref.stop(timeout=PATIENCE_S)


class Log:
    """What happened, in order, to be waited for."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self.arrivals: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def add(self, line: Any) -> None:
        self.lines.append(line)
        self.arrivals.put(line)

    def wait_for(self, line: Any) -> None:
        while self.arrivals.get(timeout=PATIENCE_S) != line:
            pass


class Counter:
    """Something an actor holds."""

    def __init__(self) -> None:
        self.count = 0

    def increase(self, by: int = 1) -> int:
        self.count += by
        return self.count


class Desk(pykka.Actor):
    """An actor with a bit of everything."""

    shared = "of the class"

    def __init__(self, log: Log | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.log = log or Log()
        self.gate = threading.Event()
        self.name = "desk"
        self.counter = pykka.traversable(Counter())
        self.plain = Counter()
        self.built_on = threading.get_ident()
        self._private = 1

    def on_start(self) -> None:
        self.log.add("start")
        self.started_on = threading.get_ident()

    def on_stop(self) -> None:
        self.log.add("stop")

    def on_failure(self, *exc_info: Any) -> None:
        self.log.add(("failure", exc_info))

    def on_receive(self, message: Any) -> Any:
        if message == "wait":
            self.log.add("waiting")
            self.gate.wait(PATIENCE_S)
        if isinstance(message, BaseException):
            raise message
        self.log.add(message)
        return f"got {message}"

    def add(self, one: int, *, other: int = 1) -> int:
        return one + other

    def divide_by_zero(self) -> float:
        return 1 / 0

    def stop_yourself(self) -> str:
        self.stop()
        return "stopping"

    def who_are_you(self) -> Any:
        return self.actor_ref

    def grow(self) -> None:
        self.grown = "later"

    @property
    def shout(self) -> str:
        return self.name.upper()

    @shout.setter
    def shout(self, name: str) -> None:
        if not name:
            raise ValueError("a name must not be empty")
        self.name = name.lower()

    @staticmethod
    def fixed() -> str:
        return "static"


class Other(Desk):
    """Another class of actor."""


class Silent(pykka.Actor):
    """An actor that does not say what it receives."""


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def desk(runtime: Runtime, log: Log) -> Any:
    """Return a reference to a running desk."""
    return runtime.start(Desk, log)


@pytest.fixture
def busy(desk: Any, log: Log) -> Iterator[threading.Event]:
    """Keep the desk in a handler; yield what releases it."""
    gate: threading.Event = desk.proxy().gate.get(timeout=PATIENCE_S)
    desk.tell("wait")
    log.wait_for("waiting")
    yield gate
    gate.set()


# -- tell


def test_a_told_message_is_received(desk: Any, log: Log) -> None:
    desk.tell({"any": "thing"})
    log.wait_for({"any": "thing"})

    assert log.lines[-1] == {"any": "thing"}


def test_telling_does_not_wait(desk: Any, busy: threading.Event) -> None:
    assert desk.tell("hello") is None
    assert not busy.is_set()


def test_told_messages_are_received_in_order(desk: Any, log: Log) -> None:
    for number in range(500):
        desk.tell(number)
    desk.stop()

    assert log.lines == ["start", *range(500), "stop"]


def test_telling_the_dead_is_an_error_of_the_teller(desk: Any) -> None:
    desk.stop()

    with pytest.raises(ActorDeadError):
        desk.tell("hello")


def test_a_message_without_a_receiver_is_survived(runtime: Runtime) -> None:
    ref = runtime.start(Silent)

    assert ref.ask("hello", timeout=PATIENCE_S) is None
    assert ref.is_alive()


# -- ask


def test_who_asks_gets_what_the_actor_returns(desk: Any) -> None:
    assert desk.ask("hello") == "got hello"


def test_who_asks_without_waiting_gets_a_future(desk: Any) -> None:
    answer = desk.ask("hello", block=False)

    assert isinstance(answer, pykka.Future)
    assert answer.get(timeout=PATIENCE_S) == "got hello"


@pytest.mark.usefixtures("busy")
def test_an_answer_that_takes_too_long_is_a_timeout(desk: Any) -> None:
    with pytest.raises(pykka.Timeout):
        desk.ask("hello", timeout=0.01)


def test_an_answer_that_timed_out_is_still_there_later(desk: Any, busy: threading.Event) -> None:
    answer = desk.ask("hello", block=False)
    with pytest.raises(pykka.Timeout):
        answer.get(timeout=0.01)
    busy.set()

    assert answer.get(timeout=PATIENCE_S) == "got hello"


def test_an_exception_goes_to_who_asked(desk: Any) -> None:
    with pytest.raises(ValueError, match="bad question"):
        desk.ask(ValueError("bad question"))


def test_an_exception_that_went_to_who_asked_does_not_end_the_actor(desk: Any, log: Log) -> None:
    with pytest.raises(ValueError, match="bad question"):
        desk.ask(ValueError("bad question"))

    assert desk.ask("still there") == "got still there"
    assert "failure" not in [line[0] for line in log.lines]


def test_an_exception_carries_the_actors_traceback(desk: Any) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        desk.proxy().divide_by_zero().get(timeout=PATIENCE_S)
    functions = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]

    assert functions[-1] == "divide_by_zero"


def test_asking_the_dead_raises(desk: Any) -> None:
    desk.stop()

    with pytest.raises(ActorDeadError):
        desk.ask("hello")


def test_asking_the_dead_without_waiting_raises_only_at_the_answer(desk: Any) -> None:
    desk.stop()
    answer = desk.ask("hello", block=False)

    with pytest.raises(ActorDeadError):
        answer.get(timeout=PATIENCE_S)


# -- stop


def test_stop_says_true_once(desk: Any) -> None:
    assert [desk.stop(), desk.stop()] == [True, False]


def test_stop_without_waiting_gives_a_future(desk: Any) -> None:
    assert desk.stop(block=False).get(timeout=PATIENCE_S) is True


@pytest.mark.usefixtures("busy")
def test_stop_waits_no_longer_than_asked_to(desk: Any) -> None:
    with pytest.raises(pykka.Timeout):
        desk.stop(timeout=0.01)


def test_a_stopped_actor_is_not_alive(desk: Any) -> None:
    before = desk.is_alive()
    desk.stop()

    assert (before, desk.is_alive()) == (True, False)


def test_what_waits_before_a_stop_is_handled(desk: Any, busy: threading.Event, log: Log) -> None:
    desk.tell("before")
    stopped = desk.stop(block=False)
    busy.set()
    stopped.get(timeout=PATIENCE_S)

    assert log.lines[-2:] == ["before", "stop"]


def test_what_is_asked_after_a_stop_gets_an_error(desk: Any, busy: threading.Event) -> None:
    stopped = desk.stop(block=False)
    answer = desk.ask("after", block=False)
    busy.set()

    assert stopped.get(timeout=PATIENCE_S) is True
    with pytest.raises(ActorDeadError):
        answer.get(timeout=PATIENCE_S)


def test_everybody_who_stops_an_actor_at_once_is_told_true(
    desk: Any, busy: threading.Event
) -> None:
    stops = [desk.stop(block=False) for _ in range(3)]
    busy.set()

    assert pykka.get_all(stops, timeout=PATIENCE_S) == [True, True, True]


def test_an_actor_may_stop_itself(desk: Any) -> None:
    assert desk.proxy().stop_yourself().get(timeout=PATIENCE_S) == "stopping"
    assert desk.actor_stopped.wait(PATIENCE_S)


def test_an_actor_that_stops_itself_handles_what_waits_first(
    desk: Any, busy: threading.Event, log: Log
) -> None:
    desk.proxy().stop_yourself.defer()
    desk.tell("before the stop")
    busy.set()
    log.wait_for("stop")

    assert log.lines[-2:] == ["before the stop", "stop"]


def test_on_stop_that_raises_stops_all_the_same(runtime: Runtime) -> None:
    class Clumsy(pykka.Actor):
        def on_stop(self) -> None:
            raise ValueError("not now")

    ref = runtime.start(Clumsy)

    assert ref.stop(timeout=PATIENCE_S) is True
    assert not ref.is_alive()


def test_the_stop_is_the_last_message(desk: Any, busy: threading.Event, log: Log) -> None:
    stopped = desk.stop(block=False)
    desk.tell("after")
    busy.set()
    stopped.get(timeout=PATIENCE_S)

    assert log.lines[-1] == "stop"


# -- hooks


def test_on_start_runs_before_the_first_message(desk: Any, log: Log) -> None:
    desk.ask("hello")

    assert log.lines == ["start", "hello"]


def test_the_constructor_runs_on_the_starters_thread_and_on_start_does_not(desk: Any) -> None:
    proxy = desk.proxy()
    here = threading.get_ident()

    assert proxy.built_on.get(timeout=PATIENCE_S) == here
    assert proxy.started_on.get(timeout=PATIENCE_S) != here


def test_an_exception_in_on_start_ends_the_actor(runtime: Runtime) -> None:
    class Stillborn(pykka.Actor):
        def on_start(self) -> None:
            raise ValueError("no")

    ref = runtime.start(Stillborn)

    assert ref.actor_stopped.wait(PATIENCE_S)
    assert ActorRegistry.get_by_urn(ref.actor_urn) is None


def test_an_actor_may_stop_itself_at_its_start(runtime: Runtime, log: Log) -> None:
    class Brief(Desk):
        def on_start(self) -> None:
            super().on_start()
            self.stop()

    runtime.start(Brief, log)
    log.wait_for("stop")

    assert log.lines == ["start", "stop"]


def test_an_exception_that_nobody_asked_for_ends_the_actor(desk: Any) -> None:
    desk.tell(ValueError("no"))

    assert desk.actor_stopped.wait(PATIENCE_S)


def test_on_failure_gets_the_exception(desk: Any, log: Log) -> None:
    error = ValueError("no")
    desk.tell(error)
    while not isinstance(line := log.arrivals.get(timeout=PATIENCE_S), tuple):
        pass
    _, (kind, value, trace) = line

    assert (kind, value) == (ValueError, error)
    assert traceback.extract_tb(trace)[-1].name == "on_receive"


def test_on_failure_that_raises_ends_the_actor_all_the_same(runtime: Runtime) -> None:
    class Hopeless(Desk):
        def on_failure(self, *_exc_info: Any) -> None:
            raise TypeError("not even that")

    ref = runtime.start(Hopeless)
    ref.tell(ValueError("no"))

    assert ref.actor_stopped.wait(PATIENCE_S)


def test_a_failed_actor_does_not_run_on_stop(desk: Any, log: Log) -> None:
    desk.tell(ValueError("no"))
    desk.actor_stopped.wait(PATIENCE_S)
    desk.stop()

    assert "stop" not in log.lines


def test_what_was_asked_and_waits_at_a_failure_gets_an_error(
    desk: Any, busy: threading.Event
) -> None:
    desk.tell(ValueError("no"))
    answer = desk.ask("too late", block=False)
    busy.set()

    with pytest.raises(ActorDeadError):
        answer.get(timeout=PATIENCE_S)


def test_a_stop_that_waits_at_a_failure_is_told_true(desk: Any, busy: threading.Event) -> None:
    desk.tell(ValueError("no"))
    stopped = desk.stop(block=False)
    busy.set()

    assert stopped.get(timeout=PATIENCE_S) is True


# -- references


def test_a_reference_names_the_class_and_the_urn(desk: Any) -> None:
    assert str(desk) == f"Desk ({desk.actor_urn})"


def test_every_actor_has_an_urn_of_its_own(runtime: Runtime) -> None:
    urns = {runtime.start(Desk).actor_urn for _ in range(5)}

    assert len(urns) == 5
    assert all(urn.startswith("urn:uuid:") for urn in urns)


def test_an_actor_knows_its_own_reference(desk: Any) -> None:
    assert desk.proxy().who_are_you().get(timeout=PATIENCE_S) is desk


def test_a_constructor_that_raises_raises_at_start_and_leaves_nothing(runtime: Runtime) -> None:
    class Impossible(pykka.Actor):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            raise ValueError("never")

    before = ActorRegistry.get_all()

    with pytest.raises(ValueError, match="never"):
        runtime.start(Impossible)
    assert ActorRegistry.get_all() == before


# -- registry


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the actors that other tests left to stopped dispatchers."""
    monkeypatch.setattr(ActorRegistry, "_actor_refs", [])


def test_a_running_actor_is_registered(desk: Any) -> None:
    assert desk in ActorRegistry.get_all()


def test_a_stopped_actor_is_not_registered(desk: Any) -> None:
    desk.stop()

    assert desk not in ActorRegistry.get_all()


def test_a_failed_actor_is_not_registered(desk: Any) -> None:
    desk.tell(ValueError("no"))
    desk.actor_stopped.wait(PATIENCE_S)

    assert desk not in ActorRegistry.get_all()


def test_actors_are_found_by_class_and_by_its_bases(runtime: Runtime) -> None:
    desk, other = runtime.start(Desk), runtime.start(Other)

    found = [ActorRegistry.get_by_class(each) for each in (Desk, Other)]  # type: ignore[type-abstract]

    assert found == [[desk, other], [other]]


def test_actors_are_found_by_the_name_of_their_class(runtime: Runtime) -> None:
    runtime.start(Desk)
    other = runtime.start(Other)

    assert ActorRegistry.get_by_class_name("Other") == [other]


def test_an_actor_is_found_by_its_urn(desk: Any) -> None:
    assert ActorRegistry.get_by_urn(desk.actor_urn) is desk
    assert ActorRegistry.get_by_urn("urn:uuid:nobody") is None


def test_a_broadcast_reaches_all_of_a_class(runtime: Runtime) -> None:
    one, two, bystander = Log(), Log(), Log()
    runtime.start(Other, one)
    runtime.start(Other, two)
    desk = runtime.start(Desk, bystander)
    ActorRegistry.broadcast("all of you", target_class=Other)
    one.wait_for("all of you")
    two.wait_for("all of you")
    desk.stop()

    assert "all of you" not in bystander.lines


def test_a_broadcast_reaches_all_by_the_name_of_their_class(runtime: Runtime, log: Log) -> None:
    runtime.start(Other, log)
    ActorRegistry.broadcast("all of you", target_class="Other")
    log.wait_for("all of you")


@pytest.mark.usefixtures("empty_registry")
def test_a_broadcast_without_a_class_reaches_everybody(runtime: Runtime) -> None:
    one, two = Log(), Log()
    runtime.start(Other, one)
    runtime.start(Desk, two)
    ActorRegistry.broadcast("everybody")
    one.wait_for("everybody")
    two.wait_for("everybody")


@pytest.mark.usefixtures("empty_registry")
def test_a_host_that_stops_all_stops_them_in_reverse_order(runtime: Runtime, log: Log) -> None:
    class Named(Desk):
        def on_stop(self) -> None:
            self.log.add(self.name)

    for number in range(3):
        runtime.start(Named, log).proxy().name = number
    stopped = ActorRegistry.stop_all(timeout=PATIENCE_S)

    assert (stopped, log.lines[-3:]) == ([True] * 3, [2, 1, 0])


# -- proxies


@pytest.fixture
def proxy(desk: Any) -> Any:
    return desk.proxy()


def test_an_attribute_is_read_as_a_future(proxy: Any) -> None:
    assert proxy.name.get(timeout=PATIENCE_S) == "desk"


def test_an_attribute_of_the_class_can_be_read(proxy: Any) -> None:
    assert proxy.shared.get(timeout=PATIENCE_S) == "of the class"


def test_an_attribute_is_set_when_the_assignment_returns(proxy: Any) -> None:
    proxy.name = "other"

    assert proxy.name.get(timeout=PATIENCE_S) == "other"


def test_a_property_can_be_read_and_set(proxy: Any) -> None:
    proxy.shout = "LOUD"

    assert (proxy.shout.get(timeout=PATIENCE_S), proxy.name.get(timeout=PATIENCE_S)) == (
        "LOUD",
        "loud",
    )


def test_an_exception_of_a_setter_is_raised_at_the_assignment(proxy: Any) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        proxy.shout = ""


def test_a_method_is_called_with_its_arguments(proxy: Any) -> None:
    assert proxy.add(2, other=3).get(timeout=PATIENCE_S) == 5


def test_calls_are_made_in_order_without_waiting_for_each(proxy: Any) -> None:
    counts = [proxy.counter.increase() for _ in range(100)]

    assert pykka.get_all(counts, timeout=PATIENCE_S) == list(range(1, 101))


def test_a_static_method_can_be_called(proxy: Any) -> None:
    assert proxy.fixed().get(timeout=PATIENCE_S) == "static"


def test_an_exception_of_a_method_is_raised_at_the_answer(proxy: Any) -> None:
    answer = proxy.divide_by_zero()

    with pytest.raises(ZeroDivisionError):
        answer.get(timeout=PATIENCE_S)


def test_an_unknown_attribute_is_an_error_at_once(proxy: Any) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = proxy.nonsense


def test_an_attribute_that_came_later_is_found(proxy: Any) -> None:
    proxy.grow().get(timeout=PATIENCE_S)

    assert proxy.grown.get(timeout=PATIENCE_S) == "later"


def test_a_private_attribute_is_not_reached(proxy: Any) -> None:
    with pytest.raises(AttributeError):
        proxy._private.get(timeout=PATIENCE_S)


def test_a_traversable_attributes_method_runs_in_the_actor(proxy: Any) -> None:
    assert proxy.counter.increase(by=3).get(timeout=PATIENCE_S) == 3
    assert proxy.counter.count.get(timeout=PATIENCE_S) == 3


def test_a_traversable_attributes_field_can_be_set(proxy: Any) -> None:
    proxy.counter.count = 41

    assert proxy.counter.increase().get(timeout=PATIENCE_S) == 42


def test_an_attribute_that_is_not_traversable_is_handed_over_whole(proxy: Any) -> None:
    assert isinstance(proxy.plain.get(timeout=PATIENCE_S), Counter)


def test_a_deferred_call_is_made_and_has_no_answer(proxy: Any) -> None:
    assert proxy.counter.increase.defer() is None
    assert proxy.counter.count.get(timeout=PATIENCE_S) == 1


def test_an_exception_of_a_deferred_call_ends_the_actor(proxy: Any) -> None:
    proxy.divide_by_zero.defer()

    assert proxy.actor_ref.actor_stopped.wait(PATIENCE_S)


def test_proxies_to_one_actor_are_equal(desk: Any, runtime: Runtime) -> None:
    assert desk.proxy() == desk.proxy()
    assert hash(desk.proxy()) == hash(desk.proxy())
    assert desk.proxy() != runtime.start(Desk).proxy()


def test_a_proxy_lists_what_the_actor_has(proxy: Any) -> None:
    assert {"name", "add", "counter", "actor_ref"} <= set(dir(proxy))


def test_there_is_no_proxy_to_the_dead(desk: Any) -> None:
    desk.stop()

    with pytest.raises(ActorDeadError):
        desk.proxy()


def test_a_call_to_the_dead_raises_at_the_answer(desk: Any, proxy: Any) -> None:
    desk.stop()
    answer = proxy.add(1)

    with pytest.raises(ActorDeadError):
        answer.get(timeout=PATIENCE_S)


def test_an_assignment_to_the_dead_raises(desk: Any, proxy: Any) -> None:
    desk.stop()

    with pytest.raises(ActorDeadError):
        proxy.name = "too late"


def test_an_actor_can_call_itself_later(runtime: Runtime, log: Log) -> None:
    class Patient(Desk):
        def now(self) -> None:
            self._in_future = self.actor_ref.proxy()
            self._in_future.later.defer()
            self.log.add("now")

        def later(self) -> None:
            self.log.add("later")

    runtime.start(Patient, log).proxy().now().get(timeout=PATIENCE_S)
    log.wait_for("later")

    assert log.lines[-2:] == ["now", "later"]


@pytest.mark.parametrize("name", ["begin", "fail", "process"])
def test_a_users_method_may_have_any_name(runtime: Runtime, name: str) -> None:
    ref = runtime.start(type("Users", (Desk,), {name: lambda _, answer: answer}))
    answer = getattr(ref.proxy(), name)(42)

    assert answer.get(timeout=1.0) == 42


# -- futures


@pytest.fixture
def future(runtime: Runtime) -> Any:
    return runtime.base._create_future()


def test_a_future_gives_what_was_set_as_often_as_asked(future: Any) -> None:
    future.set(7)

    assert [future.get(timeout=0), future.get(timeout=0)] == [7, 7]


def test_a_future_is_set_once(future: Any) -> None:
    future.set(7)

    with pytest.raises(queue.Full):
        future.set(8)


def test_a_future_that_is_not_set_times_out(future: Any) -> None:
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0)


def test_a_future_raises_the_exception_that_was_set(future: Any) -> None:
    future.set_exception((ValueError, ValueError("no"), None))

    with pytest.raises(ValueError, match="no"):
        future.get(timeout=0)


def test_a_waiter_is_woken_by_the_answer(future: Any) -> None:
    setter = threading.Timer(0.01, future.set, ["here"])
    setter.start()

    assert future.get(timeout=PATIENCE_S) == "here"
    setter.join()


def test_a_future_can_be_mapped(future: Any) -> None:
    mapped = future.map(lambda value: value + 1)
    future.set(7)

    assert mapped.get(timeout=0) == 8


def test_a_future_can_be_filtered(future: Any) -> None:
    filtered = future.filter(lambda value: value > 2)
    future.set([1, 2, 3, 4])

    assert filtered.get(timeout=0) == [3, 4]


def test_futures_can_be_joined(runtime: Runtime) -> None:
    one, two, three = (runtime.base._create_future() for _ in range(3))
    joined = one.join(two, three)
    for number, each in enumerate((one, two, three)):
        each.set(number)

    assert joined.get(timeout=0) == [0, 1, 2]


def test_a_future_can_be_reduced(future: Any) -> None:
    reduced = future.reduce(lambda one, other: one + other, 10)
    future.set([1, 2, 3])

    assert reduced.get(timeout=0) == 16


def test_what_is_done_with_a_future_can_be_chained(desk: Any) -> None:
    proxy = desk.proxy()
    both = proxy.add(1).join(proxy.add(2)).reduce(lambda one, other: one + other).map(str)

    assert both.get(timeout=PATIENCE_S) == "5"


def test_several_futures_are_got_at_once(desk: Any) -> None:
    answers = [desk.ask(number, block=False) for number in range(3)]

    assert pykka.get_all(answers, timeout=PATIENCE_S) == ["got 0", "got 1", "got 2"]


def test_a_future_can_be_awaited(desk: Any) -> None:
    async def ask() -> Any:
        return await desk.ask("hello", block=False)

    assert asyncio.run(ask()) == "got hello"


def test_an_exception_reaches_who_awaits(desk: Any) -> None:
    async def ask() -> Any:
        return await desk.proxy().divide_by_zero()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask())


# -- what differs on purpose: base exceptions


@pytest.fixture
def stop_all_calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the calls made to `ActorRegistry.stop_all`, which is kept from doing anything."""
    calls: list[Any] = []
    monkeypatch.setattr(ActorRegistry, "stop_all", lambda **options: calls.append(options))
    return calls


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_a_base_exception_ends_only_its_actor(
    ours: Runtime, log: Log, stop_all_calls: list[Any], error: BaseException
) -> None:
    bystander, desk = ours.start(Desk), ours.start(Desk, log)
    desk.tell(error)

    assert desk.actor_stopped.wait(PATIENCE_S)
    assert bystander.ask("hello", timeout=PATIENCE_S) == "got hello"
    assert stop_all_calls == []


def test_a_base_exception_reaches_on_failure(ours: Runtime, log: Log) -> None:
    error = SystemExit(1)
    ours.start(Desk, log).tell(error)
    log.wait_for("start")
    _, (kind, value, _) = log.arrivals.get(timeout=PATIENCE_S)

    assert (kind, value) == (SystemExit, error)


def test_a_base_exception_does_not_end_the_hosts_own_actors(ours: Runtime) -> None:
    class HostsOwn(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    host = HostsOwn.start()
    desk = ours.start(Desk)
    desk.tell(SystemExit(1))
    desk.actor_stopped.wait(PATIENCE_S)

    assert host.ask("hello", timeout=PATIENCE_S) == "hello"
    host.stop()


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_who_asked_for_a_base_exception_is_told_that_the_actor_is_dead(
    ours: Runtime, stop_all_calls: list[Any], error: BaseException
) -> None:
    desk = ours.start(Desk)

    with pytest.raises(ActorDeadError, match=type(error).__name__):
        desk.ask(error, timeout=PATIENCE_S)
    assert (desk.is_alive(), stop_all_calls) == (False, [])


@pytest.mark.parametrize("hook", ["on_start", "on_stop", "on_failure"])
def test_a_base_exception_in_a_hook_ends_only_its_actor(
    ours: Runtime, stop_all_calls: list[Any], hook: str
) -> None:
    def exit_(*_: object) -> None:
        raise SystemExit(1)

    bystander = ours.start(Desk)
    ref = ours.start(type("Quitter", (Desk,), {hook: exit_}))
    if hook == "on_failure":
        ref.tell(ValueError("no"))
    elif hook == "on_stop":
        ref.stop(timeout=PATIENCE_S)

    assert ref.actor_stopped.wait(PATIENCE_S)
    assert bystander.ask("hello", timeout=PATIENCE_S) == "got hello"
    assert stop_all_calls == []


# -- what differs on purpose: death


def test_an_exception_in_on_start_reaches_on_failure(ours: Runtime, log: Log) -> None:
    class Stillborn(Desk):
        def on_start(self) -> None:
            raise ValueError("no")

    ours.start(Stillborn, log)
    _, (kind, _, _) = log.arrivals.get(timeout=PATIENCE_S)

    assert kind is ValueError


def test_what_waits_at_a_death_becomes_dead_letters(ours: Runtime, log: Log) -> None:
    desk = ours.start(Desk, log)
    gate = desk.proxy().gate.get(timeout=PATIENCE_S)
    desk.tell("wait")
    log.wait_for("waiting")
    stopped = desk.stop(block=False)
    desk.tell("lost")
    desk.tell("lost, too")
    gate.set()
    stopped.get(timeout=PATIENCE_S)

    assert ours.options["dispatcher"].dead_letters.counts() == {"stopped": 2}


def test_a_message_without_a_receiver_is_a_dead_letter(ours: Runtime) -> None:
    ours.start(Silent).ask("hello", timeout=PATIENCE_S)

    assert ours.options["dispatcher"].dead_letters.counts() == {"unhandled": 1}


def test_an_inbox_that_was_given_is_kept_for_the_next_actor(ours: Runtime) -> None:
    inbox, first, second = Inbox(ours.options["dispatcher"]), Log(), Log()
    ours.start(Desk, first, inbox=inbox)
    for message in ("one", ValueError("no"), "two"):
        inbox.tell(message)
    first.wait_for("one")
    ours.started[0].actor_stopped.wait(PATIENCE_S)
    ours.start(Desk, second, inbox=inbox)
    second.wait_for("two")

    assert second.lines == ["start", "two"]


def test_a_supervisor_is_told_of_a_failure(ours: Runtime, log: Log) -> None:
    supervisor, error = ours.start(Desk, log), ValueError("no")
    child = ours.start(Desk, key="a child", supervisor=supervisor.actor_inbox)
    actor = child._actor_weakref()
    child.tell(error)
    log.wait_for(ChildFailed("a child", error, actor))


def test_a_supervisor_is_told_of_a_stop(ours: Runtime, log: Log) -> None:
    supervisor = ours.start(Desk, log)
    child = ours.start(Desk, key="a child", supervisor=supervisor.actor_inbox)
    actor = child._actor_weakref()
    child.stop()
    log.wait_for(ChildStopped("a child", actor))


def test_a_failure_without_a_supervisor_is_logged_with_its_traceback(ours: Runtime) -> None:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    logger.enable("ticklane")
    sink = logger.add(lines.put, format="{message}")
    ours.start(Desk).tell(ValueError("no such thing"))
    line = lines.get(timeout=PATIENCE_S)
    logger.remove(sink)
    logger.disable("ticklane")

    assert "unhandled exception in Desk" in line
    assert "ValueError: no such thing" in line


def test_an_asker_that_answers_its_own_question_harms_nobody(ours: Runtime, log: Log) -> None:
    desk = ours.start(Desk, log)
    gate = desk.proxy().gate.get(timeout=PATIENCE_S)
    answer = desk.ask("wait", block=False)
    log.wait_for("waiting")
    answer.set("never mind")
    gate.set()

    assert desk.ask("hello", timeout=1.0) == "got hello"


# -- what differs on purpose: threads


def test_a_thousand_actors_are_no_thousand_threads(ours: Runtime) -> None:
    before = threading.active_count()
    refs = [ours.start(Desk) for _ in range(1000)]
    answers = [ref.ask("hello", block=False) for ref in refs]

    assert set(pykka.get_all(answers, timeout=PATIENCE_S)) == {"got hello"}
    assert threading.active_count() - before < 10


def test_actors_may_wait_for_one_another_deeper_than_there_are_threads(ours: Runtime) -> None:
    class Asking(pykka.Actor):
        def __init__(self, next_ref: Any, **options: Any) -> None:
            super().__init__(**options)
            self.next_ref = next_ref

        def on_receive(self, message: int) -> int:
            if self.next_ref is None:
                return message
            answer: int = self.next_ref.ask(message + 1, timeout=PATIENCE_S)
            return answer

    ref = None
    for _ in range(20):
        ref = ours.start(Asking, ref)
    assert ref is not None

    assert ref.ask(1, timeout=PATIENCE_S) == 20
