"""Faults of JSON, in our words."""

import msgspec
import pytest

from ticklane.exchanges.reading import read
from ticklane.messages import BadFrame


class _Text(msgspec.Struct):
    text: str = ""


decode = msgspec.json.Decoder(_Text).decode


def _reason(payload: bytes) -> str:
    with pytest.raises(BadFrame) as caught:
        read(decode, payload)
    return caught.value.reason


def test_json_of_the_right_shape_is_read() -> None:
    assert read(decode, b'{"text":"a"}').text == "a"


@pytest.mark.parametrize("payload", [b"", b"PONG", b'{"text":', b"\xff\xfe", b'{"more":NaN}'])
def test_what_is_no_json_is_told_as_json(payload: bytes) -> None:
    assert _reason(payload) == "json"


def test_text_that_is_no_utf8_is_told_as_json() -> None:
    assert _reason(b'{"text":"\xff"}') == "json"


def test_arrays_nested_by_the_thousand_are_told_as_json() -> None:
    assert _reason(b'{"more":' + b"[" * 100_000) == "json"


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b'{"text":1}'])
def test_json_of_another_shape_is_told_as_type(payload: bytes) -> None:
    assert _reason(payload) == "type"
