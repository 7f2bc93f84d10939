"""Send something to a web server."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from http.client import HTTPException
from typing import Any, Protocol

__all__ = ["HttpPost", "Post"]


class Post(Protocol):
    """Sends a body to a URL; a simulation brings its own."""

    def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> int:
        """Return the status of the answer; may block, for about `timeout_s`.

        Raises ConnectionError for a server that cannot be reached, with nothing of the URL but its
        host in the message.
        """


class HttpPost:
    """Send by HTTP or HTTPS, through a proxy where the environment names one.

    Certificates are verified, by the system's authorities or by `tls`. `timeout_s` holds for each
    address that is tried, and again for the answer. A redirect is not followed: its status is the
    answer, so that nothing goes where nobody has asked for.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    def __call__(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> int:
        """Send `body` and return the status; blocks. Raises ConnectionError."""
        try:
            request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310
            with self._opener.open(request, timeout=timeout_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (OSError, HTTPException, ValueError) as error:
            # From None: the error below it may show the whole URL.
            raise ConnectionError(_reason(error)) from None

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        """Made when it is first needed, since reading the authorities takes its time."""
        tls = self._tls or ssl.create_default_context()
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), _NoRedirect())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_request: Any) -> None:
        return None


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(inner, "strerror", None) or type(inner).__name__
