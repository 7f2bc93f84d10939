"""A lag histogram as a few bytes, for a log."""

from __future__ import annotations

import struct

from ..messages import InvalidOption
from .histogram import LagHistogram

__all__ = ["count_width", "pack_lags", "unpack_lags"]

_SIZES = {code: struct.calcsize(f"<{code}") for code in "BHIQ"}


def pack_lags(lags: LagHistogram) -> bytes:
    """Return what is counted as bytes: three for each bucket in use, where no count is over 255.

    A letter says how wide a count is (`struct`: B, H, I, Q); then come all buckets, two bytes each,
    and all counts, little end first. Nothing counted is no bytes.
    """
    counts = sorted(lags.counts.items())
    if not counts:
        return b""
    most = max(count for _, count in counts)
    code = next(code for code, size in _SIZES.items() if most < 1 << 8 * size)
    buckets, numbers = zip(*counts, strict=True)
    return struct.pack(f"<c{len(counts)}H{len(counts)}{code}", code.encode(), *buckets, *numbers)


def unpack_lags(packed: bytes) -> LagHistogram:
    """Return the histogram that was packed, exactly.

    Raises InvalidOption for what `pack_lags` did not write.
    """
    lags = LagHistogram()
    if not packed:
        return lags
    number, _ = count_width(packed)
    values = struct.unpack_from(f"<{number}H{number}{chr(packed[0])}", packed, 1)
    lags.counts.update(zip(values[:number], values[number:], strict=True))
    return lags


def count_width(packed: bytes) -> tuple[int, int]:
    """Return how many counts were packed, and of how many bytes each is.

    Raises InvalidOption for what `pack_lags` did not write.
    """
    if not packed:
        return 0, 0
    size = _SIZES.get(chr(packed[0]), len(packed))
    number, left = divmod(len(packed) - 1, 2 + size)
    if left:
        raise InvalidOption("packed", packed, "what pack_lags returns")
    return number, size
