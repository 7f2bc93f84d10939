"""A log of the other kind, from the command line."""

import json
from pathlib import Path

import pytest

from ticklane.console import main


def test_it_says_how_many_entries_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "run.jsonl", tmp_path / "run.db"
    source.write_text(json.dumps({"timestamp": 1.7e9}) + "\n")

    assert main(["convert", str(source), str(target)]) == 0
    assert capsys.readouterr().out == f"1 entries written to {target}\n"


def test_a_target_that_is_there_is_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "run.jsonl"
    source.write_text("{}\n")

    assert main(["convert", str(source), str(source)]) == 2
    assert "target must be new" in capsys.readouterr().err
