"""Which symbols are silent beyond their own rhythm."""

import pytest

from ticklane.analysis import QuietSymbols

SECOND_NS = 1_000_000_000


class Board:
    """Two symbols, looked at once a second."""

    def __init__(self) -> None:
        self.quiet = QuietSymbols()
        self.second = 0
        self.arrived: dict[str, int | None] = {"A": None, "B": None}

    def look(self, *speaking: str) -> dict[str, float]:
        self.second += 1
        for symbol in speaking:
            self.arrived[symbol] = self.second * SECOND_NS
        return self.quiet.look(self.second * SECOND_NS, self.arrived)

    def named(self, seconds: int, *speaking: str) -> list[dict[str, float]]:
        looks = [self.look(*speaking) for _ in range(seconds)]
        return [named for named in looks if named]


@pytest.fixture
def board() -> Board:
    """Return two symbols that have spoken every second for long enough to be known."""
    board = Board()
    assert board.named(300, "A", "B") == []
    return board


def test_a_symbol_beyond_its_rhythm_is_named_once(board: Board) -> None:
    assert board.named(200, "A") == [{"B": 11.0}]


def test_a_symbol_that_spoke_again_may_be_named_again(board: Board) -> None:
    first = board.named(30, "A")
    board.look("A", "B")

    assert (len(first), len(board.named(60, "A"))) == (1, 1)


def test_a_symbol_whose_rhythm_is_not_known_is_never_named() -> None:
    board = Board()
    board.named(20, "A", "B")

    assert board.named(1000, "A") == []


def test_a_symbol_that_never_spoke_is_never_named(board: Board) -> None:
    board.arrived["C"] = None

    assert board.named(100, "A", "B") == []


def test_a_new_connection_counts_the_silence_from_its_beginning(board: Board) -> None:
    board.named(9, "A")
    board.quiet.resume(board.second * SECOND_NS)

    assert board.named(9, "A") == []


def test_a_symbol_that_is_gone_is_forgotten(board: Board) -> None:
    del board.arrived["B"]
    board.look("A")
    board.arrived["B"] = None

    assert board.named(100, "A") == []
