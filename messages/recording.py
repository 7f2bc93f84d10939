"""What is measured of a recording."""

import attrs

__all__ = ["RecordingMetrics"]


@attrs.frozen(kw_only=True)
class RecordingMetrics:
    """A recording of raw frames: what is written, what waits, what did not fit."""

    path: str
    frames: int
    """Frames in the file, since the start."""
    bytes: int
    """Bytes in the file, since the start."""
    waiting: int
    """Frames and marks that are to be written."""
    lost: int
    """Frames that did not fit, since the file could not be written as fast, or at all."""
    last_error: str | None = None
    """Why it cannot be written now; None while it can."""
