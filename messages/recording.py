"""What is measured of a recording."""

import attrs

__all__ = ["RecordingMetrics"]


@attrs.frozen(kw_only=True)
class RecordingMetrics:
    """A recording of raw frames and REST answers: what is written, what waits, what did not fit."""

    path: str
    frames: int
    """Frames in the file, since the start."""
    bytes: int
    """Bytes in the file, since the start."""
    waiting: int
    """Frames, answers and marks that are to be written."""
    lost: int
    """Frames and answers that did not fit: the file could not be written as fast, or at all."""
    last_error: str | None = None
    """Why it cannot be written now; None while it can."""
