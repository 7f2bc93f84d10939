"""The base of all our actors: a Pykka actor that shares a few threads with all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pykka
from loguru import logger
from pykka import ActorDeadError, Future
from pykka._envelope import Envelope

from ..messages import ChildFailed, ChildStopped
from .inbox import Inbox
from .registry import unregister
from .reply import Reply, answer

if TYPE_CHECKING:
    from types import TracebackType

    from .dispatcher import Dispatching

__all__ = ["Actor"]


class Actor(pykka.Actor):
    """A Pykka actor that a dispatcher runs.

    `tell`, `ask`, proxies, futures and the registry work as with `pykka.ThreadingActor`. What
    differs: no thread of its own; an exception in `on_start` reaches `on_failure`, too; a
    `BaseException` ends this actor only; and what waits at its death is kept where the inbox was
    given, and becomes dead letters where it was not.

    Every hook runs on a thread of the dispatcher's, one at a time.

    `inbox`: where its messages wait; its own, by default. A supervisor gives one, so that the next
    actor goes on with it.
    `key`, `supervisor`: whom to tell that this child has failed.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatching,
        inbox: Inbox | None = None,
        key: str = "",
        supervisor: Inbox | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.key = key
        self._actor_began = False
        self._keeps_inbox = inbox is not None
        self.inbox = Inbox(dispatcher) if inbox is None else inbox
        self._supervisor = supervisor
        super().__init__()

    def _create_actor_inbox(self) -> Inbox:  # type: ignore[override]
        # Pykka calls this seam on the instance, which lets an inbox outlive its actor.
        return self.inbox

    @staticmethod
    def _create_future() -> Future[Any]:
        return Reply()

    def _start_actor_loop(self) -> None:
        self.inbox.attach(self)

    def _actor_loop_setup(self) -> None:
        """Run `on_start`, before the first message."""
        self._actor_began = True
        try:
            self.on_start()
        except BaseException as error:  # noqa: BLE001 - none may escape, and stop_all never runs
            self._actor_loop_failed(error)

    def _actor_loop_step(self, envelope: Envelope[Any]) -> None:
        """Handle one control message; its exception goes to who asked, or ends the actor."""
        reply_to = envelope.reply_to
        try:
            response = self._handle_receive(envelope.message)
        except Exception as error:  # noqa: BLE001 - the handler is the host's code
            if reply_to is None:
                self._actor_loop_failed(error)
            else:
                answer(reply_to, error)
        except BaseException as error:  # noqa: BLE001 - none may escape, and stop_all never runs
            if reply_to is not None:
                answer(reply_to, ActorDeadError(f"{self} was ended by {error!r}"))
            self._actor_loop_failed(error)
        else:
            if reply_to is not None:
                answer(reply_to, response)

    def _actor_loop_failed(self, error: BaseException) -> None:
        """End the actor for what its code raised: `on_failure`, then tell its supervisor."""
        exc_info = (type(error), error, error.__traceback__)
        self._handle_failure(*exc_info)
        try:
            self.on_failure(*exc_info)
        except BaseException:  # noqa: BLE001 - it is being ended already
            logger.exception("{} failed in on_failure", self)
        self._leave()
        if self._supervisor is not None:
            self._supervisor.tell(ChildFailed(self.key, error, self))

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        unregister(self.actor_ref)
        self.actor_stopped.set()
        if self._supervisor is None and exception_value is not None:
            logger.opt(exception=(exception_type, exception_value, traceback)).error(
                "unhandled exception in {}", self
            )

    def _stop(self) -> None:
        unregister(self.actor_ref)
        self.actor_stopped.set()
        try:
            self.on_stop()
        except BaseException:  # noqa: BLE001 - it is being ended already
            logger.exception("{} failed in on_stop", self)
        self._leave()
        if self._supervisor is not None:
            self._supervisor.tell(ChildStopped(self.key, self))

    def _leave(self) -> None:
        self.inbox.detach(self)
        if not self._keeps_inbox:
            self.inbox.close()

    def on_receive(self, message: Any) -> Any:
        """Count a message that the actor has no use for as a dead letter (`unhandled`)."""
        self.dispatcher.dead_letters.add("unhandled", message)
