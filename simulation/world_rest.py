"""A request to the REST side of a simulated exchange inside a world."""

from __future__ import annotations

from collections.abc import Callable

from ..runtime import Answer, Timer
from .world_exchange import WorldExchange

__all__ = ["WorldFetch"]


class WorldFetch:
    """One request: there after `delay_s`, answered after as long again; never later than allowed.

    `on_answer` is called by the world, once, unless it is cancelled before.
    """

    def __init__(
        self,
        exchange: WorldExchange,
        target: str,
        timeout_s: float,
        on_answer: Callable[[Answer], object],
        delay_s: float,
    ) -> None:
        self._exchange = exchange
        self._target = target
        self._delay_s = delay_s
        self._on_answer: Callable[[Answer], object] | None = on_answer
        self._timer: Timer = exchange.world.call_later(
            timeout_s, lambda: self._tell(error=f"no answer within {timeout_s:g} s")
        )
        self._later(self._arrive)

    def cancel(self) -> None:
        """Give it up: its answer is not told."""
        self._on_answer = None
        self._timer.cancel()

    def _arrive(self) -> None:
        self._exchange.when_it_reads(self._take)

    def _take(self) -> None:
        reply = self._exchange.model.get(self._target, self._exchange.now_s)
        retry_after = reply.headers.get("Retry-After")
        self._later(
            lambda: self._tell(
                status=reply.status,
                body=reply.body,
                retry_after_s=float(retry_after) if retry_after else None,
            )
        )

    def _later(self, action: Callable[[], None]) -> None:
        world = self._exchange.world
        world.call_at(world.clock.now_ns() + round(self._delay_s * 1e9), action)

    def _tell(
        self,
        *,
        status: int = 0,
        body: bytes = b"",
        retry_after_s: float | None = None,
        error: str = "",
    ) -> None:
        tell, self._on_answer = self._on_answer, None
        self._timer.cancel()
        if tell is not None:
            now_ns = self._exchange.world.clock.now_ns()
            tell(
                Answer(
                    status=status,
                    body=body,
                    retry_after_s=retry_after_s,
                    error=error,
                    received_ns=now_ns,
                )
            )
