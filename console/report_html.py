"""A report on a run as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise

from ..analysis import AnomalySpan, RunReport, SymbolReport, TimePoint
from .report_text import clock_form, clock_time, verdict_reasons
from .svg_plot import plot

__all__ = ["render_page"]

MOST_ROWS = 1000
MOST_BANDS = 500

_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff;
       max-width: 1080px; margin: 24px auto; padding: 0 20px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 8px; }
.verdict { display: inline-block; padding: 0 12px; border-radius: 6px; color: #fff; }
.verdict.OK { background: #1a7f37; } .verdict.WARN { background: #9a6700; }
.verdict.FAIL { background: #cf222e; }
p, ul { margin: 6px 0; } li { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 7px; border-bottom: 1px solid #d1d9e0; text-align: right; }
th { background: #f6f8fa; position: sticky; top: 0; }
td { white-space: nowrap; } td.text:last-child { white-space: normal; }
.text { text-align: left; }
svg { display: block; width: 100%; height: auto; margin: 10px 0; }
svg text { font: 12px system-ui, sans-serif; fill: #59636e; }
svg .title { font-weight: 600; fill: #1f2328; }
svg .right { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: #e4e8ec; stroke-width: 1; }
svg rect { fill: #9a6700; fill-opacity: .16; } svg rect.ERROR { fill: #cf222e; }
svg rect.INFO { fill: #1f6feb; }
"""


def render_page(report: RunReport) -> str:
    """Return the report as an HTML page, with plots, to be opened without a network."""
    title = f"Long run {report.longrun.scenario}: {report.longrun.overall_status}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(_body(report))
        + "\n</body></html>\n"
    )


def _body(report: RunReport) -> Iterator[str]:
    longrun = report.longrun
    yield (
        f"<h1>Long run {escape(longrun.scenario)} "
        f'<span class="verdict {longrun.overall_status}">{longrun.overall_status}</span></h1>'
    )
    yield f"<p>{_period(report)}</p>"
    reasons = verdict_reasons(report) or ["nothing was over its limit, no anomaly was raised"]
    yield f"<ul>{''.join(f'<li>{escape(reason)}</li>' for reason in reasons)}</ul>"
    yield from _plots(report.over_time, report.anomalies[:MOST_BANDS])
    yield from _anomalies(report.anomalies, clock_form(longrun.start_time, longrun.end_time))
    yield from _counts(report)
    yield from _symbols(report.symbols)


def _period(report: RunReport) -> str:
    longrun = report.longrun
    if longrun.start_time is None or longrun.end_time is None:
        return f"{longrun.entries} entries without a time"
    # A time of day by itself says nothing in a page that is kept.
    day = clock_time(longrun.start_time, "%Y-%m-%d")
    end = clock_time(longrun.end_time, clock_form(longrun.start_time, longrun.end_time))
    told = "" if report.stopped is not False else "; not stopped by its writer"
    return (
        f"{day} {clock_time(longrun.start_time)} to {end} UTC, "
        f"{longrun.duration_minutes:.1f} minutes, {longrun.entries} entries{told}"
    )


def _plots(points: Sequence[TimePoint], spans: Sequence[AnomalySpan]) -> Iterator[str]:
    if not points:
        return
    whole = points[0].handled_per_s is not None
    points = [*_with_pauses(points)] if whole else points
    times = [point.at_unix_s for point in points]
    lags = {
        "p50": [point.lag_p50_ms or 0.0 for point in points],
        "p99": [point.lag_p99_ms or 0.0 for point in points],
        "max": [point.lag_max_ms for point in points],
    }
    rates = {
        "handled": [point.handled_per_s or 0.0 for point in points],
        "shed": [point.shed_per_s or 0.0 for point in points],
    }
    yield plot("lag, ms", times, lags if whole else {"max": lags["max"]}, spans, log=True)
    yield plot(
        "greatest depth", times, {"depth": [float(point.depth_max) for point in points]}, spans
    )
    if whole:
        yield plot("snapshots per second", times, rates, spans)


def _with_pauses(points: Sequence[TimePoint]) -> Iterator[TimePoint]:
    """Yield the points, and idle ones where none are: a line would lead from one end to the other.

    A run log has no row of a symbol that did nothing.
    """
    steps = [after.at_unix_s - before.at_unix_s for before, after in pairwise(points)]
    least = min(steps, default=0.0)
    for point, step in zip(points, steps, strict=False):
        yield point
        if step > least:
            end = point.at_unix_s + step
            yield from map(_idle, sorted({point.at_unix_s + least, end - least}))
    yield points[-1]


def _idle(at_unix_s: float) -> TimePoint:
    return TimePoint(at_unix_s=at_unix_s, depth_max=0, lag_max_ms=0.0)


def _anomalies(spans: Sequence[AnomalySpan], form: str) -> Iterator[str]:
    yield f"<h2>Anomalies: {len(spans)}</h2>"
    if spans:
        heads = ("kind", "of", "start", "end", "lag peak, ms", "depth peak", "what")
        yield _table(heads, (_anomaly(span, form) for span in spans[:MOST_ROWS]), left={0, 1, 6})


def _anomaly(span: AnomalySpan, form: str) -> tuple[str, ...]:
    return (
        span.kind,
        span.key or "-",
        clock_time(span.start_unix_s, form),
        clock_time(span.end_unix_s, form),
        f"{span.lag_peak_ms:,.1f}",
        f"{span.depth_peak:,}",
        span.message,
    )


def _counts(report: RunReport) -> Iterator[str]:
    longrun = report.longrun
    counts = {
        **report.totals,
        "reconnects": longrun.ws_reconnect_count,
        "gaps": longrun.ws_message_gap_count,
        "errors": longrun.error_log_count,
        "snapshots missing": longrun.snapshot_none_count,
    }
    yield "<h2>Totals</h2>"
    yield _table(tuple(counts), [tuple(f"{count:,}" for count in counts.values())])
    if report.feeds:
        yield "<h2>Connections</h2>"
        rows = (
            (name, *(f"{of.get(f'feed_{what}', 0):,}" for what in ("connected", "lost", "gap")))
            for name, of in report.feeds
        )
        yield _table(("connection", "times connected", "times lost", "gaps"), rows, left={0})


def _symbols(symbols: Sequence[SymbolReport]) -> Iterator[str]:
    if not symbols:
        return
    shown = f", the {MOST_ROWS} latest" if len(symbols) > MOST_ROWS else ""
    yield f"<h2>Symbols: {len(symbols)}{shown}</h2>"
    heads = (
        "symbol", "offered", "handled", "dropped", "conflated", "expired", "rejected", "failed",
        "restarts", "depth max", "lag p50, ms", "lag p99, ms", "lag max, ms",
    )  # fmt: skip
    yield _table(heads, (_symbol(each) for each in symbols[:MOST_ROWS]), left={0})


def _symbol(each: SymbolReport) -> tuple[str, ...]:
    counts = (
        each.offered, each.handled, each.dropped, each.conflated, each.expired, each.rejected,
        each.failed, each.restarts, each.depth_max,
    )  # fmt: skip
    lags = (each.lag_p50_ms, each.lag_p99_ms, each.lag_max_ms)
    return (each.key, *(f"{count:,}" for count in counts), *(f"{lag:,.2f}" for lag in lags))


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], left: Iterable[int] = ()) -> str:
    def line(tag: str, cells: Iterable[str]) -> str:
        told = (
            f"<{tag}{' class=text' if number in left else ''}>{escape(cell)}</{tag}>"
            for number, cell in enumerate(cells)
        )
        return f"<tr>{''.join(told)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>"
