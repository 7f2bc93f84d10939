"""Fuzz what reads an exchange's bytes, guided by coverage; a crash leaves its input behind.

    python tests/fuzz/run.py [-max_total_time=60] [other options of libFuzzer]

Needs atheris (`pip install atheris`); where it is not installed, says so and ends well.
"""

import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "build" / "fuzz"
sys.path.insert(0, str(ROOT / "tests"))

try:
    import atheris
except ImportError:
    print("fuzz: skipped, atheris is not installed (pip install atheris)")  # noqa: T201
    sys.exit()

with atheris.instrument_imports(include=["ticklane"]):
    from test_fuzz import MAX_BYTES, STREAMS, WIRE, good_frames, kept, protocol_of, receive

    from ticklane.runtime.frames import FrameParser, ProtocolFailure


def main() -> None:
    CORPUS.mkdir(parents=True, exist_ok=True)
    for number, (exchange, stream) in enumerate(STREAMS):
        _seed(number, b"\n".join(good_frames(exchange, stream)))
    _seed(len(STREAMS), b"".join(WIRE))
    atheris.Setup([sys.argv[0], f"-artifact_prefix={CORPUS}/", *sys.argv[1:], str(CORPUS)], fuzz)
    atheris.Fuzz()


def fuzz(data: bytes) -> None:
    """Read `data` as its first byte says: as lines of an exchange's frames, or as WebSocket."""
    target = data[0] % (len(STREAMS) + 1) if data else 0
    if target < len(STREAMS):
        protocol = protocol_of(*STREAMS[target])
        for payload in data[1:].split(b"\n"):
            receive(protocol, payload)
    else:
        _parse(data[1:])


def _parse(wire: bytes) -> None:
    parser = FrameParser(max_frame_bytes=MAX_BYTES)
    with suppress(ProtocolFailure):
        for start in range(0, len(wire), 64):
            parser.feed(wire[start : start + 64])
            while parser.next_message() is not None:
                pass
            assert kept(parser) <= MAX_BYTES + 64 + 125


def _seed(target: int, content: bytes) -> None:
    (CORPUS / f"seed-{target}").write_bytes(bytes([target]) + content)


if __name__ == "__main__":
    main()
