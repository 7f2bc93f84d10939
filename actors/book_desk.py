"""Fetching the bases of books, for all connections of an exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import attrs
from loguru import logger

from ..analysis import ResyncScheduler
from ..exchanges import EXCHANGES, BookRequest, DiffProtocol, Feed
from ..messages import InvalidOption
from ..runtime import Answer, Dispatching, Fetch, Rest, Timer
from .rest_gate import RestGate

__all__ = ["BookDesk", "BookDesks", "BookReader"]

TIMEOUT_S = 10.0
NUDGE_S = 0.5
MOMENT_S = 0.001
OK, BAN, RATE_LIMIT = 200, 418, 429
CLIENT_ERRORS = range(400, 500)


class BookReader(Protocol):
    """Who wants books: a connection."""

    @property
    def name(self) -> str:
        """What it is called in the log."""

    def wants(self, request: BookRequest) -> bool:
        """Say whether it has not changed its mind; from any thread."""

    def answered(self, request: BookRequest, answer: Answer) -> None:
        """Take an answer, good or bad, from any thread; it is read with the next frame."""

    def nudge(self, request: BookRequest) -> None:
        """Make a frame come, if that answer waits for one."""


Through = Callable[[BookReader, str], BookReader]
"""Returns who is told in place of a reader, whose books are at an address."""


class BookDesk:
    """Fetch whole books, as fast as the exchange's budget allows; from any thread.

    What fails is tried again, later each time, for as long as its reader wants it. When the
    exchange answers 429 or 418, nobody asks for anything before the time it names has passed.
    `base`: the REST side's address. `through`: returns who is told in place of a reader, where what
    it reads is recorded.
    """

    def __init__(
        self,
        base: str,
        rest: Rest,
        gate: RestGate,
        dispatcher: Dispatching,
        *,
        through: Through | None = None,
    ) -> None:
        self._base = base
        self._through = through or (lambda reader, _: reader)
        self._rest = rest
        self._gate = gate
        self._dispatcher = dispatcher
        self._lock = threading.Lock()
        self._scheduler: ResyncScheduler[_Job] = ResyncScheduler(gate.enter)
        self._fetches: dict[_Job, Fetch | None] = {}
        """Those under way; None while one begins."""
        self._timer: Timer | None = None

    def ask(self, reader: BookReader, request: BookRequest) -> None:
        """Fetch a book; its reader is told. Quick: it is begun on another thread."""
        with self._lock:
            self._add(_Job(self._through(reader, self._base), request))
        self._dispatcher.call_later(0.0, self._go_on)

    def forget(self, reader: BookReader) -> None:
        """Fetch nothing any more for a reader that is gone."""
        told = self._through(reader, self._base)
        with self._lock:
            self._scheduler.drop(lambda job: job.reader is told)
            cancelled = [job for job in self._fetches if job.reader is told]
            fetches = [self._fetches.pop(job) for job in cancelled]
        for fetch in fetches:
            if fetch is not None:
                fetch.cancel()
        self._go_on()

    def tidy(self) -> None:
        """Fetch nothing any more that its reader wants no more: it would cost others' budget."""
        with self._lock:
            self._scheduler.drop(
                lambda job: job not in self._fetches and not job.reader.wants(job.request)
            )

    def _go_on(self) -> None:
        while (job := self._next()) is not None:
            url = f"{self._base}{job.request.path}"
            fetch = self._rest.get(url, TIMEOUT_S, partial(self._answered, job))
            with self._lock:
                wanted = job in self._fetches
                if wanted:
                    self._fetches[job] = fetch
            if not wanted:
                # It has been answered already, or its reader has gone.
                fetch.cancel()

    def _next(self) -> _Job | None:
        with self._lock:
            job, wait_s = self._scheduler.start(self._now_s())
            if job is not None:
                self._fetches[job] = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if wait_s is not None:
                # Seconds are floats: what is left of a wait may be too short for a timer to tell.
                self._timer = self._dispatcher.call_later(wait_s + MOMENT_S, self._go_on)
        return job

    def _answered(self, job: _Job, answer: Answer) -> None:
        with self._lock:
            wanted = job in self._fetches
            self._fetches.pop(job, None)
            self._scheduler.finish(job)
        if wanted:
            self._judge(job, answer)
        self._go_on()

    def _judge(self, job: _Job, answer: Answer) -> None:
        status = answer.status
        if status in (BAN, RATE_LIMIT):
            pause_s = answer.retry_after_s
            self._gate.refused(self._now_s(), ban=status == BAN, retry_after_s=pause_s)
        elif status == OK:
            self._gate.admitted()
            self._tell(job, answer)
        elif status in CLIENT_ERRORS:
            self._tell(job, answer)
        if status != OK:
            self._try_again(job, answer)

    def _tell(self, job: _Job, answer: Answer) -> None:
        job.reader.answered(job.request, answer)
        self._dispatcher.call_later(NUDGE_S, partial(job.reader.nudge, job.request))

    def _try_again(self, job: _Job, answer: Answer) -> None:
        request = job.request
        if not job.reader.wants(request):
            return
        why = answer.error or f"HTTP {answer.status}"
        logger.warning("{}: no book of {} ({}); again later", job.reader.name, request.symbol, why)
        with self._lock:
            self._add(_Job(job.reader, attrs.evolve(request, attempt=request.attempt + 1)))

    def _add(self, job: _Job) -> None:
        request, draw = job.request, self._dispatcher.random.random()
        self._scheduler.add(job, request.weight, self._now_s(), attempt=request.attempt, draw=draw)

    def _now_s(self) -> float:
        return self._dispatcher.clock.now_ns() / 1e9


@attrs.frozen(eq=False)
class _Job:
    reader: BookReader
    request: BookRequest


class BookDesks:
    """The desks of all exchanges. `rest`: None where nothing can be fetched, in a simulation."""

    def __init__(
        self, rest: Rest | None, dispatcher: Dispatching, *, through: Through | None = None
    ) -> None:
        self._rest = rest
        self._dispatcher = dispatcher
        self._through = through
        self._desks: dict[str, BookDesk] = {}

    def of(self, feed: Feed) -> BookDesk | None:
        """Return who fetches a feed's books; None for streams that bring them whole.

        Raises InvalidOption where nothing can be fetched.
        """
        row = EXCHANGES[feed.exchange]
        base = feed.rest or row.rest
        kept = isinstance(row.protocol(feed.symbols, feed.stream), DiffProtocol)
        if not kept or base is None or row.rest_weight is None:
            return None
        if self._rest is None:
            raise InvalidOption("rest", None, f"given for {feed.exchange}'s {feed.stream}")
        # A host may have one address for several exchanges, each with a budget of its own.
        name = f"{feed.exchange} {base}"
        if name not in self._desks:
            gate = RestGate.of(self._dispatcher.clock, name, row.rest_weight)
            self._desks[name] = BookDesk(
                base, self._rest, gate, self._dispatcher, through=self._through
            )
        return self._desks[name]
