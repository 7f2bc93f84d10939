"""What is wrong, since when, and where to look."""

import enum

import attrs

__all__ = ["AnomalyAlert", "AnomalyState", "Severity"]


class Severity(enum.StrEnum):
    """How bad it is: any `ERROR` fails a run, any `WARN` marks it."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class AnomalyState(enum.StrEnum):
    """Where an anomaly is in its life."""

    RAISED = "raised"
    CHANGED = "changed"
    CLEARED = "cleared"


@attrs.frozen(kw_only=True)
class AnomalyAlert:
    """One anomaly, raised, changed or cleared."""

    kind: str
    """`WS_QUEUE_LAG`, `WS_QUEUE_DEPTH`, `QUARANTINED`, ..."""
    severity: Severity
    message: str
    """What it is and what to look at, in one sentence."""
    key: str | None = None
    """The symbol it concerns; None where it concerns the whole run."""
    value: float | None = None
    """What was measured."""
    threshold: float | None = None
    """What it was held against."""
    since_unix_s: float | None = None
    """When it was raised."""
    state: AnomalyState = AnomalyState.RAISED
