"""The life of a connection, as a table: state, what happens, next state."""

__all__ = ["CONNECTION_STATES"]

CONNECTION_STATES: dict[str, dict[str, str]] = {
    "idle": {"start": "connecting", "stop": "stopped"},
    "connecting": {"opened": "subscribing", "lost": "backoff", "stop": "stopped"},
    "subscribing": {"snapshot": "streaming", "lost": "backoff", "stop": "stopped"},
    "streaming": {"lost": "backoff", "stop": "stopped"},
    "backoff": {"retry": "connecting", "stop": "stopped"},
    "stopped": {},
}
