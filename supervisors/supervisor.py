"""Who restarts whom: OTP's rules for Pykka actors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from loguru import logger

from ..messages import ChildFailed, ChildGivenUp, ChildStopped, InvalidOption
from ..runtime import Actor, Dispatching, Inbox, Mailbox, Reply
from .children import Child, ChildSpec, RestartPolicy

__all__ = ["RemoveChild", "RestartChild", "StartChild", "StopChildren", "Supervisor"]

STRATEGIES = ("one_for_one", "rest_for_one")


@attrs.frozen
class StartChild:
    """Start a child, after those there are."""

    spec: ChildSpec


@attrs.frozen
class RemoveChild:
    """Stop a child at once, forget it, and close its inbox when it has ended."""

    spec: ChildSpec


@attrs.frozen
class RestartChild:
    """Replace a child that runs: at once if it is stuck in a handler, which is left behind."""

    key: str


@attrs.frozen
class StopChildren:
    """Stop all children; `done` is set when none runs any more.

    `drain`: each first handles what waits in its mailbox.
    """

    drain: bool
    done: Reply


@attrs.frozen
class _Restart:
    key: str


class Supervisor(Actor):
    """Start children, bring back what fails, give up what fails too often.

    `one_for_one`: children know nothing of one another; each is brought back by itself, and all are
    stopped at once. `rest_for_one`: each depends on those before it; with one that failed, those
    started after it are restarted, too, and they are stopped one by one, the last first.
    A child given up is quarantined, what waits for it is kept, the others go on, and `on_give_up`
    is called once, on the supervisor's thread.
    Source: Erlang/OTP, `supervisor` and its design principles.
    """

    def __init__(
        self,
        *,
        strategy: str,
        policy: RestartPolicy,
        on_give_up: Callable[[ChildGivenUp], object],
        dispatcher: Dispatching,
        inbox: Inbox | None = None,
    ) -> None:
        if strategy not in STRATEGIES:
            raise InvalidOption("strategy", strategy, f"one of {', '.join(STRATEGIES)}")
        super().__init__(dispatcher=dispatcher, inbox=inbox)
        self._together = strategy == "one_for_one"
        self._policy = policy
        self._on_give_up = on_give_up
        self._children: dict[str, Child] = {}
        self._running: dict[str, Child] = {}
        """Those with an actor, in the order of their start."""
        self._removed: set[Inbox] = set()
        """Of children that are forgotten and have not ended yet."""
        self._stopping: StopChildren | None = None
        self._on: dict[type, Callable[[Any], object]] = {
            StartChild: self._on_start_child,
            RemoveChild: self._on_remove_child,
            RestartChild: self._on_restart_child,
            ChildFailed: self._on_failed,
            ChildStopped: self._on_stopped,
            _Restart: self._on_restart,
            StopChildren: self._on_stop_children,
        }

    def on_receive(self, message: Any) -> None:
        """Start, restart, give up or stop children."""
        handle = self._on.get(type(message))
        if handle is None:
            super().on_receive(message)
        else:
            handle(message)

    def _on_start_child(self, message: StartChild) -> None:
        spec = message.spec
        child = Child(spec, self._policy.window(), self._policy.backoff())
        self._children[spec.key] = child
        if self._stopping is None:
            self._start_due(child)
        else:
            child.inbox.status = "stopped"

    def _on_restart_child(self, message: RestartChild) -> None:
        child = self._running.get(message.key)
        if child is None or self._stopping is not None:
            return
        _set_status(child, "restarting")
        child.due = True
        if isinstance(child.inbox, Mailbox) and child.inbox.leave_behind():
            logger.error("{} is stuck in a handler, which is left behind", message.key)
            self._ended(message.key)
            self._start_due(child)
        else:
            self._tell_to_stop(child, drain=False)

    def _on_remove_child(self, message: RemoveChild) -> None:
        key, inbox = message.spec.key, message.spec.inbox
        child = self._children.get(key)
        if child is None or child.inbox is not inbox:
            return
        del self._children[key]
        if child.waiting is not None:
            child.waiting.cancel()
        if self._running.pop(key, None) is None:
            inbox.close()
        else:
            self._removed.add(inbox)
            inbox.stop(drain=False)

    def _was_removed(self, message: ChildFailed | ChildStopped) -> bool:
        if message.actor is None:
            return message.key not in self._children
        inbox = message.actor.inbox
        if inbox not in self._removed:
            return False
        self._removed.remove(inbox)
        inbox.close()
        return True

    def _on_failed(self, message: ChildFailed) -> None:
        if self._was_removed(message):
            return
        child = self._ended(message.key)
        logger.opt(exception=message.error).error("{} failed", message.key)
        if self._stopping is not None:
            self._stop_next(self._stopping)
        elif child.window.allow(self._now_s()):
            self._restart_later(child)
        else:
            self._give_up(child, message.error)

    def _on_stopped(self, message: ChildStopped) -> None:
        if self._was_removed(message):
            return
        child = self._ended(message.key)
        if self._stopping is not None:
            self._stop_next(self._stopping)
        else:
            self._start_due(child)

    def _ended(self, key: str) -> Child:
        self._running.pop(key, None)
        child = self._children[key]
        child.ending = False
        if self._stopping is not None:
            _set_status(child, "stopped")
        return child

    def _restart_later(self, child: Child) -> None:
        for each in self._with_dependents(child):
            _set_status(each, "restarting")
            self._tell_to_stop(each, drain=False)
        child.due = False
        delay_s = child.backoff.delay(self._now_s(), self.dispatcher.random.random())
        message = _Restart(child.spec.key)
        child.waiting = self.dispatcher.call_later(delay_s, lambda: self.inbox.tell(message))

    def _on_restart(self, message: _Restart) -> None:
        child = self._children.get(message.key)
        if child is None:
            return
        for each in self._with_dependents(child):
            each.due = each.inbox.status == "restarting"
        self._start_due(child)

    def _give_up(self, child: Child, error: BaseException) -> None:
        for each in self._with_dependents(child):
            _set_status(each, "quarantined")
            each.due = False
            self._tell_to_stop(each, drain=False)
        logger.error("{} failed too often and is given up", child.spec.key)
        self._on_give_up(ChildGivenUp(child.spec.key, error, child.inbox.restarts))

    def _start_due(self, child: Child) -> None:
        """Start what is due: in a chain nobody before those it depends on."""
        for each in [child] if self._together else self._children.values():
            if each.due and each.spec.key not in self._running:
                self._launch(each)
            elif each.ending or each.spec.key not in self._running:
                return

    def _launch(self, child: Child) -> None:
        child.due = False
        if child.waiting is not None:
            child.waiting.cancel()
        if child.inbox.status == "restarting":
            child.inbox.restarts += 1
        child.inbox.status = "running"
        self._running[child.spec.key] = child
        try:
            child.spec.start(self.inbox)
        except Exception as error:  # noqa: BLE001 - a child's constructor is a child's code
            self.inbox.tell(ChildFailed(child.spec.key, error, None))

    def _with_dependents(self, child: Child) -> list[Child]:
        """Return the child and, in order, those that depend on it."""
        if self._together:
            return [child]
        children = [*self._children.values()]
        return children[children.index(child) :]

    def _tell_to_stop(self, child: Child, *, drain: bool) -> None:
        if child.spec.key in self._running:
            child.ending = True
            child.inbox.stop(drain=drain)

    def _on_stop_children(self, message: StopChildren) -> None:
        self._stopping = message
        for child in self._children.values():
            child.due = False
            if child.waiting is not None:
                child.waiting.cancel()
            if child.spec.key not in self._running:
                _set_status(child, "stopped")
        if self._together:
            for child in reversed([*self._running.values()]):
                self._tell_to_stop(child, drain=message.drain)
        self._stop_next(message)

    def _stop_next(self, message: StopChildren) -> None:
        if not self._running:
            if not message.done.done:
                message.done.set()
        elif not self._together:
            last = next(reversed(self._running.values()))
            self._tell_to_stop(last, drain=message.drain)

    def _now_s(self) -> float:
        return self.dispatcher.clock.now_ns() / 1e9


def _set_status(child: Child, status: str) -> None:
    """Note what was done about a child; one that was given up stays so."""
    if child.inbox.status != "quarantined":
        child.inbox.status = status
