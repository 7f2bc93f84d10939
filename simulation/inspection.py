"""Watch a running scene for what must always hold."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import attrs
import pykka

from ..messages import AnomalyAlert
from ..runtime import Mailbox
from .exchange_faults import Stall
from .expectations import Expectations
from .fault import Fault
from .invariants import (
    INVARIANTS,
    LEFTOVERS,
    SYMBOL_INVARIANTS,
    Remains,
    Scenery,
    Watched,
    counts_add_up,
)
from .scene import Scene, WorldScene
from .trace import Runnable

__all__ = ["Broken", "Inspection"]

LINGER_S = 60.0
"""How long after the end of a world is waited for what was under way."""
MOST = 100


@attrs.frozen
class Broken:
    """Something that must always hold, and did not."""

    invariant: str
    """The name of its function in `invariants`."""
    at_s: float
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.at_s:.3f} s: {self.what}"


class Inspection:
    """Check all invariants of a scene as it runs: make it before the market starts.

    Then, in this order: `begin` once its plan is played, `finish` before the market is stopped, and
    `check_stopped` after that. Watched are the symbols there are when it is made.
    In a world a symbol's are checked after each of its steps; all of them once a second and at the
    end. `broken` is what did not hold, of each symbol and invariant the first time only.
    """

    def __init__(self, scene: Scene, plan: Sequence[Fault] = ()) -> None:
        self.broken: list[Broken] = []
        self._seen: set[tuple[str, str]] = set()
        self._over = False
        self._scene = scene
        self._plan = plan
        self._threads = {*threading.enumerate()}
        self._actors = {ref.actor_urn for ref in pykka.ActorRegistry.get_all()}
        self._at_rest = isinstance(scene, WorldScene)
        self._expectations = Expectations(plan)
        mailboxes = scene.market.vitals().mailboxes
        self._watched = {mailbox: _watch(scene, mailbox) for mailbox in mailboxes.values()}
        self._scenery = Scenery([*self._watched.values()], self._expectations)
        # A mailbox is at rest only between the steps of a world.
        self._of_symbols = SYMBOL_INVARIANTS if self._at_rest else SYMBOL_INVARIANTS[1:]
        scene.market.on_anomaly(self._told)

    def begin(self) -> None:
        """Begin, now that the market has started and its plan is played."""
        for fault in self._plan:
            self._scene.later(fault.at_s, partial(self._begun, fault))
        if isinstance(self._scene, WorldScene):
            self._scene.world.after_step = self._stepped
        self._again()

    def check(self) -> None:
        """Check all of them now."""
        self._scenery.now_s = self._scene.now_s
        for watched in self._scenery.watched:
            watched.busy = self._scene.busy(watched.mailbox)
            self._check_symbol(watched)
        for invariant in INVARIANTS:
            for what in invariant(self._scenery):
                self._note(invariant.__name__, what, what)

    def finish(self) -> None:
        """Check all of them for the last time, before `stop`."""
        self.check()
        self._over = True

    def check_stopped(self) -> None:
        """Check what must hold after `stop`."""
        if isinstance(self._scene, WorldScene):
            self._scene.world.after_step = None
        self._scene.run_for(max(LINGER_S if self._at_rest else 0.1, self._stalled_s))
        for watched in self._scenery.watched:
            if (what := counts_add_up(watched)) is not None:
                self._note(counts_add_up.__name__, watched.key, what)
        remains = Remains(
            threads=[*{*threading.enumerate()} - self._threads],
            actors=[
                ref for ref in pykka.ActorRegistry.get_all() if ref.actor_urn not in self._actors
            ],
            connections={name: each.alive for name, each in self._scene.exchanges.items()},
            timers=self._scene.world.timers if isinstance(self._scene, WorldScene) else 0,
        )
        for leftover in LEFTOVERS:
            for what in leftover(remains):
                self._note(leftover.__name__, what, what)

    # -- inside

    @property
    def _stalled_s(self) -> float:
        """How long an exchange still reads nothing, nor that a connection was closed."""
        ends_s = [stall.at_s + stall.lasts_s for stall in self._plan if isinstance(stall, Stall)]
        return max(ends_s, default=0.0) + 1.0 - self._scene.now_s

    def _again(self) -> None:
        if not self._over:
            self.check()
            self._scene.later(1.0, self._again)

    def _stepped(self, runnable: Runnable) -> None:
        watched = self._watched.get(runnable)  # type: ignore[call-overload] # most are others
        if watched is not None:
            self._check_symbol(watched)

    def _check_symbol(self, watched: Watched) -> None:
        for invariant in self._of_symbols:
            if (what := invariant(watched)) is not None:
                self._note(invariant.__name__, watched.key, what)

    def _begun(self, fault: Fault) -> None:
        books = sum(mailbox.offered for mailbox in self._watched if _is_at(fault.place, mailbox))
        self._expectations.begun(fault, books / max(self._scene.now_s, 1.0))

    def _told(self, alert: AnomalyAlert) -> None:
        self._expectations.told(alert)
        if alert.kind == "QUARANTINED":
            self._scenery.reported.add(alert.key)

    def _note(self, invariant: str, of: str, what: str) -> None:
        if (invariant, of) not in self._seen and len(self.broken) < MOST:
            self._seen.add((invariant, of))
            self.broken.append(Broken(invariant, self._scene.now_s, what))


def _is_at(place: str, mailbox: Mailbox) -> bool:
    """Say whether a mailbox is at the place of a fault: a wrong clock is seen by time stamps."""
    if not place:
        return mailbox.latest is not None and mailbox.latest.exchange_time_ms is not None
    return place in {mailbox.key, mailbox.key.partition(":")[0]}


def _watch(scene: Scene, mailbox: Mailbox) -> Watched:
    watched = Watched(mailbox.key, mailbox)
    scene.market.subscribe(mailbox.key, watched.handle, on_event=watched.on_event)
    return watched
