"""The places where our actor takes the place of Pykka's: if Pykka moves them, this says which."""

import inspect
from typing import Any

import pykka
from pykka import ActorRef, ActorRegistry, Future, ThreadingFuture, _ref
from pykka._envelope import Envelope
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from ticklane.runtime import Actor, Inbox, Reply

SIGNATURES: dict[Any, list[str]] = {
    pykka.Actor.start: ["args", "kwargs"],
    pykka.Actor.__init__: ["self", "_args", "_kwargs"],
    pykka.Actor._create_actor_inbox: [],
    pykka.Actor._create_future: [],
    pykka.Actor._start_actor_loop: ["self"],
    pykka.Actor._handle_failure: ["self", "exception_type", "exception_value", "traceback"],
    pykka.Actor._handle_receive: ["self", "message"],
    pykka.Actor._stop: ["self"],
    pykka.Actor.on_start: ["self"],
    pykka.Actor.on_stop: ["self"],
    pykka.Actor.on_failure: ["self", "exception_type", "exception_value", "traceback"],
    pykka.Actor.on_receive: ["self", "message"],
    ActorRef.tell: ["self", "message"],
    ActorRef.ask: ["self", "message", "block", "timeout"],
    ActorRef.stop: ["self", "block", "timeout"],
    ActorRegistry.register: ["actor_ref"],
    ActorRegistry.unregister: ["actor_ref"],
    Future.get: ["self", "timeout"],
    Future.set: ["self", "value"],
    Future.set_exception: ["self", "exc_info"],
    ThreadingFuture.get: ["self", "timeout"],
    Envelope.__init__: ["self", "message", "reply_to"],
}
"""What we override or call, and its parameters in pykka 4.5."""

OVERRIDDEN = {
    "_create_actor_inbox",
    "_create_future",
    "_start_actor_loop",
    "_handle_failure",
    "_stop",
    "on_receive",
}


class Line:
    """An inbox that only notes what Pykka does with it."""

    def __init__(self) -> None:
        self.put_in: list[Envelope[Any]] = []

    def put(self, envelope: Envelope[Any], /) -> None:
        self.put_in.append(envelope)

    def get(self) -> Envelope[Any]:
        return self.put_in.pop(0)

    def empty(self) -> bool:
        return not self.put_in


class Probe(pykka.Actor):
    """An actor that notes when Pykka calls its seam, and on what."""

    def __init__(self, kept: list[Any]) -> None:
        self.calls: list[str] = []
        self.line = Line()
        super().__init__()
        kept.append(self)

    def _create_actor_inbox(self) -> Line:  # type: ignore[override]
        self.calls.append("inbox")
        return self.line

    @staticmethod
    def _create_future() -> Future[Any]:
        return Reply()

    def _start_actor_loop(self) -> None:
        registered = self.actor_ref in ActorRegistry.get_all()
        self.calls.append(f"loop, {registered=}")


def test_pykkas_seam_is_where_we_expect_it() -> None:
    found = {each: list(inspect.signature(each).parameters) for each in SIGNATURES}
    public = {name for name in vars(Actor) if callable(getattr(Actor, name))}

    assert found == SIGNATURES
    assert public >= OVERRIDDEN
    assert vars(pykka.Actor).keys() >= OVERRIDDEN

    kept: list[Probe] = []
    ref = Probe.start(kept)
    (probe,) = kept

    # The inbox is made on the instance, within the constructor; the loop starts when registered.
    assert probe.calls == ["inbox", "loop, registered=True"]
    assert ref.actor_inbox is probe.actor_inbox is probe.line
    assert ref.actor_stopped is probe.actor_stopped

    # What is told and asked arrives in the inbox; future and envelope are as we use them.
    ref.tell("told")
    answer = ref.ask("asked", block=False)
    ref.stop(block=False)
    told, asked, stop = probe.line.put_in
    assert (told.message, told.reply_to) == ("told", None)
    assert (asked.message, asked.reply_to) == ("asked", answer)
    assert isinstance(answer, Reply)
    assert (answer._result, answer._get_hook) == (None, None)
    assert isinstance(stop.message, _ActorStop)
    assert vars(_ref)["Envelope"] is Envelope

    # Every message but the stop is received by one method, which answers and does not catch.
    probe.on_receive = lambda message: f"got {message}"  # type: ignore[method-assign]
    assert probe._handle_receive("hello") == "got hello"
    assert probe._handle_receive(ProxyCall(("__str__",), (), {})) == str(probe)
    assert probe._handle_receive(ProxySetAttr(("calls",), [])) is None
    assert probe._handle_receive(ProxyGetAttr(("calls",))) == []

    # A stop sets the flag that a reference looks at and takes the actor out of the registry.
    probe._handle_receive(_ActorStop())
    assert not ref.is_alive()
    assert ref not in ActorRegistry.get_all()

    # Ours keeps Pykka's side of an inbox.
    assert {"put", "get", "empty"} <= set(dir(Inbox))
