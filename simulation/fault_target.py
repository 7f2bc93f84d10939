"""What can be done to a simulated exchange, the same in virtual time and on loopback."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from ..analysis.checks import check_whole, is_number
from ..messages import InvalidOption
from .client import GOING_AWAY, is_close_code
from .exchange_model import ExchangeModel
from .venue import Payload

__all__ = ["REFUSALS", "FaultTarget"]

REFUSALS = (418, 429, 503)
"""What handshakes are refused with."""


class FaultTarget(ABC):
    """A simulated exchange that can be made to misbehave; any thread, at any moment.

    A fault takes effect now and returns at once. `symbol`: one of the exchange's, in its own
    spelling; None is whichever comes next. Raises InvalidOption.
    """

    def disconnect(self, code: int | None = GOING_AWAY) -> None:
        """Close every connection with `code`; with None reset it, as a crash or a firewall does."""
        if code is not None and not is_close_code(code):
            raise InvalidOption("code", code, "a WebSocket close code that may be sent, or None")
        self._do(lambda model, _: model.disconnect(code))

    def half_open(self) -> None:
        """Let every connection there is go dead: it takes what is sent and answers nothing."""
        self._do(lambda model, _: model.half_open())

    def stall(self, seconds: float) -> None:
        """Say and read nothing for so long, new connections included, and then all at once."""
        _check_s("seconds", seconds)
        self._do(lambda model, now_s: model.stall(now_s, seconds))

    def corrupt(self, frames: int = 1, *, symbol: str | None = None) -> None:
        """Cut the next frames with books in half."""
        self._spoil("corrupt", frames, symbol)

    def duplicate(self, frames: int = 1, *, symbol: str | None = None) -> None:
        """Send each of the next frames with books twice."""
        self._spoil("duplicate", frames, symbol)

    def reorder(self, frames: int = 1, *, symbol: str | None = None) -> None:
        """Send each of the next frames with books only after the one that follows it."""
        self._spoil("reorder", frames, symbol)

    def gap(self, frames: int = 1, *, symbol: str | None = None) -> None:
        """Leave out the next frames with books."""
        self._spoil("gap", frames, symbol)

    def send_raw(self, payload: Payload) -> None:
        """Send one frame with this content, good or bad, to every client: bytes as binary."""
        self._do(lambda model, now_s: model.say(payload, now_s))

    def reject(self, seconds: float) -> None:
        """Answer with an error whoever subscribes within so long."""
        _check_s("seconds", seconds)
        self._do(lambda model, now_s: model.reject(now_s, seconds))

    def rate_limit(self, seconds: float, status: int = 429) -> None:
        """Refuse whoever connects within so long with an HTTP status: 429, 418, 503."""
        _check_s("seconds", seconds)
        if status not in REFUSALS:
            raise InvalidOption("status", status, "418, 429 or 503")
        self._do(lambda model, now_s: model.refuse(now_s, seconds, status))

    def shutdown(self, notice_s: float = 5.0, down_s: float = 0.0) -> None:
        """Announce the end, as far as the exchange does such a thing, and close after `notice_s`.

        New connections are taken, since an exchange has more than one server; with `down_s` they
        are refused with 503 until so long after the end.
        """
        _check_s("notice_s", notice_s)
        _check_s("down_s", down_s)
        self._do(lambda model, now_s: model.shut_down(now_s, notice_s, down_s))

    def _spoil(self, fault: str, frames: int, symbol: str | None) -> None:
        check_whole("frames", frames, 1)
        self._do(lambda model, _: model.spoil(fault, frames, symbol))

    @property
    @abstractmethod
    def connections(self) -> int:
        """How many clients are connected now, as far as the exchange knows."""

    @property
    @abstractmethod
    def alive(self) -> int:
        """How many of them are connected indeed, and not half-open."""

    @abstractmethod
    def burst(self, books: int) -> None:
        """Bring forward the market's next `books`: they come at once, with the next one due."""

    @abstractmethod
    def _do(self, action: Callable[[ExchangeModel, float], None]) -> None:
        """Call `action` with the model and its time, where the model may be touched."""


def _check_s(name: str, seconds: float) -> None:
    if not is_number(seconds) or seconds < 0:
        raise InvalidOption(name, seconds, "a number of seconds, at least 0")
