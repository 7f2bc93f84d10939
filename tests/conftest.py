"""Fixtures every test may use."""

import os
from pathlib import Path

import hypothesis
import pytest


@pytest.fixture(scope="session")
def captures() -> Path:
    """Return the folder of real frames, or skip where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "captures"
    folder = Path(os.environ.get("TICKLANE_CAPTURES", beside))
    if not folder.is_dir():
        pytest.skip(f"no captures: {folder} is missing and TICKLANE_CAPTURES names no folder")
    return folder


# A loaded machine must not fail a property for having been slow once.
hypothesis.settings.register_profile("ticklane", deadline=None)
hypothesis.settings.load_profile("ticklane")
