"""A snapshot made in the fast way is the same as any other."""

import copy
import pickle
from typing import Any

import attrs
import pytest

from ticklane.exchanges.snapshots import snapshot_of
from ticklane.messages import Snapshot

GIVEN = ("upbit", "KRW-BTC", ((99.0, 1.0),), ((101.0, 2.0),), 1_700_000_000_000, 5, 7)


def test_it_is_what_the_class_makes_of_the_same() -> None:
    made, usual = snapshot_of(*GIVEN), Snapshot(*GIVEN)

    assert type(made) is Snapshot
    assert attrs.astuple(made, recurse=False) == GIVEN
    assert (made, hash(made), repr(made)) == (usual, hash(usual), repr(usual))


def test_all_that_a_snapshot_has_is_given() -> None:
    assert len(attrs.fields(Snapshot)) == len(GIVEN)


@pytest.mark.parametrize("field", [each.name for each in attrs.fields(Snapshot)])
def test_nothing_of_it_can_be_changed(field: str) -> None:
    made: Any = snapshot_of(*GIVEN)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, field, None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(made, field)


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))],  # noqa: S301 - ours
)
def test_a_copy_is_equal(again: Any) -> None:
    made = snapshot_of(*GIVEN)

    assert again(made) == made


def test_it_can_be_evolved() -> None:
    evolved = attrs.evolve(snapshot_of(*GIVEN), sequence=6)

    assert evolved == Snapshot(*GIVEN[:5], 6, 7)
