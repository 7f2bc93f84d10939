"""What a detector makes of what it was told."""

from __future__ import annotations

import attrs

__all__ = ["DetectorVerdict"]


@attrs.define
class DetectorVerdict:
    """What a detector makes of one interval; true while something is anomalous."""

    # Not frozen: there is one for each mailbox and second, and a frozen one takes twice as long.

    kind: str | None
    """What is anomalous; None when all is well."""
    value: float
    """What was measured."""
    threshold: float
    """What it is held against; what is learnt moves."""

    def __bool__(self) -> bool:
        return self.kind is not None
