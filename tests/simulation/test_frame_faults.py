"""What becomes of frames: against a model that knows how many are to go wrong."""

from hypothesis import given
from hypothesis import strategies as st

from ticklane.simulation.frame_faults import FrameFaults


def passed(faults: FrameFaults, frames: str, symbol: str = "A") -> list[object]:
    return [each for frame in frames for each in faults.passed(symbol, symbol, frame)]


def test_without_a_fault_frames_pass() -> None:
    assert passed(FrameFaults(), "123") == ["1", "2", "3"]


def test_each_fault_strikes_so_many_frames() -> None:
    struck = {}
    for fault in ("corrupt", "duplicate", "reorder", "gap"):
        faults = FrameFaults()
        faults.add(fault, 1, None)
        struck[fault] = passed(faults, "123")

    assert struck == {
        "corrupt": ["", "2", "3"],
        "duplicate": ["1", "1", "2", "3"],
        "reorder": ["2", "1", "3"],
        "gap": ["2", "3"],
    }


def test_two_swaps_are_of_four_frames() -> None:
    faults = FrameFaults()
    faults.add("reorder", 2, None)

    assert passed(faults, "12345") == ["2", "1", "4", "3", "5"]


def test_a_fault_of_one_symbol_leaves_the_others_alone() -> None:
    faults = FrameFaults()
    faults.add("gap", 1, "B")

    assert passed(faults, "12", "A") == ["1", "2"]
    assert passed(faults, "12", "B") == ["2"]


def test_a_frame_held_back_waits_for_the_next_of_its_stream() -> None:
    faults = FrameFaults()
    faults.add("reorder", 1, "A")

    assert passed(faults, "1", "A") == []
    assert passed(faults, "2", "B") == ["2"]
    assert passed(faults, "3", "A") == ["3", "1"]


@given(st.lists(st.tuples(st.sampled_from(["duplicate", "reorder", "gap"]), st.integers(1, 4))))
def test_nothing_is_lost_or_doubled_but_what_was_asked_for(asked: list[tuple[str, int]]) -> None:
    faults = FrameFaults()
    for fault, frames in asked:
        faults.add(fault, frames, None)
    out = [each for number in range(200) for each in faults.passed("A", "A", str(number))]
    doubled = sum(frames for fault, frames in asked if fault == "duplicate")
    missing = sum(frames for fault, frames in asked if fault == "gap")

    assert len(out) - len(set(out)) == doubled
    assert 200 - len(set(out)) == missing
    assert not faults.active
