"""What goes wrong with single frames."""

from __future__ import annotations

import attrs

from ..analysis.checks import positive, whole_number
from .fault import StreamFault, Symptom
from .scene import Scene

__all__ = ["CorruptFrame", "Duplicate", "Gap", "Reorder"]


@attrs.frozen
class CorruptFrame(StreamFault):
    """The next `frames` are cut in half."""

    def begin(self, scene: Scene) -> None:
        """Cut them."""
        scene.exchange(self.target).corrupt(self.frames, symbol=self.symbol)


@attrs.frozen
class Duplicate(StreamFault):
    """The next `frames` are sent twice."""

    def begin(self, scene: Scene) -> None:
        """Double them."""
        scene.exchange(self.target).duplicate(self.frames, symbol=self.symbol)


@attrs.frozen
class Reorder(StreamFault):
    """The next `frames` are each sent after the one that follows it."""

    def begin(self, scene: Scene) -> None:
        """Swap them."""
        scene.exchange(self.target).reorder(self.frames, symbol=self.symbol)


@attrs.frozen
class Gap(StreamFault):
    """The next `frames` are left out, `times` times, every `every_s` seconds."""

    times: int = attrs.field(default=1, kw_only=True, validator=whole_number(1))
    every_s: float = attrs.field(default=8.0, kw_only=True, validator=positive)

    @property
    def lasts_s(self) -> float:
        """From the first to the last."""
        return (self.times - 1) * self.every_s

    def symptom(self, rate: float) -> Symptom | None:
        """Expect it to be noticed where numbers tell of it: in streams of differences."""
        often, within_s = 5, 60.0
        numbered = self.target.startswith("bybit")
        # Between two gaps there must be frames that tell of the first.
        apart = rate * self.every_s >= 10 * self.frames
        if not numbered or self.times < often or self.lasts_s > within_s - 10 or not apart:
            return None
        return Symptom(frozenset({"FEED_GAPS"}), self.lasts_s + 15.0, within_s + 20.0)

    def begin(self, scene: Scene) -> None:
        """Leave them out now, and later again."""
        exchange = scene.exchange(self.target)
        for number in range(self.times):
            scene.later(
                number * self.every_s, lambda: exchange.gap(self.frames, symbol=self.symbol)
            )
