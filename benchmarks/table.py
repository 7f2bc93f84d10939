"""The figures as Markdown, for a terminal and for the README."""

from collections.abc import Iterable, Sequence

from bars import BARS, Bar
from figures import Tree

__all__ = ["bars_table", "hop_table"]


def hop_table(results: Tree) -> str:
    """Return the hop by design and number of symbols: median, and least to greatest."""
    sizes = [*results["hop_us"]["ticklane"]]
    rows = [
        [design, *(_hop_cell(results, design, size) for size in sizes)]
        for design in results["hop_us"]
    ]
    return _table(["hop, µs", *(f"{int(size):,} symbols" for size in sizes)], rows)


def _hop_cell(results: Tree, design: str, size: str) -> str:
    if size not in results["hop_us"][design]:
        return "-"
    least, greatest = results["spread"]["hop_us"][design][size]
    return f"{results['hop_us'][design][size]:.2f} ({least:.2f} to {greatest:.2f})"


def bars_table(results: Tree) -> str:
    """Return every bar whose figure was measured, and whether it is met."""
    rows = [row for bar in BARS if (row := _bar_row(bar, results))]
    return _table(["figure", "measured", "bar", "met"], rows)


def _bar_row(bar: Bar, results: Tree) -> Sequence[str] | None:
    try:
        value = bar.value(results)
    except KeyError:
        return None
    limit = f"{'≥' if bar.at_least else '≤'} {bar.limit:,g} {bar.unit}"
    measured = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    met = "yes" if bar.met(value) else "**no**"
    return [bar.figure, f"{measured} {bar.unit}".rstrip(), limit.rstrip(), met]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    ]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)
