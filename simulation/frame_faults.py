"""What can happen to single frames on their way out: spoilt, doubled, swapped, lost."""

from collections import Counter
from collections.abc import Hashable, Sequence

from .venue import Payload

__all__ = ["ALL", "FRAME_FAULTS", "FrameFaults"]

FRAME_FAULTS = ("corrupt", "duplicate", "reorder", "gap")
ALL = ""
"""In place of a symbol: whichever comes next."""


class FrameFaults:
    """Which frames are to go wrong, and how."""

    def __init__(self) -> None:
        self._due: Counter[tuple[str, str]] = Counter()
        self._held: dict[Hashable, Payload] = {}
        self.active = False
        """Whether anything is to be done to any frame."""

    def add(self, fault: str, frames: int, symbol: str | None) -> None:
        """Do `fault` to the next `frames` with books, of one symbol or of all."""
        self._due[fault, symbol or ALL] += frames
        self.active = True

    def passed(self, symbol: str, stream: Hashable, payload: Payload) -> Sequence[Payload]:
        """Return what becomes of a frame of `stream`, which carries a book of `symbol`."""
        if stream in self._held:
            out: tuple[Payload, ...] = (payload, self._held.pop(stream))
        else:
            out = self._struck(self._next(symbol), stream, payload)
        self.active = bool(self._held or +self._due)
        return out

    def _struck(self, fault: str | None, stream: Hashable, payload: Payload) -> tuple[Payload, ...]:
        if fault == "reorder":
            self._held[stream] = payload
            return ()
        if fault == "corrupt":
            return (payload[: len(payload) // 2],)
        if fault == "duplicate":
            return (payload, payload)
        return () if fault == "gap" else (payload,)

    def _next(self, symbol: str) -> str | None:
        for fault in FRAME_FAULTS:
            for whose in (symbol, ALL):
                if self._due[fault, whose] > 0:
                    self._due[fault, whose] -= 1
                    return fault
        return None
