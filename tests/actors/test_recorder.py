"""The actor that writes raw frames to a file."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pykka
import pytest
from loguru import logger

from ticklane.actors import CaptureEntry, RecorderActor, Recording
from ticklane.runtime import Inbox
from ticklane.simulation import read_capture

if TYPE_CHECKING:
    from ticklane.tests.conftest import Stepped

OPENED = CaptureEntry("upbit", 1, b"", "wss://api.upbit.com/websocket/v1", "<->")


@pytest.fixture
def recording(stepped: "Stepped", tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(str(tmp_path / "a"), Inbox(stepped))
    recording.put(OPENED)
    yield recording
    if recording.inbox.actor is not None:
        recording.inbox.actor.actor_ref.stop()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    messages: list[str] = []
    sink = logger.add(messages.append, format="{level} {message}")
    logger.enable("ticklane")
    yield messages
    logger.disable("ticklane")
    logger.remove(sink)


def start(stepped: "Stepped", recording: Recording) -> pykka.ActorRef[RecorderActor]:
    ref = RecorderActor.start(recording=recording, dispatcher=stepped, inbox=recording.inbox)
    stepped.run()
    return ref


def put(recording: Recording, *contents: bytes) -> None:
    for content in contents:
        recording.put(CaptureEntry("upbit", 1, content))


def fail(recording: Recording) -> None:
    """Have its actor fail, as a mistake of ours would make it."""
    assert recording.inbox.actor is not None
    recording.inbox.actor._actor_loop_failed(ValueError("boom"))


def frames(recording: Recording) -> list[bytes | str]:
    return [frame.payload for frame in read_capture(recording.path)]


def test_what_comes_is_in_the_file_a_tenth_of_a_second_later(
    stepped: "Stepped", recording: Recording
) -> None:
    start(stepped, recording)
    put(recording, b"a", b"b")
    stepped.advance(0.1)

    assert frames(recording) == [b"a", b"b"]
    assert recording.metrics().frames == 2
    assert recording.metrics().bytes == Path(recording.path).stat().st_size


def test_more_than_a_batch_is_written_at_once(stepped: "Stepped", recording: Recording) -> None:
    start(stepped, recording)
    put(recording, *[b"x"] * 2500)
    stepped.advance(0.1)

    assert frames(recording) == [b"x"] * 2500


def test_the_lines_carry_the_machines_time_of_day(stepped: "Stepped", recording: Recording) -> None:
    start(stepped, recording)
    recording.put(CaptureEntry("upbit", stepped.clock.now_ns(), b"a"))
    stepped.advance(0.1)

    assert next(read_capture(recording.path)).at_unix_s == pytest.approx(
        stepped.clock.unix_s() - 0.1, abs=1e-5
    )


def test_stopping_writes_what_is_left(stepped: "Stepped", recording: Recording) -> None:
    ref = start(stepped, recording)
    put(recording, b"a")
    ref.stop()

    assert frames(recording) == [b"a"]


def test_the_next_actor_writes_what_one_that_failed_has_left(
    stepped: "Stepped", recording: Recording
) -> None:
    start(stepped, recording)
    put(recording, b"a")
    fail(recording)
    start(stepped, recording)

    assert frames(recording) == [b"a"]


def test_a_full_disk_is_told_once_and_nothing_that_fits_is_lost(
    stepped: "Stepped", recording: Recording, logged: list[str]
) -> None:
    start(stepped, recording)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        put(recording, *[b"x" * 100] * 5)
        stepped.advance(3.5)
        while_full = recording.metrics()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    stepped.advance(1.0)

    assert "File too large" in (while_full.last_error or "")
    assert (while_full.frames, while_full.waiting) == (0, 5)
    assert frames(recording) == [b"x" * 100] * 5
    assert recording.metrics().last_error is None
    assert [line.partition(" ")[0] for line in logged] == ["ERROR", "WARNING"]


def test_what_cannot_be_written_at_the_end_is_told(
    stepped: "Stepped", recording: Recording, logged: list[str]
) -> None:
    ref = start(stepped, recording)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        put(recording, *[b"x" * 100] * 5)
        ref.stop()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "5 lines could not be written" in logged[-1]


def test_another_message_is_a_dead_letter(stepped: "Stepped", recording: Recording) -> None:
    start(stepped, recording).tell("hello")
    stepped.run()

    assert stepped.dead_letters.counts() == {"unhandled": 1}
