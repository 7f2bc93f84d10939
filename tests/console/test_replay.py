"""Replaying captures: real frames, a real socket, the real feeds."""

import json
from pathlib import Path
from typing import Any

import pytest

from ticklane.console import main
from ticklane.console.replay import replay
from ticklane.messages import InvalidOption, Snapshot
from ticklane.simulation import read_capture

UPBIT = "upbit-2021-04-17.ws.txt"
BINANCE = "binance-2021-10-12.ws.txt"
HEAD = "wss://api.upbit.com/websocket/v1 <-> 1.0\n"
SUBSCRIBE = (
    'wss://api.upbit.com/websocket/v1 <- 1.0: [{"ticket":"t"},'
    '{"type":"orderbook","codes":["KRW-BTC"]},{"format":"SIMPLE"}]\n'
)
BOOK = (
    '1.5: {"ty":"orderbook","cd":"KRW-BTC","tms":1,"obu":[{"ap":2.0,"bp":1.0,"as":1.0,"bs":1.0}]}\n'
)


def test_all_145_upbit_books_are_handled_and_latest_is_the_last(captures: Path) -> None:
    result = replay(captures / UPBIT, speed=0)

    totals = result.sample.totals
    assert (totals.offered, totals.handled, totals.failed) == (145, 145, 0)
    assert result.bad_frames == {}
    assert levels(result.latest) == last_books(captures / UPBIT, upbit_book)


def test_all_84_binance_best_prices_are_handled_and_latest_is_the_last(captures: Path) -> None:
    result = replay(captures / BINANCE, speed=0)

    totals = result.sample.totals
    assert (totals.offered, totals.handled, totals.failed) == (84, 84, 0)
    assert result.bad_frames == {}
    assert levels(result.latest) == last_books(captures / BINANCE, binance_book)


def test_the_command_prints_what_became_of_both(
    captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["replay", str(captures / UPBIT), str(captures / BINANCE), "--speed", "0"])

    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert ["upbit:KRW-LAMB", "87", "0", "0", "126", "127"] in words
    assert ["binance:LRCBTC", "9", "0", "0", "0.00000637", "0.00000638"] in words
    assert [line[1] for line in words if line[:1] == ["totals:"]] == ["145", "84"]
    assert words.count(["bad", "frames:", "none"]) == 2


def test_a_frame_that_cannot_be_used_is_told_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, HEAD + SUBSCRIBE + BOOK + "1.6: not JSON\n")

    assert main(["replay", path, "--speed", "0"]) == 1
    assert "bad frames: 1 json\n" in capsys.readouterr().out


def test_a_capture_without_a_book_is_told_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, HEAD + SUBSCRIBE + '1.5: {"ty":"trade","cd":"KRW-BTC"}\n')

    assert main(["replay", path, "--speed", "0"]) == 1
    assert capsys.readouterr().err == f"ticklane: {path} brought no book\n"


def test_a_capture_of_other_streams_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="one with streams of orderbook"):
        replay(written(tmp_path, HEAD), speed=0)


def test_all_files_are_looked_at_before_the_first_is_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, HEAD + SUBSCRIBE + BOOK)

    assert main(["replay", path, str(tmp_path / "missing"), "--speed", "0"]) == 2
    assert capsys.readouterr().out == ""


def test_a_negative_speed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="speed must be at least 0"):
        replay(written(tmp_path, HEAD + SUBSCRIBE + BOOK), speed=-1)


def written(folder: Path, content: str) -> str:
    path = folder / "capture.txt"
    path.write_text(content)
    return str(path)


Sides = tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]


def levels(latest: Any) -> dict[str, Sides]:
    books: dict[str, Snapshot] = dict(latest)
    return {key: (book.bids, book.asks) for key, book in books.items()}


def last_books(path: Path, read: Any) -> dict[str, Sides]:
    books = (read(json.loads(frame.payload)) for frame in read_capture(path))
    return dict(book for book in books if book)


def upbit_book(frame: Any) -> tuple[str, Sides] | None:
    if frame["ty"] != "orderbook":
        return None
    units = frame["obu"]
    bids = tuple((unit["bp"], unit["bs"]) for unit in units)
    return f"upbit:{frame['cd']}", (bids, tuple((unit["ap"], unit["as"]) for unit in units))


def binance_book(frame: Any) -> tuple[str, Sides] | None:
    if not frame["stream"].endswith("@bookTicker"):
        return None
    best = {name: float(value) for name, value in frame["data"].items() if name in "bBaA"}
    sides = ((best["b"], best["B"]),), ((best["a"], best["A"]),)
    return f"binance:{frame['data']['s']}", sides
