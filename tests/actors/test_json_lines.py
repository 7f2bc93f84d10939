"""The actor that writes the metrics log as JSON Lines."""

import json
from pathlib import Path

import pytest

from ticklane.actors import JsonLinesActor, open_json_lines
from ticklane.messages import InvalidOption
from ticklane.runtime import Dispatcher, Inbox


def write(path: Path, dispatcher: Dispatcher, *messages: object) -> None:
    """Have an actor write what it is told, and stop it."""
    ref = JsonLinesActor.start(path=path, dispatcher=dispatcher, inbox=Inbox(dispatcher))
    for message in messages:
        ref.tell(message)
    ref.stop()


def test_every_entry_is_a_line_of_json(tmp_path: Path, dispatcher: Dispatcher) -> None:
    path = tmp_path / "run.jsonl"
    entries = [{"timestamp": 1.5, "ws_queue_depth": 3}, {"timestamp": 2.5, "note": "가"}]
    write(path, dispatcher, *entries)

    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == entries


def test_a_line_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with open_json_lines(path) as file:
        file.write("{}\n")

        assert path.read_text() == "{}\n"


def test_a_log_that_is_there_is_continued(tmp_path: Path, dispatcher: Dispatcher) -> None:
    path = tmp_path / "run.jsonl"
    for number in (1, 2):
        write(path, dispatcher, {"run": number})

    assert path.read_text().splitlines() == ['{"run": 1}', '{"run": 2}']


def test_a_line_that_was_cut_off_costs_no_other_one(tmp_path: Path, dispatcher: Dispatcher) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"run": 1}\n{"ru')
    for number in (2, 3):
        write(path, dispatcher, {"run": number})

    assert path.read_text().splitlines() == ['{"run": 1}', '{"ru', '{"run": 2}', '{"run": 3}']


def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "run.jsonl"

    with pytest.raises(InvalidOption) as caught:
        open_json_lines(path)
    assert str(caught.value) == (
        f"log must be a file that can be written (No such file or directory), not '{path}'"
    )


def test_another_message_is_a_dead_letter(tmp_path: Path, dispatcher: Dispatcher) -> None:
    write(tmp_path / "run.jsonl", dispatcher, "hello")

    assert dispatcher.dead_letters.counts() == {"unhandled": 1}
