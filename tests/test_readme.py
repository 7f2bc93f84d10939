"""What the README shows is what there is."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def test_the_example_runs_as_pasted() -> None:
    lines = run(EXAMPLES[0]).splitlines()

    assert len(lines) == 11
    assert "offered=10, handled=10, failed=0, dropped=0" in lines[-1]


def test_the_example_has_under_15_lines() -> None:
    assert len(EXAMPLES[0].splitlines()) < 15


def test_the_line_for_live_exchanges_can_be_written() -> None:
    assert run(EXAMPLES[1]) == ""


def test_every_make_target_it_names_is_there() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_every_page_it_links_to_is_there() -> None:
    pages = [page for page in re.findall(r"\]\(([^)]+)\)", README) if "://" not in page]

    assert pages
    assert [page for page in pages if not (ROOT / page).exists()] == []
