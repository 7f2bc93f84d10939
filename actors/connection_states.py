"""The life of a feed's connection, as a table: state, what happens, next state.

What is not in the table changes nothing.
"""

__all__ = ["CONNECTION_STATES"]

CONNECTION_STATES: dict[str, dict[str, str]] = {
    "idle": {"start": "connecting", "stop": "stopped"},
    # An attempt is under way.
    "connecting": {
        "opened": "subscribing",
        "held": "backoff",
        "lost": "backoff",
        "stop": "stopped",
    },
    # Open; no snapshot yet, or of differences not of every symbol, which may take long.
    "subscribing": {
        "snapshot": "streaming",
        "roll": "rolling",
        "silent": "stalled",
        "lost": "backoff",
        "stop": "stopped",
    },
    "streaming": {"roll": "rolling", "silent": "stalled", "lost": "backoff", "stop": "stopped"},
    # Open, while its successor is made; that one replaces it, is lost, or has to take over.
    "rolling": {
        "rolled": "streaming",
        "failed": "subscribing",
        "taken over": "connecting",
        "silent": "stalled",
        "lost": "backoff",
        "stop": "stopped",
    },
    # Open, brings nothing, and is being closed.
    "stalled": {
        "rolled": "streaming",
        "taken over": "connecting",
        "lost": "backoff",
        "stop": "stopped",
    },
    # Waiting to try again: for a random time, or for the exchange's budget.
    "backoff": {"retry": "connecting", "stop": "stopped"},
    "stopped": {},
}
