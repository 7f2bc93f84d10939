"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of real frames, or skip where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "captures"
    folder = Path(os.environ.get("TICKLANE_CAPTURES", beside))
    if not folder.is_dir():
        pytest.skip(f"no captures: {folder} is missing and TICKLANE_CAPTURES names no folder")
    return folder
