"""A report on a run as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ..analysis import AnomalySpan, RunReport, SymbolReport, TimePoint, render_report

__all__ = ["clock_form", "clock_time", "render_run", "verdict_reasons"]

MOST_SYMBOLS = 20
MOST_ANOMALIES = 50
MOST_TIMES = 12


def render_run(report: RunReport) -> str:
    """Return the report as lines of plain text, the verdict first."""
    return "\n".join((render_report(report.longrun), *_sections(report)))


def verdict_reasons(report: RunReport) -> list[str]:
    """Return why the verdict is not OK, one sentence for each reason."""
    return [f"{each.severity} {each.kind}: {each.message}" for each in report.longrun.anomalies]


def clock_time(unix_s: float | None, form: str = "%H:%M:%S") -> str:
    """Return a time of day, UTC; `form` as `strftime` has it."""
    return "-" if unix_s is None else datetime.fromtimestamp(unix_s, UTC).strftime(form)


def clock_form(begin_unix_s: float | None, end_unix_s: float | None) -> str:
    """Return `clock_time`'s form for a run: with the day, where it is of several."""
    days = {clock_time(each, "%Y-%m-%d") for each in (begin_unix_s, end_unix_s)}
    return "%H:%M:%S" if len(days) == 1 else "%m-%d %H:%M:%S"


def _sections(report: RunReport) -> Iterator[str]:
    form = clock_form(report.longrun.start_time, report.longrun.end_time)
    if report.stopped is False:
        yield "\nthe writer of this log has not stopped it: it still runs, or was killed"
    if report.anomalies:
        yield from _anomalies(report.anomalies, form)
    if report.feeds:
        yield "\nconnections"
        yield from (
            f"{name:24}{counts.get('feed_connected', 0):>6} times connected"
            f"{counts.get('feed_lost', 0):>6} times lost{counts.get('feed_gap', 0):>6} gaps"
            for name, counts in report.feeds
        )
    if report.symbols:
        yield "\ntotals: " + ", ".join(f"{count} {name}" for name, count in report.totals.items())
        yield from _over_time(report.over_time, form)
        yield from _symbols(report.symbols)


def _anomalies(spans: Sequence[AnomalySpan], form: str) -> Iterator[str]:
    width = _width(form)
    heads = "".join(f"{head:>14}" for head in ("lag peak, ms", "depth peak"))
    yield f"\n{'anomaly':18}{'of':24}{'start':>{width}}{'end':>{width}}{heads}"
    for span in spans[:MOST_ANOMALIES]:
        start, end = (clock_time(each, form) for each in (span.start_unix_s, span.end_unix_s))
        yield (
            f"{span.kind:18}{span.key or '-':24}{start:>{width}}{end:>{width}}"
            f"{span.lag_peak_ms:>14.1f}{span.depth_peak:>14}"
        )
    yield from _more(len(spans), MOST_ANOMALIES)


def _over_time(points: Sequence[TimePoint], form: str) -> Iterator[str]:
    width = _width(form)
    heads = ("lag p50, ms", "lag p99, ms", "lag max, ms", "depth max", "handled/s", "shed/s")
    yield f"\n{'from':{width}}" + "".join(f"{head:>13}" for head in heads)
    at_once = -(-len(points) // MOST_TIMES)
    for first in range(0, len(points), at_once or 1):
        part = points[first : first + at_once]
        # The worst of each part: what is looked for is when it was late.
        worst = max(part, key=lambda point: point.lag_p99_ms or 0.0)
        numbers = (
            worst.lag_p50_ms or 0.0,
            worst.lag_p99_ms or 0.0,
            max(point.lag_max_ms for point in part),
            float(max(point.depth_max for point in part)),
            sum(point.handled_per_s or 0.0 for point in part) / len(part),
            sum(point.shed_per_s or 0.0 for point in part) / len(part),
        )
        begin = clock_time(part[0].at_unix_s, form)
        yield f"{begin:{width}}" + "".join(f"{each:>13.2f}" for each in numbers)


def _symbols(symbols: Sequence[SymbolReport]) -> Iterator[str]:
    heads = ("offered", "handled", "shed", "failed", "restarts", "depth max")
    lags = ("p50, ms", "p99, ms", "max, ms")
    yield f"\n{'symbol':24}" + "".join(f"{head:>11}" for head in (*heads, *lags))
    for each in symbols[:MOST_SYMBOLS]:
        counts = (each.offered, each.handled, each.shed, each.failed, each.restarts, each.depth_max)
        yield (
            f"{each.key:24}"
            + "".join(f"{count:>11}" for count in counts)
            + f"{each.lag_p50_ms:>11.2f}{each.lag_p99_ms:>11.2f}{each.lag_max_ms:>11.2f}"
        )
    yield from _more(len(symbols), MOST_SYMBOLS)


def _width(form: str) -> int:
    return len(clock_time(0.0, form)) + 2


def _more(number: int, shown: int) -> Iterator[str]:
    if number > shown:
        yield f"and {number - shown} more (--json and --html show more)"
