"""The detector held against labelled faults: the benchmark that docs/detection.md reports on."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import attrs
import pytest

from ticklane.analysis import QueueDetector, QueueTick

SEED = 10
"""None of those that the detector was tuned on."""


@attrs.define
class InSeconds:
    """The detector, told ticks in seconds."""

    detector: QueueDetector = attrs.field(factory=QueueDetector)

    def update(self, tick: Any) -> bool:
        return bool(
            self.detector.update(
                QueueTick(
                    tick.lag_min_s * 1e3,
                    tick.lag_max_s * 1e3,
                    tick.depth_max,
                    tick.handled,
                    tick.oldest_age_s * 1e3,
                )
            )
        )


@pytest.fixture(scope="module")
def score(captures: Path) -> dict[str, Any]:
    pytest.importorskip("numpy", reason="numpy is missing")
    path = captures.parent / "detection" / "queue_faults.py"
    if not path.is_file():
        pytest.skip(f"no labelled faults: {path} is missing")
    spec = importlib.util.spec_from_file_location("queue_faults", path)
    assert spec is not None
    assert spec.loader is not None
    queue_faults = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(queue_faults)
    scored: dict[str, Any] = queue_faults.score(InSeconds, [SEED], symbols=12)
    return scored


def test_nearly_every_fault_is_found(score: dict[str, Any]) -> None:
    assert score["recall"] >= 0.97, score["by_kind"]


def test_false_alarms_are_rare(score: dict[str, Any]) -> None:
    assert score["false_per_symbol_hour"] <= 0.15


def test_half_of_the_faults_are_found_within_six_seconds(score: dict[str, Any]) -> None:
    assert score["delay_p50_s"] <= 6
