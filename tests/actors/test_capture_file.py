"""Writing captures: what is written is read again, however the writer ended."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticklane.actors import CaptureEntry, CaptureFile
from ticklane.messages import InvalidOption
from ticklane.simulation import CapturedFrame, capture_answers, read_capture

OPENED = CaptureEntry("upbit", 1_000_000_000, b"", "wss://api.upbit.com/websocket/v1", "<->")


def frame(content: bytes, *, is_text: bool = False) -> CaptureEntry:
    return CaptureEntry("upbit#2", 2_500_000_000, content, is_text=is_text)


def answer(body: bytes) -> CaptureEntry:
    url = "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000"
    return CaptureEntry("binance", 1_000_000_000, body, url, "->", is_text=body.isascii())


def lines(*entries: CaptureEntry) -> list[bytes]:
    return [entry.line(1_700_000_000.0) for entry in entries]


def write(path: Path, *entries: CaptureEntry) -> None:
    file = CaptureFile(path)
    file.append(lines(*entries))
    file.close()


@contextmanager
def files_of_at_most(length: int) -> Iterator[None]:
    """Let no file grow beyond that, as a full disk would not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_frame_is_a_line_with_both_times_and_its_connection() -> None:
    assert lines(frame(b"\x00")) == [b"1700000002.500000 upbit#2 2500000000: b'\\x00'\n"]


def test_what_happened_to_the_connection_is_a_line_that_begins_with_its_address() -> None:
    assert lines(OPENED) == [
        b"wss://api.upbit.com/websocket/v1 <-> 1700000001.000000 upbit 1000000000: \n"
    ]


def test_text_frames_are_written_as_text(tmp_path: Path) -> None:
    write(tmp_path / "a", OPENED, frame('{"원": 1}'.encode(), is_text=True))

    assert list(read_capture(tmp_path / "a")) == [
        CapturedFrame(1700000002.5, '{"원": 1}', "upbit#2", 2_500_000_000)
    ]


@given(st.lists(st.binary() | st.text().map(str.encode)), st.booleans())
def test_any_frame_is_read_as_it_was_written(contents: list[bytes], is_text: bool) -> None:
    contents = [each for each in contents if not is_text or _is_utf8(each)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write(path, OPENED, *(frame(each, is_text=is_text) for each in contents))
        read = [frame.payload for frame in read_capture(path)]

    assert [each.encode() if isinstance(each, str) else each for each in read] == contents


@given(st.lists(st.binary() | st.text().map(str.encode)))
def test_any_answer_is_read_as_it_was_written(bodies: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write(path, OPENED, *(answer(each) for each in bodies))
        read = [each.body for each in capture_answers(path)]

    assert read == bodies


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.data())
def test_wherever_a_writer_is_killed_whole_lines_are_read_and_it_is_continued(
    data: st.DataObject,
) -> None:
    contents = [b'{"a": 1}', b"\x00\xff", b'{"b": "\xec\x9b\x90"}']
    entries = [frame(each, is_text=each.startswith(b"{")) for each in contents]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        write(path, OPENED, *entries)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        before = list(read_capture(path))
        write(path, OPENED, frame(b"new"))
        after = list(read_capture(path))

    assert len(before) - (whole[:cut].count(b"\n") - 1) in {0, 1}
    assert [each.payload for each in after[:-1]] == [
        each.payload for each in before[: len(after) - 1]
    ]
    assert after[-1].payload == b"new"


def test_the_end_of_the_last_whole_line_is_found_however_long_the_rest_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, OPENED, frame(b"kept"))
    whole = path.read_bytes()
    path.write_bytes(whole + b"1700000002.5 upbit 25: b'" + b"x" * 200_000)
    CaptureFile(path).close()

    assert path.read_bytes() == whole


def test_a_full_disk_leaves_whole_lines_and_takes_the_next_ones_when_it_is_not_full_any_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    file = CaptureFile(path)
    length = file.append(lines(OPENED, frame(b"first")))
    with files_of_at_most(length + 500), pytest.raises(OSError, match="too large"):
        file.append(lines(*[frame(b"x" * 200)] * 5))

    assert path.stat().st_size == length
    file.append(lines(frame(b"second")))
    file.close()
    assert [each.payload for each in read_capture(path)] == [b"first", b"second"]


@pytest.mark.parametrize("name", ["missing/a", "."])
def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidOption, match="record must be a file that can be written"):
        CaptureFile(tmp_path / name)


def test_a_file_that_is_no_capture_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir,")

    with pytest.raises(InvalidOption, match="a new file or a capture to be continued"):
        CaptureFile(path)
    assert path.read_text() == "Dear Sir,"
