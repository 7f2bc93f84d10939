"""What of a plan must be noticed, by when, and by when that is over."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs

from ..analysis import exchange_of
from ..messages import AnomalyAlert, AnomalyState
from .fault import Fault, SymbolFault, Symptom
from .host_faults import HandlerCrash, SlowDisk

__all__ = ["Expectation", "Expectations"]


@attrs.define
class Expectation:
    """An anomaly that a fault must raise, and that must clear."""

    fault: Fault
    symptom: Symptom
    raised: bool = False

    @property
    def name(self) -> str:
        """What went wrong, where and when."""
        fault = self.fault
        return f"{type(fault).__name__} of {fault.place or 'the machine'} at {fault.at_s:g} s"

    @property
    def due_s(self) -> float:
        """By when it must be raised."""
        return self.fault.at_s + self.symptom.within_s

    def fits(self, alert: AnomalyAlert) -> bool:
        """Say whether an anomaly is the one."""
        if alert.kind not in {*self.symptom.kinds, "FLAPPING"}:
            return False
        place = self.fault.place
        if isinstance(self.fault, SymbolFault):
            return alert.key == place
        return not place or exchange_of(alert.key or "") == exchange_of(place)


class Expectations:
    """Follow a plan's faults and the anomalies told, and say which faults went unnoticed.

    Not demanded is what another fault at the same place may hide or prolong: a symbol is not late
    while its exchange is away. All times are seconds since the beginning.
    """

    def __init__(self, plan: Sequence[Fault]) -> None:
        self._plan = plan
        self._awaited: list[Expectation] = []
        self._to_clear: list[tuple[float, Expectation]] = []
        self._open: dict[tuple[str, str | None], AnomalyAlert] = {}

    def begun(self, fault: Fault, rate: float) -> None:
        """Note that a fault of the plan begins, at a place where `rate` books a second come."""
        symptom = fault.symptom(rate)
        if symptom is None or any(_hides(other, fault, symptom) for other in self._plan):
            return
        expected = Expectation(fault, symptom)
        expected.raised = any(expected.fits(alert) for alert in self._open.values())
        self._awaited.append(expected)
        if math.isfinite(symptom.clears_s):
            self._to_clear.append((self._clear_by_s(fault, symptom), expected))

    def told(self, alert: AnomalyAlert) -> None:
        """Note an anomaly raised, changed or cleared."""
        if alert.state is AnomalyState.CLEARED:
            self._open.pop((alert.kind, alert.key), None)
            return
        self._open[alert.kind, alert.key] = alert
        for expected in self._awaited:
            expected.raised = expected.raised or expected.fits(alert)

    def failures(self, now_s: float) -> Iterator[str]:
        """Yield what should have been raised, or cleared, by now; each once."""
        if self._awaited:
            late = [each for each in self._awaited if not each.raised and now_s > each.due_s]
            self._awaited = [each for each in self._awaited if now_s <= each.due_s]
            for each in late:
                kinds = " or ".join(sorted(each.symptom.kinds))
                yield f"{each.name} raised no {kinds} within {each.symptom.within_s:g} s"
        if self._to_clear:
            due = [each for by_s, each in self._to_clear if now_s > by_s]
            self._to_clear = [pair for pair in self._to_clear if now_s <= pair[0]]
            for each in due:
                yield from self._not_cleared(each)

    def _not_cleared(self, expected: Expectation) -> Iterator[str]:
        if ("QUARANTINED", expected.fault.place) in self._open:
            # Nothing more is handled.
            return
        for alert in self._open.values():
            if alert.kind != "FLAPPING" and expected.fits(alert):
                yield f"{alert.kind} of {alert.key} is open long after {expected.name} was over"

    def _clear_by_s(self, fault: Fault, symptom: Symptom) -> float:
        by_s = _end_s(fault) + symptom.clears_s
        for other in sorted(self._plan, key=lambda each: each.at_s):
            if _touches(other, fault) and other.at_s <= by_s:
                by_s = max(by_s, _end_s(other) + max(symptom.clears_s, other.settles_s))
        return by_s


def _end_s(fault: Fault) -> float:
    return fault.at_s + fault.lasts_s


def _touches(other: Fault, fault: Fault) -> bool:
    """Say whether one fault may change what is seen of another."""
    if other is fault or isinstance(other, SlowDisk):
        return False
    if not fault.place:
        return not isinstance(other, SymbolFault)
    if isinstance(other, SymbolFault):
        return other.place == fault.place
    return bool(other.place) and exchange_of(other.place) == exchange_of(fault.place)


def _hides(other: Fault, fault: Fault, symptom: Symptom) -> bool:
    if not _touches(other, fault) or other.at_s > fault.at_s + symptom.within_s:
        return False
    if isinstance(other, HandlerCrash):
        # Its symbol may have been given up for good.
        return True
    return _end_s(other) + other.settles_s >= fault.at_s
