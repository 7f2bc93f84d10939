"""Plant each bug in a copy of the tree, and demand that its tests fail.

    python tests/mutants/run.py [names of mutants]

Fails where a patch does not apply, where tests fail without a bug, and where one survives.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from test_mutants import FOUND_BY, mutated  # noqa: E402

PATIENCE_S = 300.0
LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "docs", "__pycache__", "*.egg-info")


def main(names: list[str]) -> int:
    chosen = {name: FOUND_BY[name] for name in names or FOUND_BY}
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "ticklane"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        failed = run(copy, sorted({each for files in chosen.values() for each in files}))
        if failed is not None:
            print(f"without any bug {failed}")  # noqa: T201
            return 1
        survivors = [name for name, files in chosen.items() if not found(copy, name, files)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} found; {survivors} survive")  # noqa: T201
    return bool(survivors)


def found(copy: Path, name: str, files: Iterable[str]) -> bool:
    """Plant a bug, and take it out again; return whether its tests fail."""
    begun_s = time.monotonic()
    sources = mutated(name)
    for path, source in sources.items():
        (copy / path).write_text(source, "utf-8")
    failed = run(copy, files)
    for path in sources:
        shutil.copy(ROOT / path, copy / path)
    took_s = time.monotonic() - begun_s
    print(f"{name:26} {took_s:5.1f} s  {failed or 'SURVIVES'}", flush=True)  # noqa: T201
    return failed is not None


def run(copy: Path, files: Iterable[str]) -> str | None:
    """Run tests of the copy; return what became of the first that fails, None if all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    # No byte code: a changed file may have the size and, to a second, the time of the one before.
    environment = {**os.environ, "PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            [*command, *(f"tests/{each}" for each in files)],
            cwd=copy,
            env=environment,
            timeout=PATIENCE_S,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode == 0:
        return None
    return failures[0].partition(" - ")[0] if failures else done.stdout[-500:] + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
