"""Why an exchange, or we, would not have a connection."""

from __future__ import annotations

import ssl
from email.utils import parsedate_to_datetime

from websocket import WebSocketBadStatusException

from ..messages import Refusal

__all__ = ["refusal_of", "told"]

_KINDS = {429: "rate limit", 418: "ban"}


def refusal_of(error: Exception, unix_s: float) -> Refusal | None:
    """Return what an error of a handshake means for the next one; None where it means nothing.

    `unix_s`: now, for a `Retry-After` that is a date (RFC 9110, section 10.2.3).
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refusal("certificate")
    if not isinstance(error, WebSocketBadStatusException) or error.status_code not in _KINDS:
        return None
    asked = (error.resp_headers or {}).get("retry-after", "")
    return Refusal(_KINDS[error.status_code], _retry_after_s(asked, unix_s))


def told(error: Exception) -> str:
    """Return an error in one line, as the reason of a loss."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, WebSocketBadStatusException):
        return f"handshake refused with HTTP status {error.status_code}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _retry_after_s(asked: str, unix_s: float) -> float | None:
    if asked.isdecimal():
        return float(asked)
    try:
        return max(parsedate_to_datetime(asked).timestamp() - unix_s, 0.0)
    except ValueError:
        return None
