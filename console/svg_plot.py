"""Plots as SVG, in a few lines: nothing to load, nothing to run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

import attrs

from ..analysis import AnomalySpan
from .report_text import clock_form, clock_time

__all__ = ["plot"]

WIDTH, HEIGHT = 1000, 230
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 26
COLOURS = ("#1f6feb", "#d29922", "#cf222e")
LEAST_LOG = 0.001
MOST_TIMES = 6


@attrs.frozen
class _Scale:
    """Where a value is on one axis."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)


def plot(
    title: str,
    times: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    spans: Sequence[AnomalySpan] = (),
    *,
    log: bool = False,
) -> str:
    """Return an SVG element with one line for each of `lines`, over time.

    `spans` are marked behind the lines. `log`: the scale is logarithmic, from 0.001.
    """
    shown: Callable[[float], float] = _logarithm if log else float
    values = [shown(value) for line in lines.values() for value in line]
    x = _Scale(times[0], times[-1], LEFT, WIDTH - RIGHT)
    y = _y_scale(values, log=log)
    parts = (
        *_bands(spans, x),
        *_grid(y, log=log),
        *_clock(x),
        f'<text x="{LEFT}" y="18" class="title">{escape(title)}</text>',
        *_legend(lines),
        *(
            _line(times, [shown(value) for value in line], x, y, colour)
            for line, colour in zip(lines.values(), COLOURS, strict=False)
        ),
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def _logarithm(value: float) -> float:
    return math.log10(max(value, LEAST_LOG))


def _y_scale(values: Sequence[float], *, log: bool) -> _Scale:
    most = max(values, default=0.0)
    if log:
        low = math.floor(min(values, default=0.0))
        return _Scale(low, max(math.ceil(most), low + 1), HEIGHT - BOTTOM, TOP)
    step = _step(most)
    return _Scale(0.0, step * max(math.ceil(most / step), 1), HEIGHT - BOTTOM, TOP)


def _step(most: float) -> float:
    """Return a round step that cuts 0 to `most` into two to five parts."""
    if most <= 0:
        return 1.0
    rough = most / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _grid(y: _Scale, *, log: bool) -> Iterator[str]:
    step = float(math.ceil((y.high - y.low) / 5)) if log else _step(y.high)
    level = y.low
    while level <= y.high + step / 1000:
        height = y.at(level)
        label = f"{10.0**level if log else level:,.6g}"
        yield f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" class="grid"/>'
        yield f'<text x="{LEFT - 6}" y="{height + 4:.1f}" class="right">{label}</text>'
        level += step


def _clock(x: _Scale) -> Iterator[str]:
    number, form = MOST_TIMES if x.high > x.low else 1, clock_form(x.low, x.high)
    for index in range(number):
        time = x.low + (x.high - x.low) * index / max(number - 1, 1)
        side = "right" if index and index == number - 1 else "middle" if index else "left"
        at = f'x="{x.at(time):.1f}" y="{HEIGHT - 8}"'
        yield f'<text {at} class="{side}">{clock_time(time, form)}</text>'


def _legend(lines: Mapping[str, object]) -> Iterator[str]:
    left = WIDTH - RIGHT - 110 * len(lines)
    for index, (name, colour) in enumerate(zip(lines, COLOURS, strict=False)):
        at = left + 110 * index
        yield f'<path d="M{at} 14h18" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{at + 24}" y="18">{escape(name)}</text>'


def _bands(spans: Sequence[AnomalySpan], x: _Scale) -> Iterator[str]:
    for span in spans:
        begin = x.at(span.start_unix_s)
        end = x.at(x.high if span.end_unix_s is None else span.end_unix_s)
        told = escape(f"{span.kind} {span.key or ''}".strip())
        yield (
            f'<rect x="{begin:.1f}" y="{TOP}" width="{max(end - begin, 2):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}" class="{span.severity}"><title>{told}</title></rect>'
        )


def _line(
    times: Sequence[float], values: Sequence[float], x: _Scale, y: _Scale, colour: str
) -> str:
    points = " ".join(
        f"{x.at(time):.1f},{y.at(value):.1f}" for time, value in zip(times, values, strict=True)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
