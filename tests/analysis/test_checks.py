from typing import Any

import attrs
import pytest

from ticklane.analysis.checks import is_number, not_negative, positive, whole_number
from ticklane.messages import InvalidOption


@attrs.define
class Options:
    above: float = attrs.field(default=1.0, validator=positive)
    least: float = attrs.field(default=0.0, validator=not_negative)
    whole: int = attrs.field(default=2, validator=whole_number(2))


@pytest.mark.parametrize(
    ("option", "given", "allowed"),
    [
        ("above", 0, "a number above 0"),
        ("above", float("nan"), "a number above 0"),
        ("above", "1", "a number above 0"),
        ("above", True, "a number above 0"),
        ("least", -0.1, "a number, at least 0"),
        ("least", float("inf"), "a number, at least 0"),
        ("least", None, "a number, at least 0"),
        ("whole", 1, "a whole number, at least 2"),
        ("whole", 2.0, "a whole number, at least 2"),
        ("whole", True, "a whole number, at least 2"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(
    option: str, given: Any, allowed: str
) -> None:
    with pytest.raises(InvalidOption) as caught:
        Options(**{option: given})

    assert str(caught.value) == f"{option} must be {allowed}, not {given!r}"


def test_an_int_too_large_for_a_float_is_no_number() -> None:
    assert not is_number(10**400)
