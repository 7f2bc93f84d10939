import pytest

from ticklane.analysis import DetectorVerdict


@pytest.mark.parametrize(("kind", "holds"), [(None, False), ("stall", True)])
def test_a_verdict_is_true_while_something_is_anomalous(kind: str | None, holds: bool) -> None:
    assert bool(DetectorVerdict(kind, 1.0, 2.0)) is holds
