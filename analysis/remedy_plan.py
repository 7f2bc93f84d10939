"""What may be done about an anomaly, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

from ..messages import AnomalyAlert, AnomalyState, InvalidOption
from .rate_budget import RateBudget

__all__ = ["REMEDIES", "RemedyPlan"]

REMEDIES: Mapping[str, str] = {
    "QUEUE_STALL": "restart_symbol",
    "QUEUE_STANDING": "shed_symbol",
    "FEED_SILENT": "reconnect_feed",
}
"""The remedy for each kind of anomaly that has one."""

PER_KEY, IN_ALL, WITHIN_S = 3, 30, 600.0


def _check_names(_: object, __: object, names: frozenset[str]) -> None:
    for name in names:
        if name not in REMEDIES.values():
            allowed = f"a bool, or names among {', '.join(REMEDIES.values())}"
            raise InvalidOption("auto_recover", name, allowed)


@attrs.define
class RemedyPlan:
    """Choose the remedy for an anomaly that was raised, and keep count of what was done.

    At most 3 times for a key and 30 times in all within ten minutes. One thread at a time.
    Raises InvalidOption for a name that is no remedy.
    """

    names: frozenset[str] = attrs.field(validator=_check_names)
    """Those that are allowed."""
    counts: Counter[tuple[str, str]] = attrs.field(init=False, factory=Counter)
    """By name and outcome: `taken`, `impossible`, `limited`."""
    _in_all: RateBudget = attrs.field(init=False, factory=lambda: RateBudget(IN_ALL, WITHIN_S))
    _per_key: dict[str, RateBudget] = attrs.field(init=False, factory=dict)

    def choose(self, anomaly: AnomalyAlert, now_s: float) -> str | None:
        """Return the remedy to take at `now_s` (monotonic), and spend it; None for none."""
        name = REMEDIES.get(anomaly.kind)
        if anomaly.state is not AnomalyState.RAISED or name not in self.names or not anomaly.key:
            return None
        budgets = (self._in_all, self._of(anomaly.key))
        if any(budget.wait_s(now_s) for budget in budgets):
            self.counts[name, "limited"] += 1
            return None
        for budget in budgets:
            budget.spend(now_s)
        return name

    def note(self, name: str, *, taken: bool) -> None:
        """Count what became of a remedy that was chosen."""
        self.counts[name, "taken" if taken else "impossible"] += 1

    def _of(self, key: str) -> RateBudget:
        return self._per_key.setdefault(key, RateBudget(PER_KEY, WITHIN_S))
