"""Receiving a capture, with the REST answers that are in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import attrs

from ..actors import Connection
from ..exchanges import EXCHANGES, BookRequest, DiffProtocol, Feed
from ..messages import Refusal
from ..runtime import Answer, Link, Receiver, Transport
from .capture import CapturedAnswer, capture_answers

__all__ = ["ReplayTransport"]

OK = 200


class ReplayTransport:
    """Make another transport's connections, and give each the answers that a capture has for it.

    A `Transport` and a `Rest` in one: `MarketData(feeds, transport=transport, rest=transport)`. A
    connection reads every answer where the recorded one has read it, behind the same frame, so
    that it keeps the same books, whatever it asks for and when: requests themselves are not
    answered, and cost none of the exchange's budget.

    `feeds`: who receives which connection of the capture `path`, by the connection's name, each at
    an address of its own. Raises InvalidOption for a file that is no capture.
    """

    def __init__(self, transport: Transport, path: str | Path, feeds: Mapping[str, Feed]) -> None:
        self._transport = transport
        self._answers = {
            base: [*_requested(feed, capture_answers(path, name))]
            for name, feed in feeds.items()
            for base in feed.endpoints
        }

    def open(self, name: str, url: str, receiver: Receiver) -> Link:
        """Begin to connect and return at once; `receiver` is told how it goes."""
        answers = next((each for base, each in self._answers.items() if _is_at(base, url)), ())
        if answers and isinstance(receiver, Connection):
            receiver = _Prompted(receiver, answers)
        return self._transport.open(name, url, receiver)

    def get(self, url: str, timeout_s: float, on_answer: Callable[[Answer], object]) -> _Unanswered:
        """Leave a request alone: its answer comes when it came."""
        del url, timeout_s, on_answer
        return _Unanswered()


class _Unanswered:
    """A request that nothing comes of."""

    def cancel(self) -> None:
        """Give it up."""


@attrs.frozen
class _Requested:
    """An answer, and what it answers."""

    request: BookRequest
    captured: CapturedAnswer


class _Prompted:
    """A receiver that is handed each answer behind the frame that came before it."""

    def __init__(self, connection: Connection, answers: Iterable[_Requested]) -> None:
        self._connection = connection
        self._answers = deque(answers)
        self._last: bytes | None = None

    def __str__(self) -> str:
        return str(self._connection)

    def opened(self, link: Link) -> None:
        self._connection.opened(link)

    def received(self, payload: bytes, received_ns: int) -> None:
        self._prompt(received_ns)
        self._last = payload
        self._connection.received(payload, received_ns)

    def oversized(self, length: int, received_ns: int) -> None:
        self._connection.oversized(length, received_ns)

    def heard(self, received_ns: int) -> None:
        self._prompt(received_ns)
        self._connection.heard(received_ns)

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        self._connection.closed(reason, refusal)

    def _prompt(self, received_ns: int) -> None:
        answers = self._answers
        while answers and answers[0].captured.after == self._last:
            next_ = answers.popleft()
            answer = Answer(status=OK, body=next_.captured.body, received_ns=received_ns)
            self._connection.answered(next_.request, answer)


def _requested(feed: Feed, answers: Iterable[CapturedAnswer]) -> Iterable[_Requested]:
    protocol = EXCHANGES[feed.exchange].protocol(feed.symbols, feed.stream)
    requests = protocol.missing() if isinstance(protocol, DiffProtocol) else ()
    for answer in answers:
        for request in requests:
            if answer.url.endswith(request.path):
                yield _Requested(request, answer)


def _is_at(base: str, url: str) -> bool:
    return url.startswith(f"{base}/")
