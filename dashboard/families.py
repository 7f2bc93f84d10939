"""Metrics as Prometheus has them: families of samples, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

__all__ = ["Family", "Labels", "render"]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Labels:
    """The labels of a sample, with their text, which is made once and used for every metric."""

    __slots__ = ("_by_reason", "pairs", "text")

    def __init__(self, **pairs: str) -> None:
        self.pairs = pairs
        inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs.items())
        self.text = f"{{{inner}}}" if inner else ""
        self._by_reason: dict[str, Labels] = {}

    def because(self, reason: str) -> Labels:
        """Return these with the label `reason`, too; the same ones whenever asked."""
        if (labels := self._by_reason.get(reason)) is None:
            labels = self._by_reason[reason] = Labels(**self.pairs, reason=reason)
        return labels


@attrs.frozen
class Family:
    """All samples of one metric."""

    name: str
    """With `_total` where it is a counter."""
    kind: str
    """`counter`, `gauge` or `histogram`."""
    help: str
    samples: list[tuple[str, Labels, float]]
    """Name (which a histogram's differ in), labels, value."""


def render(families: Iterable[Family]) -> str:
    """Return the page for Prometheus, in its text format 0.0.4."""
    return "\n".join(line for family in families for line in _lines(family)) + "\n"


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    for name, labels, value in family.samples:
        yield f"{name}{labels.text} {value}"
