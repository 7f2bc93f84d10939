"""Plots as SVG."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ticklane.analysis import AnomalySpan
from ticklane.console.svg_plot import plot

VALUES = st.lists(st.floats(0, 1e12), min_size=1, max_size=50)


def points_of(svg: str) -> list[tuple[float, float]]:
    told = re.findall(r'<polyline points="([^"]*)"', svg)
    return [
        (float(x), float(y)) for line in told for x, y in (each.split(",") for each in line.split())
    ]


@given(VALUES, st.booleans())
def test_every_point_is_inside_whatever_the_values(values: list[float], log: bool) -> None:
    svg = plot(
        "lag", [1e9 + 10.0 * number for number in range(len(values))], {"a": values}, log=log
    )
    ET.fromstring(svg)  # noqa: S314 - our own

    assert len(points_of(svg)) == len(values)
    assert all(64 <= x <= 984 and 34 <= y <= 204 for x, y in points_of(svg))


def test_a_greater_value_is_higher() -> None:
    ((_, low), (_, high)) = points_of(plot("depth", [0.0, 10.0], {"depth": [1.0, 5.0]}))

    assert high < low


def test_an_anomaly_is_a_band_from_start_to_end() -> None:
    span = AnomalySpan(
        kind="QUEUE_STALL",
        key="x:<A>",
        severity="ERROR",
        message="look",
        start_unix_s=25.0,
        end_unix_s=50.0,
    )
    svg = plot("depth", [0.0, 100.0], {"depth": [1.0, 5.0]}, [span])

    assert '<rect x="294.0" y="34" width="230.0"' in svg
    assert 'class="ERROR"><title>QUEUE_STALL x:&lt;A&gt;</title>' in svg


def test_one_that_goes_on_reaches_the_right_side() -> None:
    span = AnomalySpan(kind="K", key=None, severity="WARN", message="look", start_unix_s=50.0)
    svg = plot("depth", [0.0, 100.0], {"depth": [1.0, 5.0]}, [span])

    assert '<rect x="524.0" y="34" width="460.0"' in svg


def test_texts_of_the_axis_do_not_touch() -> None:
    svg = plot("lag", [0.0, 3600.0], {"p50": [0.5, 1.5]}, log=True)
    texts = re.findall(r'<text x="([\d.]+)" y="222" class="(\w+)">', svg)
    width = 55.0
    lefts = [
        float(x) - {"left": 0.0, "middle": width / 2, "right": width}[side] for x, side in texts
    ]

    assert len(texts) == 6
    assert all(later - left > width for left, later in pairwise(lefts))
