"""Figures of several rounds, folded into medians and spreads."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

__all__ = ["Tree", "medians", "spreads"]

Tree = dict[str, Any]
"""Figures by name, nested: every round of a benchmark returns the same names."""


def medians(rounds: Sequence[Tree]) -> Tree:
    """Return each figure's median over the rounds."""
    return {name: _fold(name, rounds, medians, median) for name in rounds[0]}


def spreads(rounds: Sequence[Tree]) -> Tree:
    """Return, where each figure stood, its `[least, greatest]` over the rounds."""
    return {name: _fold(name, rounds, spreads, _ends) for name in rounds[0]}


def _fold(name: str, rounds: Sequence[Tree], fold_tree: Any, fold_leaf: Any) -> Any:
    values = [figures[name] for figures in rounds]
    return fold_tree(values) if isinstance(values[0], Mapping) else fold_leaf(values)


def _ends(values: Sequence[float]) -> list[float]:
    return [min(values), max(values)]
