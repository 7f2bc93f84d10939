"""What a server sends, cut into messages: each rule of RFC 6455 for a client that receives."""

import tracemalloc
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from websockets.frames import Close as TheirClose
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from ticklane.messages import ExchangeFault
from ticklane.runtime.frames import (
    Close,
    FrameParser,
    Message,
    Oversized,
    Ping,
    Pong,
    ProtocolFailure,
)

BOOK = '{"code":"KRW-BTC","가격":1}'


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, bits: int = 0, masked: bool = False
) -> bytes:
    """Return a frame as a server sends it, or as it should not."""
    size = len(payload)
    mask = 0x80 if masked else 0
    if size < 126:
        length = bytes([mask | size])
    elif size < 2**16:
        length = bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([mask | 127]) + size.to_bytes(8, "big")
    return bytes([fin << 7 | bits | opcode]) + length + payload


def text(payload: str | bytes, *, fin: bool = True) -> bytes:
    return frame(1, payload if isinstance(payload, bytes) else payload.encode(), fin=fin)


def binary(payload: bytes, *, fin: bool = True) -> bytes:
    return frame(2, payload, fin=fin)


def more(payload: bytes, *, fin: bool = False) -> bytes:
    return frame(0, payload, fin=fin)


def last(payload: bytes) -> bytes:
    return more(payload, fin=True)


def close(code: int | bytes, reason: bytes = b"") -> bytes:
    said = code if isinstance(code, bytes) else code.to_bytes(2, "big")
    return frame(8, said + reason)


def taken(parser: FrameParser, chunks: Iterable[bytes]) -> list[Message]:
    """Return what a parser makes of chunks, fed one after the other."""
    messages = []
    for chunk in chunks:
        parser.feed(chunk)
        while (message := parser.next_message()) is not None:
            messages.append(message)
    return messages


def parsed(*frames: bytes, **options: int) -> list[Message]:
    """Return the messages in frames, having checked that it is the same byte by byte."""
    whole = b"".join(frames)
    messages = taken(FrameParser(**options), [whole])
    in_bytes = taken(FrameParser(**options), [bytes([byte]) for byte in whole])
    assert in_bytes == messages
    return messages


def failure(*frames: bytes) -> ProtocolFailure:
    """Return the failure that frames end in, having checked that it is the same byte by byte."""
    whole = b"".join(frames)
    with pytest.raises(ProtocolFailure) as at_once:
        taken(FrameParser(), [whole])
    with pytest.raises(ProtocolFailure) as in_bytes:
        taken(FrameParser(), [bytes([byte]) for byte in whole])
    assert str(in_bytes.value) == str(at_once.value)
    return at_once.value


## Messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 1_115, 65_535, 65_536, 100_000])
def test_a_message_of_any_length_comes_whole(size: int) -> None:
    payload = b"x" * size

    assert parsed(binary(payload), text(payload)) == [payload, payload]


def test_a_length_may_take_more_bytes_than_it_needs() -> None:
    assert parsed(b"\x82\x7e\x00\x01x\x82\x7f" + bytes(7) + b"\x01y") == [b"x", b"y"]


def test_messages_come_in_order_one_at_a_time() -> None:
    parser = FrameParser()
    parser.feed(b"".join(binary(b"%d" % number) for number in range(3)))

    assert [parser.next_message() for _ in range(4)] == [b"0", b"1", b"2", None]


def test_a_message_cut_off_is_awaited() -> None:
    parser = FrameParser()
    parser.feed(binary(b"whole") + binary(b"in pieces")[:-1])

    assert [parser.next_message(), parser.next_message()] == [b"whole", None]


def test_more_may_be_fed_before_everything_is_taken() -> None:
    parser = FrameParser()
    parser.feed(binary(b"one") + binary(b"two"))
    messages = [parser.next_message()]
    parser.feed(binary(b"three"))
    messages += [parser.next_message() for _ in range(3)]

    assert messages == [b"one", b"two", b"three", None]


def test_text_and_binary_are_told_apart() -> None:
    parser = FrameParser()
    parser.feed(
        binary(b"1") + text("2") + binary(b"3", fin=False) + last(b"") + text("", fin=False)
    )
    parser.feed(last(b"4"))
    kinds = []
    while parser.next_message() is not None:
        kinds.append(parser.text)

    assert kinds == [False, True, False, True]


## Fragments


def test_fragments_come_as_one_message() -> None:
    assert parsed(binary(b"one ", fin=False), more(b""), more(b"mess"), last(b"age")) == [
        b"one message"
    ]


def test_control_frames_may_come_between_fragments_and_come_at_once() -> None:
    frames = [text("one ", fin=False), frame(9, b"?"), more(b"mess"), frame(10, b"!"), last(b"age")]

    assert parsed(*frames) == [Ping(b"?"), Pong(b"!"), b"one message"]


def test_a_close_may_come_between_fragments() -> None:
    # Cut within a character: what the reason says has nothing to do with it.
    frames = [text("가".encode()[:1], fin=False), close(1001, "나중에".encode())]

    assert parsed(*frames) == [Close(1001, "나중에")]


def test_messages_follow_fragments() -> None:
    frames = [binary(b"a", fin=False), last(b"b"), binary(b"c"), text("d", fin=False), last(b"e")]

    assert parsed(*frames) == [b"ab", b"c", b"de"]


## Control frames


@pytest.mark.parametrize("payload", [b"", b"1700000000000", bytes(125)])
def test_a_ping_and_a_pong_keep_their_payload(payload: bytes) -> None:
    assert parsed(frame(9, payload), frame(10, payload)) == [Ping(payload), Pong(payload)]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4999])
def test_a_close_keeps_its_code_and_reason(code: int) -> None:
    assert parsed(close(code, "점검".encode())) == [Close(code, "점검")]


def test_a_close_without_a_code_has_1005() -> None:
    assert parsed(close(b"")) == [Close(1005, "")]


def test_nothing_comes_after_a_close() -> None:
    assert parsed(close(1000), binary(b"late"), b"\xff\xff") == [Close(1000, "")]


## What is refused


@pytest.mark.parametrize("bits", [0x40, 0x20, 0x10, 0x70])
def test_reserved_bits_are_refused(bits: int) -> None:
    assert str(failure(frame(1, b"x", bits=bits))) == "1002 reserved bits are set"


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_are_refused(opcode: int) -> None:
    assert str(failure(frame(opcode))) == f"1002 opcode {opcode} is reserved"


@pytest.mark.parametrize("opcode", [1, 2, 8, 9, 10])
@pytest.mark.parametrize("size", [2, 200, 70_000])
def test_masked_frames_are_refused(opcode: int, size: int) -> None:
    refused = failure(frame(opcode, bytes(size), masked=True))

    assert str(refused) == "1002 a server's frame is masked"


@pytest.mark.parametrize("opcode", [8, 9, 10])
def test_control_frames_in_fragments_are_refused(opcode: int) -> None:
    assert str(failure(frame(opcode, fin=False))) == "1002 a control frame is fragmented"


@pytest.mark.parametrize("opcode", [8, 9, 10])
@pytest.mark.parametrize("size", [126, 70_000])
def test_control_frames_longer_than_125_bytes_are_refused(opcode: int, size: int) -> None:
    refused = failure(frame(opcode, bytes(size)))

    assert str(refused) == "1002 a control frame is longer than 125 bytes"


@pytest.mark.parametrize(
    "frames",
    [
        [more(b"")],
        [last(b"")],
        [binary(b"whole"), last(b"")],
        [binary(b"", fin=False), last(b"")] * 2,
    ],
)
def test_a_fragment_of_nothing_is_refused(frames: Sequence[bytes]) -> None:
    assert str(failure(*frames, last(b""))) == "1002 nothing is there to be continued"


@pytest.mark.parametrize("second", [text("x"), binary(b"x"), binary(b"x", fin=False)])
def test_a_message_within_another_is_refused(second: bytes) -> None:
    refused = failure(binary(b"first", fin=False), more(b""), second)

    assert str(refused) == "1002 a message begins within another"


@pytest.mark.parametrize("opcode", [1, 2])
def test_a_negative_length_is_refused(opcode: int) -> None:
    refused = failure(bytes([0x80 | opcode, 127, 0x80]) + bytes(7))

    assert str(refused) == "1002 a length is negative"


@pytest.mark.parametrize(
    "code",
    [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535, b"\x03", b"\x0b"],
)
def test_close_codes_there_are_not_are_refused(code: int | bytes) -> None:
    refused = failure(close(code))

    assert (refused.code, refused.reason[:13]) == (1002, "no close code")


def test_a_close_reason_that_is_not_utf_8_is_refused() -> None:
    assert failure(close(1000, b"\xce\xba\xff")).code == 1007


@pytest.mark.parametrize(
    "head", [b"\xc1\x05", b"\x83\x7e", b"\x82\xff", b"\x09\x01", b"\x89\x7e", b"\x00\x7f"]
)
def test_a_bad_frame_is_refused_before_its_payload_comes(head: bytes) -> None:
    assert failure(head).code == 1002


def test_nothing_comes_after_a_failure() -> None:
    parser = FrameParser()
    parser.feed(frame(3) + binary(b"late"))
    with pytest.raises(ProtocolFailure):
        parser.next_message()

    assert taken(parser, [binary(b"later")]) == []


def test_a_failure_is_the_exchanges_fault() -> None:
    assert issubclass(ProtocolFailure, ExchangeFault)


## Text


NOT_UTF_8 = {
    "a byte there is not": b"\xff",
    "a character cut off": "가".encode()[:2],
    "a character that goes on alone": b"\x80",
    "half a surrogate pair": b"\xed\xa0\x80",
    "a character in too many bytes": b"\xc0\xaf",
    "beyond the last character": b"\xf4\x90\x80\x80",
}


@pytest.mark.parametrize("bad", NOT_UTF_8.values(), ids=NOT_UTF_8)
@pytest.mark.parametrize("around", [b"", b"x" * 200, b"x" * 70_000])
def test_text_that_is_not_utf_8_is_refused(bad: bytes, around: bytes) -> None:
    assert failure(text(around + bad)).code == 1007
    assert failure(text(around, fin=False), last(bad)).code == 1007


@pytest.mark.parametrize("bad", NOT_UTF_8.values(), ids=NOT_UTF_8)
def test_binary_is_not_looked_at(bad: bytes) -> None:
    assert parsed(binary(bad), binary(bad, fin=False), last(bad)) == [bad, bad + bad]


@pytest.mark.parametrize("cut", range(len(BOOK.encode()) + 1))
def test_text_may_be_cut_anywhere(cut: int) -> None:
    whole = BOOK.encode()
    frames = [text(whole[:cut], fin=False), frame(9), last(whole[cut:])]

    assert parsed(*frames) == [Ping(b""), whole]


def test_text_is_refused_as_soon_as_it_is_known_not_to_be_utf_8() -> None:
    for start in (text(b"x\xf4\x90", fin=False), text(b"x\xf4\x90\x80\x80 and more")[:5]):
        with pytest.raises(ProtocolFailure, match="1007"):
            taken(FrameParser(), [start])


## Too long


def test_a_message_of_the_greatest_length_is_kept() -> None:
    assert parsed(binary(bytes(100)), text("x" * 100), max_frame_bytes=100) == [
        bytes(100),
        b"x" * 100,
    ]


@pytest.mark.parametrize("size", [101, 125, 126, 65_535, 65_536, 200_000])
def test_an_oversized_message_is_told_and_passed_over(size: int) -> None:
    messages = parsed(binary(bytes(size)), binary(b"next"), max_frame_bytes=100)

    assert messages == [Oversized(size), b"next"]


def test_an_oversized_message_is_told_as_soon_as_its_length_is_known() -> None:
    parser = FrameParser()

    assert taken(parser, [binary(bytes(2**24 + 1))[:10]]) == [Oversized(2**24 + 1)]


def test_a_message_in_fragments_is_oversized_by_their_sum() -> None:
    frames = [
        binary(bytes(60), fin=False),
        more(bytes(40)),
        more(bytes(1)),
        more(bytes(70)),
        last(b""),
    ]

    assert parsed(*frames, text("next"), max_frame_bytes=100) == [Oversized(101), b"next"]


def test_control_frames_come_while_a_message_is_passed_over() -> None:
    frames = [binary(bytes(101), fin=False), frame(9, b"?"), last(bytes(101)), frame(10, b"!")]

    assert parsed(*frames, max_frame_bytes=100) == [Oversized(101), Ping(b"?"), Pong(b"!")]


def test_what_is_passed_over_need_not_be_utf_8() -> None:
    cut = "가".encode()[:1]
    frames = [
        text(cut, fin=False),
        more(b"\xff" * 101),
        last(b""),
        text("다음"),
        text(cut + b"\xff" * 100),
    ]

    assert parsed(*frames, max_frame_bytes=100) == [Oversized(102), "다음".encode(), Oversized(101)]


def kept_while(parser: FrameParser, chunks: Iterable[bytes]) -> int:
    """Return the most memory that was in use while the parser took the chunks."""
    tracemalloc.start()
    taken(parser, chunks)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_an_oversized_message_is_not_kept() -> None:
    chunk = bytes(2**16)
    head = b"\x82\x7f" + (1024 * len(chunk)).to_bytes(8, "big")
    most = kept_while(FrameParser(), [head, *[chunk] * 1024])

    assert most < 2**20


def test_fragments_without_end_are_not_kept() -> None:
    fragments = more(b"") * 100 + more(b"x") * 100
    most = kept_while(FrameParser(max_frame_bytes=1000), [text("", fin=False), *[fragments] * 1000])

    assert most < 2**20


def test_a_large_message_is_kept_about_once() -> None:
    whole = binary(bytes(2**23))
    chunks = [whole[start : start + 2**16] for start in range(0, len(whole), 2**16)]
    most = kept_while(FrameParser(), chunks)

    # Its pieces and, for a moment, the whole that is made of them.
    assert most < 2.5 * 2**23


## Any stream


payloads = st.binary(max_size=300) | st.integers(60_000, 70_000).map(bytes)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Frame], list[Message]]:
    """Draw frames that a server may send, and the messages they carry."""
    frames: list[Frame] = []
    messages: list[Message] = []
    for _ in range(draw(st.integers(0, 5))):
        opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
        whole = draw(payloads if opcode is Opcode.BINARY else st.text(max_size=200).map(str.encode))
        cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
        starts, ends = [0, *cuts], [*cuts, len(whole)]
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if draw(st.booleans()):
                said = draw(st.binary(max_size=125))
                asks = draw(st.booleans())
                frames.append(Frame(Opcode.PING if asks else Opcode.PONG, said))
                messages.append(Ping(said) if asks else Pong(said))
            kind = Opcode.CONT if number else opcode
            frames.append(Frame(kind, whole[start:end], fin=number == len(cuts)))
        messages.append(whole)
    return frames, messages


def serialized(frames: Sequence[Frame]) -> bytes:
    """Return the bytes that an implementation which is not ours sends."""
    return b"".join(each.serialize(mask=False) for each in frames)


def split(data: st.DataObject, stream: bytes) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(drawn=streams(), data=st.data())
def test_however_a_stream_is_split_its_messages_are_the_same(
    drawn: tuple[list[Frame], list[Message]], data: st.DataObject
) -> None:
    frames, messages = drawn

    assert taken(FrameParser(), split(data, serialized(frames))) == messages


@given(drawn=streams(), data=st.data(), limit=st.integers(1, 300))
def test_what_is_oversized_takes_nothing_from_the_rest(
    drawn: tuple[list[Frame], list[Message]], data: st.DataObject, limit: int
) -> None:
    frames, messages = drawn
    parser = FrameParser(max_frame_bytes=limit)
    got = taken(parser, split(data, serialized(frames)))

    assert [each for each in got if not isinstance(each, Oversized)] == [
        each for each in messages if not (isinstance(each, bytes) and len(each) > limit)
    ]


def outcome(chunks: Iterable[bytes]) -> tuple[list[Message], int]:
    """Return our messages, and the code of the failure they end in or 0."""
    parser = FrameParser(max_frame_bytes=2**63)
    messages: list[Message] = []
    try:
        for chunk in chunks:
            parser.feed(chunk)
            while (message := parser.next_message()) is not None:
                messages.append(message)
    except ProtocolFailure as refused:
        return messages, refused.code
    return messages, 0


def reference(stream: bytes) -> tuple[list[Message], int]:
    """Return the same of an implementation that is not ours and leaves text to its user."""
    theirs = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    theirs.receive_data(stream)
    # It takes a close between fragments for an error; section 5.4 allows every control frame there.
    assume(str(theirs.parser_exc) != "incomplete fragmented message")
    messages: list[Message] = []
    message = b""
    for event in theirs.events_received():
        assert isinstance(event, Frame)
        payload = bytes(event.data)
        if event.opcode in CONTROL:
            messages.append(CONTROL[event.opcode](payload))
            continue
        message = message + payload if event.opcode is Opcode.CONT else payload
        if event.fin:
            messages.append(message)
    return messages, theirs.close_sent.code if theirs.parser_exc and theirs.close_sent else 0


def said_last(payload: bytes) -> Close:
    parsed_by_them = TheirClose.parse(payload)
    return Close(int(parsed_by_them.code), parsed_by_them.reason)


CONTROL: dict[Opcode, Callable[[bytes], Message]] = {
    Opcode.PING: Ping,
    Opcode.PONG: Pong,
    Opcode.CLOSE: said_last,
}


mutations = st.lists(
    st.tuples(
        st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["set", "insert", "cut"])
    ),
    min_size=1,
    max_size=4,
)


def mutated(stream: bytes, changes: Iterable[tuple[int, int, str]]) -> bytes:
    new = bytearray(stream)
    for where, byte, how in changes:
        at = where % (len(new) + 1)
        if how == "set" and at < len(new):
            new[at] = byte
        elif how == "insert":
            new.insert(at, byte)
        else:
            del new[at : at + byte]
    return bytes(new)


@given(stream=st.binary(max_size=300), data=st.data())
def test_no_bytes_raise_anything_but_a_failure_of_the_protocol(
    stream: bytes, data: st.DataObject
) -> None:
    assert outcome(split(data, stream)) == outcome([stream])


@given(drawn=streams(), changes=mutations, data=st.data())
def test_a_mutated_stream_comes_to_the_same_however_it_is_split(
    drawn: tuple[list[Frame], list[Message]],
    changes: list[tuple[int, int, str]],
    data: st.DataObject,
) -> None:
    stream = mutated(serialized(drawn[0]), changes)

    assert outcome(split(data, stream)) == outcome([stream])


@given(drawn=streams(), changes=mutations)
def test_a_mutated_stream_comes_to_what_another_implementation_makes_of_it(
    drawn: tuple[list[Frame], list[Message]], changes: list[tuple[int, int, str]]
) -> None:
    stream = mutated(serialized(drawn[0]), changes)
    (ours, code), (theirs, their_code) = outcome([stream]), reference(stream)

    if code == 1007 != their_code:  # we look at text
        assert ours == theirs[: len(ours)]
    else:
        # We refuse a bad frame when its header is there, they when it is whole.
        assert ours == theirs
        assert code == their_code or (code, their_code) == (1002, 0)
