"""Sending alerts by whatever apprise knows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from ..messages import AlertNotice, AlertNotTaken, InvalidOption, MissingExtra
from .alert_payloads import lines_of, title_of
from .endpoint import Endpoint

__all__ = ["AppriseSink"]

TALKATIVE = ("apprise", "urllib3.connectionpool")
"""Loggers that write whole URLs, some of them as errors."""


class AppriseSink:
    """Send to one of the services apprise knows, in words. Raises MissingExtra without it.

    What apprise would log meanwhile is not logged, since it quotes URLs with all that is secret in
    them; when the host itself uses apprise, nothing changes.
    """

    resend_s: float | None = None

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint(url)
        try:
            apprise: Any = import_module("apprise")
        except ImportError:
            raise MissingExtra(f"sending alerts to {self.name}", "alerts") from None
        for name in TALKATIVE:
            logging.getLogger(name).addFilter(_is_loud)
        with _hushed():
            self._apprise = apprise.Apprise()
            known = self._apprise.add(url)
        if not known:
            raise InvalidOption("alerts", self._endpoint, "URLs that apprise understands")

    @property
    def name(self) -> str:
        """The scheme: in apprise's URLs all the rest may be a secret."""
        return self._endpoint.shown

    def send(self, notice: AlertNotice) -> None:
        """Send it, with apprise's own time-outs; raises AlertNotTaken."""
        kind = "success" if notice.resolved else "warning"
        with _hushed():
            taken = self._apprise.notify(lines_of(notice), title=title_of(notice), notify_type=kind)
        if not taken:
            raise AlertNotTaken("apprise could not deliver it")

    def __repr__(self) -> str:
        return f"AppriseSink({self.name})"


_hush: ContextVar[bool] = ContextVar("_hush", default=False)


def _is_loud(_: logging.LogRecord) -> bool:
    return not _hush.get()


@contextmanager
def _hushed() -> Iterator[None]:
    token = _hush.set(True)
    try:
        yield
    finally:
        _hush.reset(token)
