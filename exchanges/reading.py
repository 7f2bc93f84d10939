"""Reading JSON into typed values, with faults told in our words."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from ..messages import BadFrame

__all__ = ["read"]

T = TypeVar("T")


def read(decode: Callable[[bytes], T], payload: bytes) -> T:
    """Return what a typed decoder makes of `payload`.

    Raises BadFrame: `type` for JSON of another shape, `json` for what is no JSON.
    """
    try:
        return decode(payload)
    except msgspec.ValidationError as error:
        raise BadFrame("type", error) from None
    # Text that is no UTF-8 and arrays nested by the thousand are reported by these two.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame("json", error) from None
