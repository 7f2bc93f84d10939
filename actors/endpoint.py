"""A URL that may hold a secret, and what may be shown of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

__all__ = ["Endpoint"]

_WEB = ("http", "https")


class Endpoint:
    """Keep a URL and show only its scheme and host; of a scheme that is none of the web's, that.

    The path of a webhook is a secret, and so is the host of some of apprise's URLs
    (`tgram://token/chat`). Name and password (`https://name:password@host/`) become a header.
    """

    __slots__ = ("headers", "shown", "url")

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.url = url
        self.headers: Mapping[str, str] = {}
        self.shown = f"{scheme}://…" if "://" in url else "…"
        if scheme in _WEB:
            authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
            credentials, at, host = authority.rpartition("@")
            self.url = f"{scheme}://{host}{rest[len(authority) :]}"
            self.shown = f"{scheme}://{host}/…"
            self.headers = {"Authorization": _basic(credentials)} if at else {}

    @property
    def valid(self) -> bool:
        """Whether it is a web address with a host and, if any, a whole number as its port."""
        try:
            parts = urlsplit(self.url)
            return parts.scheme in _WEB and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    def __repr__(self) -> str:
        return self.shown


def _basic(credentials: str) -> str:
    return f"Basic {b64encode(unquote(credentials).encode()).decode()}"
