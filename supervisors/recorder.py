"""A recording of raw frames, and who looks after the actor that writes it."""

from __future__ import annotations

from pathlib import Path

from ..actors import CaptureFile, RecorderActor, Recording, RecordingTransport
from ..messages import RecordingMetrics
from ..runtime import Dispatching, Inbox, Transport
from .children import ChildSpec

__all__ = ["Recorder"]


class Recorder:
    """Record what a transport's connections receive to a file, in an actor of its own."""

    def __init__(self, path: str | Path, dispatcher: Dispatching) -> None:
        self._dispatcher = dispatcher
        self._recording = Recording(str(path), Inbox(dispatcher))

    def around(self, transport: Transport) -> Transport:
        """Return a transport whose frames are recorded."""
        return RecordingTransport(transport, self._recording, self._dispatcher.clock)

    def child(self) -> ChildSpec:
        """Return how to start it; raises InvalidOption for a file that cannot be recorded to."""
        CaptureFile(self._recording.path).close()
        return ChildSpec("recorder", self._recording.inbox, self._start)

    def metrics(self) -> RecordingMetrics:
        """Return what is written, what waits, what did not fit; any thread."""
        return self._recording.metrics()

    def _start(self, supervisor: Inbox) -> object:
        return RecorderActor.start(
            recording=self._recording,
            dispatcher=self._dispatcher,
            inbox=self._recording.inbox,
            supervisor=supervisor,
        )
