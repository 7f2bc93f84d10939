"""WebSocket frames as a client receives them: bytes in, messages out (RFC 6455)."""

from __future__ import annotations

import codecs
from typing import NoReturn

import attrs

from ..messages import ExchangeFault

__all__ = [
    "CLOSE_CODES",
    "MAX_FRAME_BYTES",
    "Close",
    "FrameParser",
    "Message",
    "Oversized",
    "Ping",
    "Pong",
    "ProtocolFailure",
]

MAX_FRAME_BYTES = 16 * 1024 * 1024

# Section 5.2: a frame begins with FIN, three reserved bits and the opcode, then MASK and a length
# of 7 bits, where 126 says that 16 bits follow and 127 that 64 do.
FIN, RESERVED, OPCODE, MASK = 0x80, 0x70, 0x0F, 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
WHOLE_TEXT, WHOLE_BINARY = FIN | TEXT, FIN | BINARY
LENGTH_16, LENGTH_64 = 126, 127
CONTROL_MAX = 125

PROTOCOL_ERROR, NO_STATUS, INVALID_DATA = 1002, 1005, 1007
# Section 7.4.1 and IANA's registry; 1004 to 1006 and 1015 never travel; 3000 on are free to use.
CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class ProtocolFailure(ExchangeFault):
    """The peer broke the protocol: the connection must be closed with `code` (section 7.1.7)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code} {self.reason}"


@attrs.frozen
class Ping:
    """Must be answered by a pong with the same payload."""

    payload: bytes


@attrs.frozen
class Pong:
    """The answer to a ping, or said unasked."""

    payload: bytes


@attrs.frozen
class Close:
    """The peer's last word. A frame without a code has 1005."""

    code: int
    reason: str


@attrs.frozen
class Oversized:
    """A message too long to be kept, told as soon as that is known; its bytes are passed over."""

    length: int
    """Bytes announced so far: all of them, unless the message comes in fragments."""


Message = bytes | Ping | Pong | Close | Oversized
"""What is received: a text or binary message is its bytes."""


class FrameParser:
    """Cut what a server sends into messages; a plain value, without a socket.

    Give it what was read by `feed`, and take messages out by `next_message` until there is none.
    It has taken leave of a message before it returns it, so that another thread may go on. A text
    or binary message may be `max_frame_bytes` long, and about as much is kept at most. A length in
    more bytes than it needs is accepted, as by everybody.
    """

    __slots__ = (
        "_at",
        "_control",
        "_data",
        "_decoder",
        "_first",
        "_in_frame",
        "_kind",
        "_max",
        "_message",
        "_missing",
        "_over",
        "_skipping",
        "text",
    )

    def __init__(self, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max = max_frame_bytes
        self._data = b""
        self._at = 0
        """Where in the data the next byte to look at is."""
        self._in_frame = False
        """Whether a frame's header was read and its payload was not, or only in part."""
        self._first = self._missing = 0
        """That frame's first byte, and how much of its payload is still to come."""
        self._kind = 0
        """Text or binary while a message is underway, in one frame or more; else 0."""
        self._message = bytearray()
        self._skipping = False
        """Whether the message underway is oversized."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._control = bytearray()
        self._over = False
        self.text = False
        """Whether the data message returned last is text."""

    def feed(self, chunk: bytes) -> None:
        """Take bytes in the order they were read. After a close or a failure they are ignored."""
        if not self._over:
            self._data = self._data[self._at :] + chunk
            self._at = 0

    def next_message(self) -> Message | None:
        """Return the next message, or None where more bytes are needed.

        Raises ProtocolFailure for what the protocol forbids.
        """
        if self._kind or self._in_frame:
            return self._next_in_pieces()
        # Nearly each message is in one frame of less than 64 KiB, all there: it is cut out here,
        # without a call. Any other takes the long way, from the same byte.
        data, start = self._data, self._at + 2
        try:
            first, length = data[start - 2], data[start - 1]
            if length == LENGTH_16:
                length = data[start] << 8 | data[start + 1]
                start += 2
            elif length > LENGTH_16:
                return self._next_in_pieces()
        except IndexError:
            return self._next_in_pieces()
        end = start + length
        is_text = first == WHOLE_TEXT
        if not (is_text or first == WHOLE_BINARY) or end > len(data) or length > self._max:
            return self._next_in_pieces()
        self._at = end
        self.text = is_text
        payload = data[start:end]
        if is_text and not payload.isascii():
            self._text_of(payload)
        return payload

    def _next_in_pieces(self) -> Message | None:
        while self._in_frame or self._read_header():
            if self._grows_too_long():
                return self._skip()
            self._read_payload()
            if self._missing:
                return None
            message = self._end_frame()
            if message is not None:
                return message
        return None

    def _read_header(self) -> bool:
        head = self._data[self._at : self._at + 10]
        if len(head) < 2:  # noqa: PLR2004 - the first byte and the length
            return False
        first, length = head[0], head[1]
        self._check(first, length)
        size = {LENGTH_16: 4, LENGTH_64: 10}.get(length, 2)
        if len(head) < size:
            return False
        self._begin_frame(first, int.from_bytes(head[2:size], "big") if size > 2 else length)  # noqa: PLR2004
        self._at += size
        return True

    def _check(self, first: int, second: int) -> None:
        opcode = first & OPCODE
        if first & RESERVED:
            self._fail(PROTOCOL_ERROR, "reserved bits are set")
        if opcode not in OPCODES:
            self._fail(PROTOCOL_ERROR, f"opcode {opcode} is reserved")
        if second & MASK:
            self._fail(PROTOCOL_ERROR, "a server's frame is masked")
        if opcode >= CLOSE:
            self._check_control(first, second)
        elif opcode == CONTINUATION and not self._kind:
            self._fail(PROTOCOL_ERROR, "nothing is there to be continued")
        elif opcode != CONTINUATION and self._kind:
            self._fail(PROTOCOL_ERROR, "a message begins within another")

    def _check_control(self, first: int, length: int) -> None:
        if not first & FIN:
            self._fail(PROTOCOL_ERROR, "a control frame is fragmented")
        if length > CONTROL_MAX:
            self._fail(PROTOCOL_ERROR, "a control frame is longer than 125 bytes")

    def _begin_frame(self, first: int, length: int) -> None:
        if length >> 63:
            self._fail(PROTOCOL_ERROR, "a length is negative")
        self._in_frame, self._first, self._missing = True, first, length
        if (opcode := first & OPCODE) in {TEXT, BINARY}:
            self._kind = opcode
            self._decoder.reset()

    def _grows_too_long(self) -> bool:
        return (
            self._first & OPCODE < CLOSE
            and not self._skipping
            and len(self._message) + self._missing > self._max
        )

    def _skip(self) -> Oversized:
        length = len(self._message) + self._missing
        self._skipping = True
        self._message = bytearray()
        return Oversized(length)

    def _read_payload(self) -> None:
        piece = self._data[self._at : self._at + self._missing]
        self._at += len(piece)
        self._missing -= len(piece)
        if self._first & OPCODE >= CLOSE:
            self._control += piece
        elif not self._skipping:
            self._message += piece
            if self._kind == TEXT:
                self._check_text(piece, final=False)

    def _end_frame(self) -> Message | None:
        self._in_frame = False
        if (opcode := self._first & OPCODE) >= CLOSE:
            payload, self._control = bytes(self._control), bytearray()
            return self._control_message(opcode, payload)
        return self._end_message() if self._first & FIN else None

    def _end_message(self) -> bytes | None:
        self.text, self._kind = self._kind == TEXT, 0
        if self._skipping:
            self._skipping = False
            return None
        message, self._message = bytes(self._message), bytearray()
        if self.text:
            self._check_text(b"", final=True)
        return message

    def _control_message(self, opcode: int, payload: bytes) -> Ping | Pong | Close:
        if opcode == PING:
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        return self._close(payload)

    def _close(self, payload: bytes) -> Close:
        self._end()
        if not payload:
            return Close(NO_STATUS, "")
        code = int.from_bytes(payload[:2], "big")
        if code not in CLOSE_CODES:  # half a code is none either
            self._fail(PROTOCOL_ERROR, f"no close code: {payload[:2].hex()}")
        return Close(code, self._text_of(payload[2:]))

    def _text_of(self, payload: bytes) -> str:
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            self._fail(INVALID_DATA, f"text that is not UTF-8: {error.reason}")

    def _check_text(self, piece: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            self._fail(INVALID_DATA, f"text that is not UTF-8: {error.reason}")

    def _fail(self, code: int, reason: str) -> NoReturn:
        self._end()
        raise ProtocolFailure(code, reason) from None

    def _end(self) -> None:
        """Ignore what else comes."""
        self._over = True
        self._data, self._at = b"", 0
        self._kind, self._in_frame = 0, False
        self._message = bytearray()
