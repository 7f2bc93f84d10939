"""What docs/testing-your-host.md shows is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "testing-your-host.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Return everything that the page defines, from its beginning to its end."""
    names: dict[str, Any] = {"__name__": "shown"}
    for block in BLOCKS:
        exec(block, names)  # noqa: S102 - our own page
    return names


def test_the_example_is_the_one_in_the_examples() -> None:
    assert (ROOT / "examples" / "host_test.py").read_text("utf-8").endswith(BLOCKS[0])


@pytest.mark.parametrize("test", re.findall(r"^def (test_\w+)", DOCS, re.MULTILINE))
def test_a_test_on_the_page_passes(shown: dict[str, Any], test: str) -> None:
    shown[test]()


def test_without_its_events_the_strategy_on_the_page_fails(shown: dict[str, Any]) -> None:
    strategy = shown["Strategy"]
    shown["Strategy"] = type("Deaf", (strategy,), {"on_event": lambda *_: None})
    with pytest.raises(AssertionError):
        shown["test_it_never_quotes_on_a_book_older_than_two_minutes"]()
    shown["Strategy"] = strategy

    assert "Without `on_event` the test fails" in DOCS


def test_the_machine_on_the_page_passes(shown: dict[str, Any]) -> None:
    run_state_machine_as_test(shown["Quoting"], settings=shown["TestQuoting"].settings)


def test_all_strategies_are_on_the_page() -> None:
    from ticklane.simulation import strategies  # noqa: PLC0415 - it is what is looked at

    assert [name for name in strategies.__all__ if f"`{name}(" not in DOCS] == []
