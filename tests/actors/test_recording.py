"""What waits to be recorded, and the transport that puts it there."""

from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.actors import CaptureEntry, Recording, RecordingTransport
from ticklane.actors.book_desk import BookReader
from ticklane.exchanges import BookRequest
from ticklane.messages import Refusal
from ticklane.runtime import Answer, Inbox, Link, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticklane.tests.conftest import Stepped

URL = "ws://127.0.0.1:1/websocket/v1"
BASE = "http://127.0.0.1:1"
BTC, ETH = BookRequest("BTC", "/depth?symbol=BTC", 5), BookRequest("ETH", "/depth?symbol=ETH", 5)


@attrs.define
class Wire:
    """A transport's one connection, which the test plays."""

    receiver: Receiver | None = None
    text: bool = False
    sent: list[str] = attrs.field(factory=list)
    pings: int = 0
    closed_for: str | None = None
    here = None

    def open(self, _name: str, _url: str, receiver: Receiver) -> Link:
        self.receiver = receiver
        return self

    def send(self, text: str) -> None:
        self.sent.append(text)

    def ping(self) -> None:
        self.pings += 1

    def close(self, reason: str) -> None:
        self.closed_for = reason

    def backlog(self) -> int:
        return 7


@attrs.define
class Told:
    """A receiver that keeps what it is told."""

    link: Link | None = None
    notes: list[object] = attrs.field(factory=list)

    def opened(self, link: Link) -> None:
        self.link = link
        link.send("subscribe")

    def received(self, payload: bytes, received_ns: int) -> None:
        self.notes.append((payload, received_ns))

    @property
    def name(self) -> str:
        return "told"

    def wants(self, request: BookRequest) -> bool:
        return request is BTC

    def answered(self, request: BookRequest, answer: Answer) -> None:
        self.notes.append((request.symbol, answer.status))

    def nudge(self, request: BookRequest) -> None:
        """What was handed on is read at once."""

    def oversized(self, length: int, received_ns: int) -> None:
        self.notes.append((length, received_ns))

    def heard(self, received_ns: int) -> None:
        self.notes.append(received_ns)

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:
        self.notes += [reason, refusal]


@pytest.fixture
def recording(stepped: "Stepped") -> Recording:
    return Recording("file", Inbox(stepped), max_waiting_bytes=1000)


def entry(content: bytes, arrow: str = "") -> CaptureEntry:
    return CaptureEntry("upbit", 1, content, arrow=arrow)


def played(stepped: "Stepped", recording: Recording) -> tuple[Wire, Told, Link]:
    """Return a recorded connection that is open: its far end, who receives, and the link."""
    wire, told = Wire(), Told()
    transport = RecordingTransport(wire, recording, stepped.clock)
    link = transport.open("upbit", URL, told)
    assert wire.receiver is not None
    wire.receiver.opened(wire)
    return wire, told, link


def arrows(recording: Recording) -> list[tuple[str, bytes]]:
    return [(each.arrow, each.content) for each in recording.waiting()]


def test_what_does_not_fit_is_counted_and_not_kept(recording: Recording) -> None:
    kept = [recording.put(entry(b"x" * 200)) for _ in range(4)]

    assert kept == [True, True, False, False]
    assert (recording.metrics().waiting, recording.metrics().lost) == (2, 2)


def test_what_is_written_makes_room(recording: Recording) -> None:
    recording.put(entry(b"x" * 700))
    recording.written(recording.waiting(), 720)

    assert recording.put(entry(b"x" * 700))
    assert (recording.metrics().frames, recording.metrics().bytes) == (1, 720)


def test_what_tells_of_the_connection_always_fits(recording: Recording) -> None:
    recording.put(entry(b"x" * 800))

    assert recording.put(entry(b"y" * 800, "<-"))
    assert recording.metrics().lost == 0


def test_the_actor_is_told_once_until_it_has_seen_that_nothing_is_left(
    recording: Recording,
) -> None:
    for _ in range(3):
        recording.put(entry(b"x"))
    told_before = recording.inbox.backlog
    recording.written(recording.waiting(), 1)
    recording.waiting()
    recording.put(entry(b"x"))

    assert (told_before, recording.inbox.backlog) == (1, 2)


@given(st.lists(st.integers(0, 400) | st.none(), max_size=60))
def test_every_frame_is_written_waits_or_is_lost(
    new_stepped: "Callable[[], Stepped]", sizes: list[int | None]
) -> None:
    recording, put = Recording("file", Inbox(new_stepped()), max_waiting_bytes=1000), 0
    for size in sizes:
        if size is None:
            recording.written(recording.waiting(2), 1)
        else:
            recording.put(entry(b"x" * size))
            put += 1
        told = recording.metrics()

        assert told.frames + told.waiting + told.lost == put
        assert sum(len(each.content) for each in recording.waiting()) <= 1000


def test_a_connections_life_is_recorded_in_order(stepped: "Stepped", recording: Recording) -> None:
    wire, _, link = played(stepped, recording)
    assert wire.receiver is not None
    wire.receiver.received(b"frame", 5)
    wire.receiver.oversized(10**9, 6)
    link.send("more")
    wire.receiver.closed("the end:\nreally")

    assert arrows(recording) == [
        ("<->", b""),
        ("<-", b"subscribe"),
        ("", b"frame"),
        ("---", b"a frame of 1000000000 bytes or more"),
        ("<-", b"more"),
        (">-<", b"the end: really"),
    ]
    assert {each.url for each in recording.waiting() if each.arrow} == {URL}


def test_the_receiver_is_told_all_the_same(stepped: "Stepped", recording: Recording) -> None:
    wire, told, _ = played(stepped, recording)
    assert wire.receiver is not None
    wire.receiver.received(b"frame", 5)
    wire.receiver.oversized(10, 6)
    wire.receiver.heard(7)
    wire.receiver.closed("the end", Refusal("ban"))

    assert told.notes == [(b"frame", 5), (10, 6), 7, "the end", Refusal("ban")]


def test_the_link_does_what_it_did(stepped: "Stepped", recording: Recording) -> None:
    wire, told, link = played(stepped, recording)
    link.ping()
    link.close("enough")

    assert (wire.sent, wire.pings, wire.closed_for) == (["subscribe"], 1, "enough")
    assert (link.backlog(), link.here) == (7, None)
    assert told.link is not None


@pytest.mark.parametrize("text", [True, False])
def test_a_text_frame_is_known_as_one(stepped: "Stepped", recording: Recording, text: bool) -> None:
    wire, _, _ = played(stepped, recording)
    assert wire.receiver is not None
    wire.text = text
    wire.receiver.received(b"frame", 5)

    assert recording.waiting()[-1].is_text is text


def test_frames_that_did_not_fit_are_told_behind_the_next_that_does(
    stepped: "Stepped", recording: Recording
) -> None:
    wire, told, _ = played(stepped, recording)
    assert wire.receiver is not None
    for _ in range(3):
        wire.receiver.received(b"x" * 900, 5)
    recording.written(recording.waiting(), 1)
    wire.receiver.received(b"fits", 6)

    assert arrows(recording) == [
        ("", b"fits"),
        ("---", b"3 frames did not fit before the line above"),
    ]
    assert len(told.notes) == 4


## Answers of a REST side


def reading(stepped: "Stepped", recording: Recording) -> tuple[Wire, Told, BookReader]:
    """Return a recorded connection that is open: its far end, who reads, and whom a desk tells."""
    wire, told = Wire(), Told()
    transport = RecordingTransport(wire, recording, stepped.clock)
    transport.open("binance", URL, told)
    assert wire.receiver is not None
    wire.receiver.opened(wire)
    return wire, told, transport.reader(told, BASE)


def answer(body: bytes = b"{}", status: int = 200) -> Answer:
    return Answer(status=status, body=body, received_ns=3)


def test_an_answer_is_recorded_where_it_is_read(stepped: "Stepped") -> None:
    recording = Recording("file", Inbox(stepped))
    wire, told, reader = reading(stepped, recording)
    assert wire.receiver is not None
    wire.receiver.received(b"one", 5)
    reader.answered(BTC, answer())
    reader.answered(ETH, answer())
    before = len(told.notes)
    wire.receiver.received(b"two", 6)
    reader.answered(BTC, answer(b"[]"))
    wire.receiver.heard(7)

    assert before == 1
    assert told.notes[1:] == [("BTC", 200), ("ETH", 200), (b"two", 6), ("BTC", 200), 7]
    assert arrows(recording)[2:] == [
        ("", b"one"),
        ("->", b"{}"),
        ("->", b"{}"),
        ("", b"two"),
        ("->", b"[]"),
    ]
    assert [each.url for each in recording.waiting()][3:5] == [BASE + BTC.path, BASE + ETH.path]


def test_an_answer_that_does_not_fit_is_counted_and_read_all_the_same(
    stepped: "Stepped", recording: Recording
) -> None:
    wire, told, reader = reading(stepped, recording)
    assert wire.receiver is not None
    reader.answered(BTC, answer(b"x" * 900))
    wire.receiver.received(b"one", 5)

    assert told.notes == [("BTC", 200), (b"one", 5)]
    assert recording.metrics().lost == 1
    assert ("---", f"900 bytes from {BASE}{BTC.path} did not fit".encode()) in arrows(recording)


def test_an_error_is_told_in_the_recording_and_is_no_answer(
    stepped: "Stepped", recording: Recording
) -> None:
    wire, told, reader = reading(stepped, recording)
    assert wire.receiver is not None
    reader.answered(BTC, answer(b"no such symbol", 400))
    wire.receiver.heard(5)

    assert told.notes == [("BTC", 400), 5]
    assert arrows(recording)[-1] == ("---", f"HTTP 400 from {BASE}{BTC.path}".encode())


def test_only_what_has_waited_longest_makes_a_frame_come(
    stepped: "Stepped", recording: Recording
) -> None:
    wire, _, reader = reading(stepped, recording)
    reader.answered(BTC, answer())
    reader.answered(ETH, answer())
    reader.nudge(ETH)
    before = wire.pings
    reader.nudge(BTC)

    assert (before, wire.pings) == (0, 1)


def test_a_desk_hears_of_the_reader_what_it_would_have_heard(
    stepped: "Stepped", recording: Recording
) -> None:
    _, _, reader = reading(stepped, recording)

    assert (reader.name, reader.wants(BTC), reader.wants(ETH)) == ("told", True, False)


def test_a_connection_that_is_gone_is_told_itself(stepped: "Stepped", recording: Recording) -> None:
    wire, told = Wire(), Told()
    transport = RecordingTransport(wire, recording, stepped.clock)
    transport.open("binance", URL, told)
    assert wire.receiver is not None
    before = transport.reader(told, BASE)
    wire.receiver.opened(wire)
    wire.receiver.closed("the end")

    assert (before, transport.reader(told, BASE)) == (told, told)
