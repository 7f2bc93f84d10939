"""Which actor writes the log a host asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..actors import JsonLinesActor, RunLogActor, RunRecorder, open_json_lines
from ..messages import AnomalyAlert, InvalidOption
from ..runtime import Dispatching, Inbox, Mailbox, RunStore
from . import options
from .children import ChildSpec

__all__ = ["RunLog"]


class RunLog:
    """A log by its name: `.db` is a run log in SQLite, `.jsonl` a metrics log in JSON Lines.

    Raises InvalidOption for any other name, and for days to keep that are no whole number from 1.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        keep_days: int,
        mailboxes: Mapping[str, Mailbox],
        tell: Callable[[AnomalyAlert], object],
        dispatcher: Dispatching,
    ) -> None:
        self._path = Path(path)
        if self._path.suffix not in {".db", ".jsonl"}:
            allowed = "a file named *.db (SQLite) or *.jsonl (JSON Lines)"
            raise InvalidOption("log", str(path), allowed)
        self.inbox = Inbox(dispatcher)
        self.hears_all = self._path.suffix == ".db"
        """Whether samples and anomalies go to it, too; JSON Lines hold entries only."""
        self._keep_days = options.count("log_days", keep_days)
        self._mailboxes = mailboxes
        self._tell = tell
        self._dispatcher = dispatcher

    def child(self) -> ChildSpec:
        """Return how to start its actor; raises InvalidOption for a log that cannot be written."""
        start = self._database() if self.hears_all else self._json_lines()
        return ChildSpec("run log", self.inbox, lambda supervisor: start(supervisor=supervisor))

    def _database(self) -> Callable[..., object]:
        if not self._path.parent.is_dir():
            raise InvalidOption("log", str(self._path), "in a folder that is there")
        return partial(
            RunLogActor.start,
            recorder=RunRecorder(self._mailboxes, self._dispatcher.clock),
            store=RunStore(self._path, keep_days=self._keep_days),
            tell=self._tell,
            dispatcher=self._dispatcher,
            inbox=self.inbox,
        )

    def _json_lines(self) -> Callable[..., object]:
        open_json_lines(self._path).close()
        return partial(
            JsonLinesActor.start, path=self._path, dispatcher=self._dispatcher, inbox=self.inbox
        )
